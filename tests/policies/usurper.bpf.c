// SPDX-License-Identifier: GPL-2.0-only
/* usurper - no lie, but a name that means another policy. */
#include "turn.bpf.h"

LB_POLICY(usurper, "default", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	return next_turn(flow, table);
}
