/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * answer_limit.bpf.h - resets and ICMP errors of a service are limited, by all CPUs together.
 *
 * A flood from forged addresses would else make the balancer flood those who have them.
 */
#ifndef LB_ANSWER_LIMIT_BPF_H
#define LB_ANSWER_LIMIT_BPF_H

#include "chain.bpf.h"
#include "order.bpf.h"

#define ANSWERS_A_SECOND 100

/* Service id -> jiffies when a second began, in the high half; how many since.  Written by
 * lb_answer. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_MAX_SERVICES);
	__type(key, __u32);
	__type(value, __u64);
} lb_answers SEC(".maps");

/* May pkt->service answer once more?  Counts as if it did. */
static __always_inline bool answer_is_due(const struct lb_pkt *pkt)
{
	__u32 service = pkt->service, now = pkt->now;
	__u64 *word = bpf_map_lookup_elem(&lb_answers, &service), was;

	if (!word)
		return false;
	was = READ_ONCE(*word);
	/* Another CPU may be a jiffy ahead of us. */
	if (now - (__u32)(was >> 32) + 1 > lb_params.hz) {
		if (__sync_val_compare_and_swap(word, was, (__u64)now << 32 | 1) == was)
			return true;
	} else if ((__u32)was >= ANSWERS_A_SECOND) {
		return false;
	}
	return (__u32)__sync_fetch_and_add(word, 1) < ANSWERS_A_SECOND;
}

#endif /* LB_ANSWER_LIMIT_BPF_H */
