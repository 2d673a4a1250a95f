/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trial.h - the part of the ABI that lbctl and progs/lb_gate share: a policy is asked for
 * flow after flow before it may serve.
 *
 * Include abi.h, which has the rules of these files.
 */
#ifndef LB_TRIAL_H
#define LB_TRIAL_H

#include <linux/types.h>

#define LB_TRIAL_BACKENDS 2048	 /* ids 1 .. 2047, of all services */
#define LB_TRIAL_PARTS	  128	 /* 2^n, as the next two */
#define LB_TRIAL_FLOWS	  16384	 /* that there are */
#define LB_TRIAL_ANSWERS  131072 /* that may be asked for */

/* What a policy may know of a flow, without its service. */
struct lb_trial_flow {
	__be32 client[4]; /* IPv6, or IPv4 in word 0 */
	__be16 port;
	__u8 family; /* 4 or 6 */
	__u8 protocol;
	__u8 flags; /* LB_PKT_* */
	__u8 attempt;
	__u16 pad;
};
_Static_assert(sizeof(struct lb_trial_flow) == 24, "lb_trial_flow");

/* One service is asked for so many flows. */
struct lb_trial_part {
	__u32 service;
	__u32 flow; /* the first one */
	__u32 step; /* from one to the next: 1 or -1 */
	__u32 n;
	__u64 began; /* ns; written by lb_gate */
};
_Static_assert(sizeof(struct lb_trial_part) == 24, "lb_trial_part");

/* An answer that is no backend id. */
#define LB_TRIAL_LOST	    0xffffU	     /* the policy ended the packet by itself */
#define LB_TRIAL_REFUSED(r) (0x10000U + (r)) /* enum lb_reason */

/* The one value of map lb_trials.  The time at which a part ends is when the next begins. */
struct lb_trial {
	__u32 part; /* where lb_gate is */
	__u32 at;   /* in that part */
	__u32 next; /* answer */
	__u32 live; /* flows that live at once: when one begins, the oldest ends */
	__u64 pad[6];
	struct lb_trial_part parts[LB_TRIAL_PARTS];
	struct lb_trial_flow flow[LB_TRIAL_FLOWS];
	__u32 answer[LB_TRIAL_ANSWERS]; /* backend id or LB_TRIAL_*; 0: not asked */
};

#endif /* LB_TRIAL_H */
