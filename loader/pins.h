/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pins.h - where an instance's pins are, whether we may touch them, and who is at it.
 */
#ifndef LB_PINS_H
#define LB_PINS_H

#include "state.h"

#define PIN_MAPS      "maps"
#define PIN_PROGS     "progs"
#define PIN_PATH_SIZE 384

/* Find s->dir, and check that bpffs is there and that we have the capabilities for
 * s->access; reports. */
int pins_locate(struct state *s, const struct state_options *o);
/* The folder of the instance that is meant, whether it is there or not. */
int pins_folder(const struct state_options *o, char *ret, size_t size);
bool pins_exist(const struct state *s);
/* Make the instance's folders; reports. */
int pins_make(const struct state *s);
/* Remove what is in them; reports. */
int pins_clear(const struct state *s);
/* Remove all pins and folders of the instance; reports. */
int pins_remove(const struct state *s);

/*
 * lb_root in the instance's folder itself: who attached lb_entry by other tools, as in
 * 'xdp-loader load -p DIR', has it pinned there.  An fd, or -errno.
 */
int pins_get_root(const struct state *s);
void pins_drop_root(const struct state *s);

/* An fd, or -errno. */
int pins_get(const struct state *s, const char *folder, const char *name);
/* Pin; what had that name goes. */
int pins_put(const struct state *s, const char *folder, const char *name, int fd);

/* No harm if it is not there. */
void pins_drop(const struct state *s, const char *folder, const char *name);

/* Take the exclusive lock on the instance's folder; reports who has it. */
int pins_lock(struct state *s, unsigned int wait_ms);
/* Lock one folder of it, if nobody has: an fd; -EWOULDBLOCK and by which pid it is locked,
 * 0 if that cannot be told; or -errno. */
int pins_lock_folder(const struct state *s, const char *folder, int *ret_holder);

#endif /* LB_PINS_H */
