// SPDX-License-Identifier: GPL-2.0-only
/*
 * hash - a client's address and port name the backend, by a Maglev table.
 *
 * The same flow gets the same backend, on every balancer with the same backends, and when
 * one of n backends goes about 1/n of the flows move (Eisenbud et al., "Maglev", NSDI 2016).
 * Weights are respected.  Costs six multiplications.
 *
 * Do not use it where few clients make many requests over one connection each: shares are
 * even for many flows only.
 */
#include "lb_policy.bpf.h"

LB_POLICY(hash, "hash", LB_TABLE_MAGLEV,
	  LB_PROMISE_EVEN | LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT, flow, table)
{
	return lb_scale(lb_flow_hash(flow, table), table->n_slots);
}
