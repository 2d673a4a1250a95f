// SPDX-License-Identifier: GPL-2.0-only
/* forgetful - a lie: round robin that says it were sticky. */
#include "turn.bpf.h"

LB_POLICY(forgetful, "forgetful", LB_TABLE_UNIFORM, LB_PROMISE_EVEN | LB_PROMISE_STICKY,
	  flow, table)
{
	return next_turn(flow, table);
}
