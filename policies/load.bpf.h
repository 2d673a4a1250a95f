/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load.bpf.h - which of two slots' backends has fewer live flows for its weight.
 *
 * Compared is (live + 1/2) / weight, before the flow in hand: whoever takes the least of it
 * keeps live flows as near to the ratio of weights as whole numbers can be (Sainte-Lague).
 * By live / weight alone, backends without flows would all be equal, the strongest too.
 */
#ifndef LB_LOAD_BPF_H
#define LB_LOAD_BPF_H

#include "lb_policy.bpf.h"

struct load {
	__u64 live;
	__u32 weight; /* 0: it takes no flows */
	__u32 slot;
};

static __always_inline void load_get(const struct lb_policy_flow *flow,
				     const struct lb_table *table, __u32 slot,
				     struct load *ret)
{
	__u32 id = lb_slot_backend(flow, table, slot);

	ret->slot = slot;
	ret->weight = lb_backend_weight(id);
	ret->live = lb_backend_live(id);
}

static __always_inline bool load_is_less(const struct load *a, const struct load *b)
{
	return (2 * a->live + 1) * b->weight < (2 * b->live + 1) * a->weight;
}

/* The better one of two different slots, any two. */
static __always_inline __u32 better_of_two(const struct lb_policy_flow *flow,
					   const struct lb_table *table)
{
	__u32 n = table->n_slots, slot = lb_random(n);
	struct load one, other;

	if (n == 1)
		return slot;
	load_get(flow, table, slot, &one);
	slot += 1 + lb_random(n - 1);
	load_get(flow, table, slot < n ? slot : slot - n, &other);
	return load_is_less(&other, &one) ? other.slot : one.slot;
}

#endif /* LB_LOAD_BPF_H */
