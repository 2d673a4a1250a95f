/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * devices.h - the records of the interfaces that have the chain, and the ways out by them.
 *
 * A record is the first to come and the last to go, so that an attach or detach that was
 * killed is seen and can be finished by doing it again.
 */
#ifndef LB_DEVICES_H
#define LB_DEVICES_H

#include <net/if.h>
#include "state.h"

/* Has it the chain?  Others are only ways out. */
bool device_is_attached(const struct lb_device *d);
bool device_is_loopback(const struct lb_device *d);
bool interface_is_up(const char *name);
/* Its record, or NULL; of ifindex 0: a free one. */
struct lb_device *devices_find(struct state *s, __u32 ifindex);
/* Its name now, for interfaces are renamed; the one that it had if it cannot be seen. */
const char *device_name(const struct state *s, const struct lb_device *d,
			char ret[IF_NAMESIZE]);
int devices_count(const struct state *s); /* that have the chain */
/* The record of the interface, made if there is none; NULL: reported. */
struct lb_device *devices_enter(struct state *s, const char *name, __u32 ifindex);
/* Publish or change a record: @wanted has all of it but since.  0 or -errno. */
int devices_write(struct state *s, struct lb_device *d, const struct lb_device *wanted);
void devices_forget(struct state *s, struct lb_device *d);
/* Interfaces that are gone leave their records behind. */
void devices_forget_gone(struct state *s);

#endif /* LB_DEVICES_H */
