/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * find.bpf.h - from both ends of a packet to its service and flow, and on from there.
 *
 * The packet may be any, or an ICMP error that quotes the packet which went the other way:
 * turned round, the quote leads to the same flow.
 */
#ifndef LB_FIND_BPF_H
#define LB_FIND_BPF_H

#include "nat.bpf.h"
#include "new_flow.bpf.h"

/* Is the flow that nat_find() copied really the one that this reply belongs to? */
static __always_inline bool reply_agrees(struct lb_pkt *pkt, const struct lb_ends *ends,
					 int family)
{
	__u32 id = family == 4 ? ((struct lb_flow_key4 *)pkt->key)->service
			       : ((struct lb_flow_key6 *)pkt->key)->service;
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));
	const struct lb_service *service = service_get(id);

	pkt->service = id;
	/* SYNs are seldom, but a service with an MSS has no other sign of it here. */
	pkt->stage = LB_STAGE_REWRITE;
	if ((pkt->tcp_flags & TCP_SYN) && service->mss)
		pkt->stage = LB_STAGE_MSS;
	if (family == 6 && LB_SERVICE_IS_WIDE(service)) /* lb_reply's */
		return false;
	return READ_ONCE(backend->ref) == pkt->backend && pkt->nat_port == ends->dport &&
	       backend->port == ends->sport && service->protocol == pkt->protocol &&
	       address_equal(backend->address, ends->source, family) &&
	       address_equal(service->address, ends->destination, family);
}

/* From a backend's port: is it a reply, of a flow that has the translated tuple? */
static __always_inline bool find_reply(struct lb_pkt *pkt, const struct lb_ends *ends,
				       int family)
{
	__u32 ports = PAIR16(ends->sport, ends->dport);
	union nat_tuple t = {};

	if (family == 4) {
		t.word[0] = PAIR32(ends->source[0], ends->destination[0]);
		t.word[1] = PAIR32(ports, pkt->protocol);
	} else {
		t.word[0] = address_word(ends->source);
		t.word[1] = address_word(ends->source + 2);
		t.word[2] = address_word(ends->destination);
		t.word[3] = address_word(ends->destination + 2);
		t.word[4] = PAIR32(ports, pkt->protocol);
	}
	pkt->direction = LB_TO_CLIENT;
	pkt->table = family;
	if (!nat_find(pkt, family, &t) || !reply_agrees(pkt, ends, family))
		return false;

	nat_touch(pkt, family);
	if (pkt->flags & LB_PKT_ERROR)
		pkt->stage = LB_STAGE_ICMP_NAT;
	return true;
}

/* Not all can be told here.  Comes back only if the stage is not loaded. */
static __always_inline int go_further(struct xdp_md *ctx, struct lb_pkt *pkt,
				      const struct lb_ends *ends, __u32 service,
				      bool from_backend)
{
	pkt->ends = *ends;
	if (service) {
		pkt->service = LB_SERVICE_REF_ID(service);
		pkt->flags |= LB_PKT_SERVICE;
	}
	if (from_backend)
		lb_go(ctx, LB_STAGE_REPLY);
	else
		lb_go(ctx, LB_STAGE_WIDE);
	pkt->service = LB_NO_SERVICE;
	pkt->backend = LB_NO_BACKEND;
	return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
}

/*
 * Does it come from a backend that keeps its clients' ports?  By way of a copy of @ends:
 * with its address given away, each look at @ends would be one at memory.
 */
static __always_inline bool is_any_port_reply(struct lb_pkt *pkt,
					      const struct lb_ends *ends, int family)
{
	if (!READ_ONCE(lb_switches.wide))
		return false;
	pkt->ends = *ends;
	return find_any_port_backend(&pkt->ends, family, pkt->protocol);
}

/*
 * A translated port may be a service's port too, so a packet for a service that has no
 * flow is tried as a reply before it makes one.
 */
static __always_inline int find_flow(struct xdp_md *ctx, struct lb_pkt *pkt,
				     const struct lb_ends *ends, int family)
{
	__u32 service = find_endpoint(family, ends->destination, ends->dport,
				      pkt->protocol, LB_ENDPOINT_SERVICE);
	__u32 replies;

	if (service) {
		set_service(pkt, service);
		make_key(pkt, ends, family);
		if (!(pkt->flags & LB_PKT_PER_PACKET) && flow_find(pkt, family))
			return lb_go_forward(ctx, pkt);
	}
	replies = find_backend(ends, pkt->protocol, family);
	if (!replies) {
		if (service && is_any_port_reply(pkt, ends, family))
			return go_further(ctx, pkt, ends, service, true);
		if (service)
			return new_flow(ctx, pkt);
		if (READ_ONCE(lb_switches.wide))
			return go_further(ctx, pkt, ends, 0, false);
		return lb_leave(ctx, pkt, LB_REASON_NOT_OURS, XDP_PASS);
	}

	if (LB_REPLIES_FULLNAT(replies) && find_reply(pkt, ends, family))
		return lb_go_forward(ctx, pkt);
	if (LB_REPLIES_FIRST(replies) || READ_ONCE(lb_switches.wide))
		return go_further(ctx, pkt, ends, service, true);
	if (!service)
		return stray_reply(ctx, pkt, ends, family, LB_REASON_UNKNOWN_REPLY);

	/* The search for a reply has left its traces. */
	set_service(pkt, service);
	make_key(pkt, ends, family);
	return new_flow(ctx, pkt);
}

#endif /* LB_FIND_BPF_H */
