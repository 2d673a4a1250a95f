/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tuple.bpf.h - what becomes of a flow's packet in the modes that translate.
 */
#ifndef LB_TUPLE_BPF_H
#define LB_TUPLE_BPF_H

#include "forward.bpf.h"
#include "translate.bpf.h"

/* The backend's port, as the client's choice may be. */
static __always_inline __be16 backend_port(const struct lb_pkt *pkt,
					   const struct lb_service *service,
					   const struct lb_backend *backend)
{
	if (backend->port)
		return backend->port;
	return pkt->flags & LB_PKT_WIDE ? pkt->origin_port : service->port;
}

/* The packet as it shall leave. */
static __always_inline void make_tuple(struct lb_pkt *pkt,
				       const struct lb_service *service,
				       const struct lb_backend *backend, struct tuple *to)
{
	bool full = service->forward == LB_FORWARD_FULLNAT,
	     exact = !(pkt->flags & LB_PKT_WIDE);
	const __be32 *origin = exact ? service->address : pkt->origin;

	to->hops = service->forward != LB_FORWARD_LOCAL;
	if (pkt->direction == LB_TO_BACKEND) {
		to->source = full ? origin : client_address(pkt);
		to->sport = pkt->nat_port;
		to->destination = backend->address;
		to->dport = backend_port(pkt, service, backend);
	} else {
		to->source = origin;
		to->sport = exact ? service->port : pkt->origin_port;
		to->destination = client_address(pkt);
		to->dport = client_port(pkt);
	}
}

#endif /* LB_TUPLE_BPF_H */
