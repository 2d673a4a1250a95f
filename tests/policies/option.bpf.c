// SPDX-License-Identifier: GPL-2.0-only
/* option - no lie, but a name that nobody can say: -q is lbctl's. */
#include "turn.bpf.h"

LB_POLICY(option, "-q", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	return next_turn(flow, table);
}
