/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reply.bpf.h - the flow of a reply that carries no translated port.
 *
 * In nat and local mode a reply shows the backend and the client.  Which service the client
 * spoke to is not in it: the backends that share an address, port and protocol are linked
 * (lb_backend.next), and the first one whose service has the flow is meant.
 */
#ifndef LB_REPLY_BPF_H
#define LB_REPLY_BPF_H

#include "forward.bpf.h"
#include "lookup.bpf.h"
#include "wide.bpf.h"

/* The key under which the client's flow with @service would be. */
static __always_inline void reply_key(struct lb_pkt *pkt,
				      const struct lb_service *service, __u32 backend)
{
	bool per_packet = service->flags & LB_SERVICE_F_PER_PACKET,
	     wide = LB_SERVICE_IS_WIDE(service);
	struct lb_ends from_client = { .sport = pkt->ends.dport };
	struct wide_name name = {
		.port = wide ? pkt->ends.sport : service->port,
		.backend = per_packet ? backend : 0,
	};

	if (wide || per_packet) {
		wide_key(pkt, pkt->ends.destination, pkt->ends.dport, &name);
		return;
	}
	__builtin_memcpy(from_client.source, pkt->ends.destination,
			 sizeof(from_client.source));
	if (pkt->family == 4)
		make_key(pkt, &from_client, 4);
	else
		make_key(pkt, &from_client, 6);
}

/*
 * Is pkt->ends a reply of backend @id?  Then its flow is in @pkt.  Global: the verifier
 * looks at it once, and not for each of the backends in the list.
 */
__noinline int reply_of(struct lb_pkt *pkt, __u32 id)
{
	const struct lb_backend *backend = backend_get(id);
	const struct lb_service *service;
	bool found;

	if (!pkt)
		return 0;
	service = service_get(backend->service);
	if (!LB_FORWARD_IS_NAT(service->forward))
		return 0;

	pkt->service = backend->service;
	pkt->direction = LB_TO_CLIENT;
	reply_key(pkt, service, id);
	found = pkt->table == 4 ? flow_find(pkt, 4) : flow_find(pkt, 6);
	if (!found || pkt->backend != backend->ref)
		return 0;
	if (!LB_SERVICE_IS_WIDE(service))
		return 1;
	pkt->flags |= LB_PKT_WIDE;
	return wide_origin(pkt);
}

/* Find the flow of a reply of one of the backends from @first on. */
static __always_inline bool reply_find(struct lb_pkt *pkt, __u32 first)
{
	__u32 id = first;

#pragma unroll
	for (int i = 0; i < LB_MAX_SIBLINGS; i++) {
		if (!id)
			break;
		if (reply_of(pkt, id))
			return true;
		id = READ_ONCE(backend_get(id)->next);
	}
	return false;
}

/*
 * Find the flow of pkt->ends, a reply: from a port that a service may have by name, and
 * another one by any port.
 */
static __always_inline bool reply_find_any(struct lb_pkt *pkt)
{
	__u32 replies;

	if (pkt->family == 4)
		replies = find_backend(&pkt->ends, pkt->protocol, 4);
	else
		replies = find_backend(&pkt->ends, pkt->protocol, 6);
	if (reply_find(pkt, LB_REPLIES_FIRST(replies)))
		return true;
	if (!READ_ONCE(lb_switches.wide))
		return false;
	replies = find_any_port_backend(&pkt->ends, pkt->family, pkt->protocol);
	return reply_find(pkt, LB_REPLIES_FIRST(replies));
}

/* The reply that the new flow of @pkt will have from its backend's @port. */
static __always_inline void think_of_reply(struct lb_pkt *reply, const struct lb_pkt *pkt,
					   const struct lb_backend *backend, __be16 port)
{
	reply->family = pkt->family;
	reply->protocol = pkt->protocol;
	reply->tcp_flags = pkt->tcp_flags; /* a SYN goes over a closed flow */
	reply->now = pkt->now;
	reply->flags = LB_PKT_ERROR; /* does not keep the other flow alive */
	reply->ends = (struct lb_ends){ .sport = port, .dport = client_port(pkt) };
	copy_address(reply->ends.source, backend->address, 6);
	reply->ends.destination[0] = client_address((struct lb_pkt *)pkt)[0];
	if (pkt->family == 6)
		copy_address(reply->ends.destination,
			     client_address((struct lb_pkt *)pkt), 6);
}

/*
 * Would replies of the new flow of @pkt, from its backend's @port, be taken for another
 * service's?  Two services may share a backend, and nothing in a reply tells which of them
 * it is of; so a client's port belongs to the first one of them that it speaks to.
 */
__noinline int reply_is_taken(struct lb_pkt *pkt, __u32 port)
{
	struct lb_pkt *reply = lb_thought();
	const struct lb_backend *backend;

	if (!pkt || !reply)
		return 0;
	backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));

	think_of_reply(reply, pkt, backend, port);
	return reply_find_any(reply) && reply->service != pkt->service;
}

#endif /* LB_REPLY_BPF_H */
