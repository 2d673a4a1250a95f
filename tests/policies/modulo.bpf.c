// SPDX-License-Identifier: GPL-2.0-only
/* modulo - a lie: a hash modulo the number of backends moves nearly all when one goes. */
#include "lb_policy.bpf.h"

LB_POLICY(modulo, "modulo", LB_TABLE_UNIFORM,
	  LB_PROMISE_EVEN | LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT, flow, table)
{
	return lb_scale(lb_flow_hash(flow, table), table->n_slots);
}
