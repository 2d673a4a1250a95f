// SPDX-License-Identifier: GPL-2.0-only
/* sluggish - a lie: a loop that the verifier allows, and that takes a millisecond. */
#include "turn.bpf.h"

static long step(__u32 i, void *sum)
{
	*(__u64 *)sum += i ^ bpf_get_prandom_u32();
	return 0;
}

LB_POLICY(sluggish, "sluggish", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	__u64 sum = 0;

	bpf_loop(200000, step, &sum, 0);
	return sum == 1 ? LB_DROP : next_turn(flow, table);
}
