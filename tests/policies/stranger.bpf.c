// SPDX-License-Identifier: GPL-2.0-only
/* stranger - its map has a name that is for the instance's. */
#include "lb_policy.bpf.h"

/* 0 -> the last slot.  Written here. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} lb_strangers SEC(".maps");

LB_POLICY(stranger, "stranger", LB_TABLE_UNIFORM, 0, flow, table)
{
	__u32 zero = 0, *last = bpf_map_lookup_elem(&lb_strangers, &zero);

	return last ? (*last)++ % table->n_slots : LB_NO_SLOT;
}
