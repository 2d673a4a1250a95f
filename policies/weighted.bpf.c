// SPDX-License-Identifier: GPL-2.0-only
/*
 * weighted - new flows take the backends in turn, each as often as its weight says.
 *
 * The order is in the table: smooth, so that weights 3 and 1 give a a b a and not a a a b.
 * Shares are exact per round of the table and CPU.  Costs what round_robin costs.
 *
 * Do not use it to keep clients with backends (hash), nor with weights whose ratio needs
 * more than 4096 slots: lbctl says how far the table is off.
 */
#include "turn.bpf.h"

LB_POLICY(weighted, "weighted", LB_TABLE_WEIGHTED, LB_PROMISE_EVEN, flow, table)
{
	return next_turn(flow, table);
}
