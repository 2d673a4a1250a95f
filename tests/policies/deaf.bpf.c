// SPDX-License-Identifier: GPL-2.0-only
/* deaf - a lie: it knows no pings. */
#include <linux/in.h>

#include "turn.bpf.h"

LB_POLICY(deaf, "deaf", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	if (flow->protocol != IPPROTO_TCP && flow->protocol != IPPROTO_UDP)
		return LB_NO_SLOT;
	return next_turn(flow, table);
}
