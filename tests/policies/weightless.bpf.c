// SPDX-License-Identifier: GPL-2.0-only
/* weightless - a lie: a random backend, whatever its weight. */
#include "lb_policy.bpf.h"

LB_POLICY(weightless, "weightless", LB_TABLE_UNIFORM, LB_PROMISE_WEIGHT, flow, table)
{
	return lb_scale((__u64)bpf_get_prandom_u32() << 32, table->n_slots);
}
