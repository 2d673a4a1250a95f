// SPDX-License-Identifier: GPL-2.0-only
/* honest - a random slot, and no promise but that. */
#include "lb_policy.bpf.h"

LB_POLICY(honest, "honest", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	return lb_scale((__u64)bpf_get_prandom_u32() << 32, table->n_slots);
}
