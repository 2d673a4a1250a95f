// SPDX-License-Identifier: GPL-2.0-only
/* overtuned - a lie: in range as long as nobody sets what may be set. */
#include "turn.bpf.h"

enum { SKIP };
LB_TUNABLES({ "skip", "slots to leave out", 0, 1000, 0 });

LB_POLICY(overtuned, "overtuned", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	return next_turn(flow, table) + lb_tunable(flow, SKIP);
}
