// SPDX-License-Identifier: GPL-2.0-only
/* endless - a loop with more steps than the verifier walks. */
#include "turn.bpf.h"

LB_POLICY(endless, "endless", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	__u32 slot = 0;

	for (__u32 i = 0; i < 10000000; i++)
		slot += bpf_get_prandom_u32() & 1;
	return slot % table->n_slots;
}
