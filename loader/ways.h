/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ways.h - can packets get to a backend, going by the kernel's routes?
 */
#ifndef LB_WAYS_H
#define LB_WAYS_H

#include "netlink.h"
#include "state.h"

/* What is looked at for all backends, read once. */
struct ways {
	const struct state *state;
	struct netlink_link *links;
	size_t n_links;
};

struct way {
	struct netlink_route route;
	char device[16];   /* by which it leaves, or "" */
	const char *fault; /* word, or NULL: none was found */
	char text[160];	   /* what is wrong */
	char remedy[96];
};

void ways_open(struct ways *w, const struct state *s);
void ways_close(struct ways *w);

/* The way to @b; false: something is wrong with it. */
bool way_check(const struct ways *w, const struct model_service *s,
	       const struct model_backend *b, struct way *ret);
/* Where @b's tunnel comes from; false: that is no address of this host. */
bool way_check_source(const struct ways *w, const struct model_service *s,
		      const struct model_backend *b, struct way *ret);
/* How many bytes of a packet fit into @b's tunnel, where larger ones may come in; 0: all.
 * Of a way that was checked. */
unsigned int way_room(const struct ways *w, const struct model_service *s,
		      const struct model_backend *b, const struct way *way);

/* How many ports the way's device has, 0: it is no bridge. */
size_t way_ports(const struct ways *w, const struct way *way);

#endif /* LB_WAYS_H */
