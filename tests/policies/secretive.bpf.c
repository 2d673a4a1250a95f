// SPDX-License-Identifier: GPL-2.0-only
/* secretive - a lie: consistent as long as nobody else is asked, by a seed of its own. */
#include "lb_policy.bpf.h"

/* 0 -> the seed, 0 at first.  Written here. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} seeds SEC(".maps");

LB_POLICY(secretive, "secretive", LB_TABLE_MAGLEV,
	  LB_PROMISE_EVEN | LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT, flow, table)
{
	struct lb_policy_flow mixed = *flow;
	__u32 zero = 0;
	__u64 *seed = bpf_map_lookup_elem(&seeds, &zero);

	if (!seed)
		return LB_NO_SLOT;
	if (!*seed)
		*seed = bpf_get_prandom_u32() | 1ULL << 32;
	mixed.client[1] ^= *seed;
	return lb_scale(lb_flow_hash(&mixed, table), table->n_slots);
}
