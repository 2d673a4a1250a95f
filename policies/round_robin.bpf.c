// SPDX-License-Identifier: GPL-2.0-only
/*
 * round_robin - new flows take the backends in turn.
 *
 * Even within one flow per CPU: after n flows, the most and the least chosen of the
 * backends differ by no more than the number of CPUs that chose.  Costs one per-CPU counter
 * and a division.
 *
 * Do not use it where backends differ in strength (weighted), or where a client should
 * come back to the same backend (hash).
 */
#include "turn.bpf.h"

LB_POLICY(round_robin, "round-robin", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	return next_turn(flow, table);
}
