/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uppers.h - ways out by interfaces that stand on one that has the chain.
 */
#ifndef LB_UPPERS_H
#define LB_UPPERS_H

#include "netlink.h"
#include "state.h"

/* By which interface frames leave that are sent by another, and with which tags. */
struct upper_way {
	unsigned int out;
	struct lb_tag tag[LB_TAGS]; /* the outer one first */
	int n_tags;
};

enum upper {
	UPPER_CLEAR,   /* there is one way */
	UPPER_OUTSIDE, /* no interface below it has the chain */
	UPPER_PORTS,   /* a bridge: several of its ports have */
	UPPER_FILTERS, /* a bridge: it filters by VLAN */
	UPPER_TAGS,    /* more VLAN tags than a frame may have */
};

/* Where frames leave that are sent by @ifindex, one of @links. */
enum upper upper_resolve(const struct state *s, const struct netlink_link *links,
			 size_t n, unsigned int ifindex, struct upper_way *ret);
/* Half a sentence for whoever asks why @ifindex, which has no record, is no way out, and
 * what to do about it. */
const char *upper_explain(enum upper why, const char **ret_remedy);

/* Enter the ways out by VLAN devices and bridges, and forget those that are none any more;
 * 0 or -errno. */
int uppers_refresh(struct state *s);

#endif /* LB_UPPERS_H */
