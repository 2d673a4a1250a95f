/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain.h - the part of the ABI that lbctl and progs/lb_explain share: which stages a packet
 * went through, and what each was told.
 *
 * Include abi.h, which has the rules of these files.
 */
#ifndef LB_EXPLAIN_H
#define LB_EXPLAIN_H

#include <linux/types.h>

#define LB_STEPS 32 /* as many tail calls as the kernel allows, or so; 2^n */

/* Where one lb_explain stands, alone in its section .rodata.place; lbctl fills it in. */
struct lb_place {
	__u32 stage; /* enum lb_stage; LB_STAGE_TRACE: at the end, behind all */
	__u32 slot;  /* of LB_STAGE_POLICY: in lb_policies */
};
_Static_assert(sizeof(struct lb_place) == 8, "lb_place");

/* A packet came to a stage, and this is what the stage was told of it. */
struct lb_step {
	struct lb_place place;
	struct lb_pkt pkt;
};
_Static_assert(sizeof(struct lb_step) == 152, "lb_step");

/* The one value of map lb_steps, written by lb_explain; `n` is set to 0 by lbctl. */
struct lb_steps {
	__u32 n;
	__u32 pad;
	struct lb_step step[LB_STEPS];
};

#endif /* LB_EXPLAIN_H */
