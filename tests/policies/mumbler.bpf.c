// SPDX-License-Identifier: GPL-2.0-only
/* mumbler - no lie, but what it says of its number is no text. */
#include "turn.bpf.h"

LB_TUNABLES({ "level", "\xff", 0, 1, 0 });

LB_POLICY(mumbler, "mumbler", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	return next_turn(flow, table) + lb_tunable(flow, 0) * 0;
}
