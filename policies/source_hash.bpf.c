// SPDX-License-Identifier: GPL-2.0-only
/*
 * source-hash - a client's address names the backend, by a Maglev table.
 *
 * All that comes from one address goes to one backend, whatever the port; so do fragments,
 * which have none: in dsr and tunnels, services of any port take them with this policy.
 * Consistent and weighted as hash is, and costs the same.
 *
 * Do not use it where many clients share an address (a NAT, a proxy): they share a backend.
 */
#include "lb_policy.bpf.h"

LB_POLICY(source_hash, "source-hash", LB_TABLE_MAGLEV,
	  LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT | LB_PROMISE_ADDRESS, flow, table)
{
	struct lb_policy_flow address = *flow;

	address.port = 0;
	address.protocol = 0;
	return lb_scale(lb_flow_hash(&address, table), table->n_slots);
}
