// SPDX-License-Identifier: GPL-2.0-only
/* portly - a lie: looks at the client's port and says it would not. */
#include "lb_policy.bpf.h"

LB_POLICY(portly, "portly", LB_TABLE_MAGLEV,
	  LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT | LB_PROMISE_ADDRESS, flow, table)
{
	return lb_scale(lb_flow_hash(flow, table), table->n_slots);
}
