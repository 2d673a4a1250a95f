// SPDX-License-Identifier: GPL-2.0-only
/*
 * source-hash - a client's address names the backend, by a Maglev table.
 *
 * All that comes from one address goes to one backend, whatever the port; so do fragments,
 * which have none: in dsr and tunnels, services of any port take them with this policy.
 * With a shorter prefix all addresses of a net go to one: 64 suits clients of IPv6 that change
 * their addresses.  Consistent and weighted as hash is; costs the same and one lookup.
 *
 * Do not use it where many clients share an address (a NAT, a proxy): they share a backend.
 */
#include <bpf/bpf_endian.h>

#include "lb_policy.bpf.h"

enum { PREFIX4, PREFIX6 };
LB_TUNABLES({ "prefix4", "bits of an IPv4 client's address that count", 0, 32, 32 },
	    { "prefix6", "bits of an IPv6 client's address that count", 0, 128, 128 });

/* Of the 32 bits of word @i, those that are among the first @bits of the address. */
static __always_inline __be32 mask(__u32 i, __u32 bits)
{
	if (bits <= 32 * i)
		return 0;
	bits -= 32 * i;
	return bits < 32 ? bpf_htonl(~(0xffffffffU >> bits)) : 0xffffffff;
}

LB_POLICY(source_hash, "source-hash", LB_TABLE_MAGLEV,
	  LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT | LB_PROMISE_ADDRESS, flow, table)
{
	struct lb_policy_flow address = *flow;
	__u32 bits = lb_tunable(flow, flow->family == 4 ? PREFIX4 : PREFIX6);

	address.port = 0;
	address.protocol = 0;
	for (int i = 0; i < 4; i++)
		address.client[i] &= mask(i, bits);
	return lb_scale(lb_flow_hash(&address, table), table->n_slots);
}
