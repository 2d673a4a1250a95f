// SPDX-License-Identifier: GPL-2.0-only
/*
 * primary-standby - the usable backends of the best priority in turn, others stand by.
 *
 * The lowest `priority` is the best.  Who is in the table is lbctl's choice: when the last
 * backend of a priority goes down, drains or has weight 0, those of the next one are in it,
 * and when one comes back it has all new flows again.  Weights count among equals.  Flows
 * that the standby has meanwhile stay there.  Costs what weighted costs.
 *
 * Do not use it to keep an active pair level (weighted, least-conn): who stands by does
 * nothing, and a primary that is full (max-flows) does not make it work.
 */
#include "turn.bpf.h"

LB_POLICY(primary_standby, "primary-standby", LB_TABLE_PRIMARY, LB_PROMISE_EVEN, flow,
	  table)
{
	return next_turn(flow, table);
}
