/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * eviction.h - was it right that this flow had to go?  Judged by the table before.
 */
#ifndef TEST_EVICTION_H
#define TEST_EVICTION_H

#include "flows.h"

/* Jiffies go on while a packet is sent: so near to a timeout nothing is said. */
#define EVICTION_SLACK 25

/* clang-format off */
/* The flow table of one family as it was before a packet. */
struct eviction {
	const struct stage *stage;
	const __u32 *timeout;		/* by enum lb_flow_state */
	__u32 now;
	size_t n;
	struct flow *flow;		/* by position */
};

/* clang-format on */

const struct flow *eviction_at(const struct eviction *e, __u32 position);
/* Is @age too near to @limit to say whether it is over? */
bool eviction_is_close(__u32 age, __u32 limit);

/* The newcomer of @key, a SYN or not, is at @position now.  Fails the test if whoever was
 * there should have stayed. */
void eviction_judge(const struct eviction *e, __u32 position, const __u64 *key, bool syn);
/* The SYN of @key was refused: all of its two buckets must have been connections. */
void eviction_judge_refusal(const struct eviction *e, int family, const __u64 *key);

#endif /* TEST_EVICTION_H */
