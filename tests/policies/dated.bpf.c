// SPDX-License-Identifier: GPL-2.0-only
/* dated - a lie: consistent until the table is made anew, which each change of it does. */
#include "lb_policy.bpf.h"

LB_POLICY(dated, "dated", LB_TABLE_MAGLEV,
	  LB_PROMISE_EVEN | LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT, flow, table)
{
	__u64 odd = 2ULL * table->generation + 1;

	return lb_scale(lb_flow_hash(flow, table) * odd, table->n_slots);
}
