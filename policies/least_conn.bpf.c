// SPDX-License-Identifier: GPL-2.0-only
/*
 * least-conn - the backend with the fewest live flows for its weight.
 *
 * The counts are those of the flow table, exact and of all CPUs: a flow that ends, times out
 * or is evicted counts no longer.  Flows that CPUs choose for at the same moment do not see
 * one another; equals are taken in any order, so that these seldom meet.  If the least may
 * not have the flow (max-flows, slow start), the better of any two may.
 *
 * Costs 11 ns for each backend; of more than 1024 backends it looks at 1024 in a row, from
 * anywhere on.
 *
 * Do not use it for many backends (p2c), for short flows (weighted: counts say little then),
 * where a client should come back to the same backend (hash), nor with persistence none in
 * dsr and tunnels: no flows are counted there.
 */
#include "load.bpf.h"

#define MOST 1024

struct search {
	const struct lb_policy_flow *flow;
	const struct lb_table *table;
	struct load best;
	__u32 from;
};

static int look(__u32 i, struct search *s)
{
	__u32 slot = s->from + i, n = s->table->n_slots;
	struct load load;

	load_get(s->flow, s->table, slot < n ? slot : slot - n, &load);
	if (load_is_less(&load, &s->best))
		s->best = load;
	return 0;
}

LB_POLICY(least_conn, "least-conn", LB_TABLE_UNIFORM, LB_PROMISE_WEIGHT, flow, table)
{
	__u32 n = table->n_slots;
	struct search s = { .flow = flow, .table = table, .from = lb_random(n) };

	if (flow->attempt)
		return better_of_two(flow, table);
	s.best.slot = s.from; /* if all have changed since the table was made */
	bpf_loop(n < MOST ? n : MOST, look, &s, 0);
	return s.best.slot;
}
