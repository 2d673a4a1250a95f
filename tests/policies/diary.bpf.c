// SPDX-License-Identifier: GPL-2.0-only
/* diary - a lie: who comes first gets what is next, and is remembered; so it is not the
 * backends that say who gets whom, but the order in which the flows came. */
#include "turn.bpf.h"

/* Flow's hash and service -> slot.  Written here. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 262144);
	__type(key, __u64);
	__type(value, __u32);
} pages SEC(".maps");

LB_POLICY(diary, "diary", LB_TABLE_UNIFORM, LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT,
	  flow, table)
{
	__u64 key = lb_flow_hash(flow, table) ^ flow->service;
	const __u32 *page = bpf_map_lookup_elem(&pages, &key);
	__u32 slot;

	if (page && *page < table->n_slots)
		return *page;
	slot = next_turn(flow, table);
	bpf_map_update_elem(&pages, &key, &slot, BPF_ANY);
	return slot;
}
