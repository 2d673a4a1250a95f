/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * match.h - the part of the ABI that is the rules of the policy `match`.
 *
 * Include abi.h, which has the rules of these files.
 */
#ifndef LB_MATCH_H
#define LB_MATCH_H

#include <linux/types.h>

#define LB_MATCH_RULES 64 /* of one service */
#define LB_MATCH_BYTES 16 /* that one rule compares */

/*
 * Which packets go to a backend: the payload is that of TCP, UDP or an ICMP echo, its
 * length is what the IP header says and not what Ethernet fills up.
 */
struct lb_match_rule {
	__u16 low; /* length of the payload, both included */
	__u16 high;
	__u16 offset;  /* in the payload, of the bytes that must be there */
	__u16 n_bytes; /* 0: any may */
	__u64 word[LB_MATCH_BYTES / 8]; /* these, zeros behind */
	__u32 backend;			/* id; of the same service */
	__u32 pad;
};
_Static_assert(sizeof(struct lb_match_rule) == 32, "lb_match_rule");

/*
 * Value of map lb_match_rules (a hash), key = service id, written by lbctl: replaced whole.
 * Rules of different backends match no packet in common, so their order says only which
 * one is first: its backend has the TCP segments without payload.
 */
struct lb_match_rules {
	__u32 n;
	__u32 pad;
	struct lb_match_rule rule[LB_MATCH_RULES];
};
_Static_assert(sizeof(struct lb_match_rules) == 2056, "lb_match_rules");

#endif /* LB_MATCH_H */
