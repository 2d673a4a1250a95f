// SPDX-License-Identifier: GPL-2.0-only
/* one_too_far - a lie: counts slots from 1. */
#include "turn.bpf.h"

LB_POLICY(one_too_far, "one-too-far", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	return next_turn(flow, table) + 1;
}
