/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate.h - a policy asked for thousands of flows before it may serve: does it keep what it
 * promises?
 *
 * It is asked in a world of its own: a second copy of the object over maps that are pinned
 * nowhere, with backends and flows that are made for it (progs/lb_gate.bpf.c).  Many policies
 * may be asked in one such world, one after another.
 */
#ifndef LB_GATE_H
#define LB_GATE_H

#include <lb/abi.h>
#include "state.h"

struct gate;

struct gate_result {
	enum lb_gate gate; /* PASSED, or FORCED: it is to be refused, unless forced */
	__u32 cost_ns;	   /* of a decision among 10 backends; 0: not measured */
	char why[sizeof(((struct lb_policy_info *)0)->why)];
};

/* Make the world; reports. */
int gate_open(const struct state *s, struct gate **ret);
void gate_close(struct gate *g);
/* Ask the policy in @path, which says @meta of itself; reports what keeps it from being
 * asked at all.  A promise that it breaks is a result. */
int gate_ask(struct gate *g, const char *path, const struct lb_policy_meta *meta,
	     struct gate_result *ret);

#endif /* LB_GATE_H */
