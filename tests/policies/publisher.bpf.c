// SPDX-License-Identifier: GPL-2.0-only
/* publisher - no lie, but its map is to be pinned: one for the gate and all instances. */
#include "lb_policy.bpf.h"

/* 0 -> decisions.  Written here. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} swy_published SEC(".maps");

LB_POLICY(publisher, "publisher", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&swy_published, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
	return lb_random(table->n_slots);
}
