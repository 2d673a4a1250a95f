// SPDX-License-Identifier: GPL-2.0-only
/* patient - a lie: quick as long as nobody sets what may be set. */
#include "turn.bpf.h"

enum { STEPS };
LB_TUNABLES({ "steps", "to go before each choice", 0, 200000, 0 });

static long step(__u32 i, void *sum)
{
	*(__u64 *)sum += i ^ bpf_get_prandom_u32();
	return 0;
}

LB_POLICY(patient, "patient", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	__u64 sum = 0;

	bpf_loop(lb_tunable(flow, STEPS), step, &sum, 0);
	return sum == 1 ? LB_DROP : next_turn(flow, table);
}
