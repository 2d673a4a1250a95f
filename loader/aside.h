/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * aside.h - a private copy of an instance, and packets tried on it.
 *
 * It has the instance's stages, policies, records, tables and flows, in maps of its own that
 * are pinned in a BPF file system which is mounted nowhere: nothing that is tried here is seen
 * by a packet of a network, and nothing of it is left when its process ends, however it ends.
 */
#ifndef LB_ASIDE_H
#define LB_ASIDE_H

#include <lb/abi.h>
#include <lb/explain.h>

#include "state.h"

#define ASIDE_PACKET_MAX 3400 /* bytes: what the kernel tries in one piece */

struct aside {
	struct state state; /* of the copy, for writing */
	int mount_fd;
	int begin; /* the program that packets come to */
	struct lb_steps *steps;
	__u8 *out;
};

/* Copy @live, which may be open for reading; reports. */
int aside_open(const struct state *live, struct aside *ret);
void aside_close(struct aside *a);

/* What became of a packet; valid until the next one. */
struct aside_result {
	__u32 verdict;	    /* XDP_* */
	const __u8 *packet; /* as it left */
	__u32 length;
	const struct lb_mark *mark; /* for the kernel; NULL: none */
	const struct lb_pkt *pkt;   /* at the end; NULL: it left without a word */
	const struct lb_step *step;
	__u32 n_steps; /* without the end */
};

/* Have it come by interface @ifindex, 0: none.  -errno. */
int aside_try(struct aside *a, const void *packet, __u32 length, __u32 ifindex,
	      struct aside_result *ret);

/* Warn if the copy's stages are not those that run. */
void aside_compare_stages(const struct aside *a, const struct state *live);
/* Have each step be written down; reports (aside_steps.c). */
int aside_listen(struct aside *a);
/* All programs of @live in a.lb_policies; reports (aside_policies.c). */
int aside_load_policies(struct aside *a, const struct state *live);

#endif /* LB_ASIDE_H */
