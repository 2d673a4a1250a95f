// SPDX-License-Identifier: GPL-2.0-only
/*
 * random - any backend, each as likely as its weight says.
 *
 * Keeps nothing, so CPUs share nothing, and nobody can know who is next.  After n flows a
 * backend of share p is off by about the root of n p.  Costs one random number.
 *
 * Do not use it where few flows shall be spread evenly (weighted) or many long ones (p2c).
 */
#include "lb_policy.bpf.h"

LB_POLICY(random, "random", LB_TABLE_WEIGHTED, LB_PROMISE_EVEN, flow, table)
{
	return lb_random(table->n_slots);
}
