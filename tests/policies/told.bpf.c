// SPDX-License-Identifier: GPL-2.0-only
/*
 * told - its user says which slot.
 *
 * For tests of parameters alone: the answer shows which value counts.
 */
#include "../../policies/lb_policy.bpf.h"

enum { SLOT, PLUS };
LB_TUNABLES({ "slot", "the slot to answer, modulo their number", 0, 1000, 2 },
	    { "plus", "what is added to it", 0, 9, 0 });

LB_POLICY(told, "told", LB_TABLE_UNIFORM, LB_PROMISE_STICKY, flow, table)
{
	return (lb_tunable(flow, SLOT) + lb_tunable(flow, PLUS)) % table->n_slots;
}
