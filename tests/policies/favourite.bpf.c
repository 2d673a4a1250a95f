// SPDX-License-Identifier: GPL-2.0-only
/* favourite - a lie: slot 3 has every tenth flow more than its turn. */
#include "turn.bpf.h"

LB_POLICY(favourite, "favourite", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	if (table->n_slots > 3 && bpf_get_prandom_u32() % 10 == 0)
		return 3;
	return next_turn(flow, table);
}
