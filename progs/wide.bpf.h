/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wide.bpf.h - flows that client and service do not name: their keys and what they keep.
 *
 * A service may have several addresses or ports, and with persistence none a client has a
 * flow with each backend that its packets were sent to.  Such flows are in the large table,
 * of IPv4 too: their key has a hash of what else names them, their record the address and
 * port that the client sent to, which replies are to come from.
 */
#ifndef LB_WIDE_BPF_H
#define LB_WIDE_BPF_H

#include "address.bpf.h"
#include "flow_table.bpf.h"

/* What else names a flow. */
struct wide_name {
	__be32 address[4]; /* that the client sent to; 0: any, a reply does not show it */
	__be16 port;
	__u16 backend; /* id, of a service with persistence none */
};

static __always_inline __u32 wide_more(const struct wide_name *name)
{
	__u64 word[3] = {
		name->address[0] | (__u64)name->address[1] << 32,
		name->address[2] | (__u64)name->address[3] << 32,
		name->port | (__u64)name->backend << 16,
	};

	return lb_hash(word, 3, lb_params.seed) >> 32;
}

/* The key of the flow of @client and @port with pkt->service that has @name. */
static __always_inline void wide_key(struct lb_pkt *pkt, const __be32 *client,
				     __be16 port, const struct wide_name *name)
{
	struct lb_flow_key6 *key = (void *)pkt->key;

	key->client[0] = client[0];
	key->client[1] = pkt->family == 4 ? 0 : client[1];
	key->client[2] = pkt->family == 4 ? 0 : client[2];
	key->client[3] = pkt->family == 4 ? 0 : client[3];
	key->port = port;
	key->service = pkt->service;
	key->more = wide_more(name);
	pkt->table = 6;
	pkt->hash = lb_hash(pkt->key, 3, lb_params.seed);
}

/* Copy what the flow of @pkt, in the large table, keeps of where the client sent to. */
static __always_inline bool wide_origin(struct lb_pkt *pkt)
{
	struct lb_bucket *b = bucket_get(6, pkt->position / LB_FLOW_WAYS);
	__u32 way = pkt->position;
	struct lb_flow6 *f;

	if (!b)
		return false;
	asm volatile("%0 &= 7" : "+r"(way));
	f = &((struct lb_bucket6 *)b)->flow[way];
#pragma unroll
	for (int i = 0; i < 4; i++)
		pkt->origin[i] = READ_ONCE(f->origin[i]);
	pkt->origin_port = READ_ONCE(f->flow.origin_port);
	f = load_after(f, pkt->origin[0] + pkt->origin[1] + pkt->origin[2] +
				  pkt->origin[3] + pkt->origin_port);
	return READ_ONCE(f->flow.version) == pkt->version;
}

/*
 * Is the flow that was found of where the client sent to, pkt->origin?  If not it is another
 * one that the key, a hash, or a reply could not tell from it.
 */
static __always_inline bool wide_agrees(struct lb_pkt *pkt)
{
	__be32 to[4] = { pkt->origin[0], pkt->origin[1], pkt->origin[2], pkt->origin[3] };
	__be16 port = pkt->origin_port;

	return wide_origin(pkt) && pkt->origin_port == port &&
	       address_equal(pkt->origin, to, 6);
}

/* What a reply shows of the address is nothing in these modes, so no key has it. */
static __always_inline bool address_names_flow(__u32 forward)
{
	return forward != LB_FORWARD_NAT && forward != LB_FORWARD_LOCAL;
}

#endif /* LB_WIDE_BPF_H */
