/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * forward.bpf.h - what every forward mode does with the flow before it touches the packet:
 * enter a new one, follow a known one.
 */
#ifndef LB_FORWARD_BPF_H
#define LB_FORWARD_BPF_H

#include "flow_write.bpf.h"
#include "services.bpf.h"

/* The port that a new flow's backend sees; 0: none is free.  Also does flow_clear(). */
typedef __be16 nat_port_fn(struct lb_pkt *pkt, int table,
			   const struct lb_service *service,
			   const struct lb_backend *backend, struct flow_place *p);

static __always_inline __be32 *client_address(struct lb_pkt *pkt)
{
	return (__be32 *)pkt->key; /* both keys begin with it */
}

static __always_inline __be16 client_port(const struct lb_pkt *pkt)
{
	return pkt->table == 4 ? ((const struct lb_flow_key4 *)pkt->key)->port
			       : ((const struct lb_flow_key6 *)pkt->key)->port;
}

static __always_inline const struct lb_backend *pkt_backend(const struct lb_pkt *pkt)
{
	return backend_get(pkt->backend); /* of the reference, the id is the low bits */
}

/* The backend that the policy chose, if it can be had; pkt->backend becomes its reference. */
static __always_inline const struct lb_backend *chosen_backend(struct lb_pkt *pkt)
{
	const struct lb_backend *backend = pkt_backend(pkt);

	if (!READ_ONCE(backend->ref) || READ_ONCE(backend->state) == LB_BACKEND_DOWN)
		return NULL;
	pkt->backend = READ_ONCE(backend->ref);
	return backend;
}

/* Where the client sent to, in pkt->origin: of a wide flow it is there already. */
static __always_inline void set_origin(struct lb_pkt *pkt,
				       const struct lb_service *service)
{
	if (pkt->flags & LB_PKT_WIDE)
		return;
	__builtin_memcpy(pkt->origin, service->address, sizeof(pkt->origin));
	pkt->origin_port = service->port;
}

/*
 * Enter a new flow with the backend that the policy chose, unless another CPU just did.
 * @table and @nat_port are constants; NULL: ports are not translated.
 */
static __always_inline enum lb_reason commit(struct lb_pkt *pkt, int table,
					     const struct lb_service *service,
					     nat_port_fn *nat_port)
{
	bool tcp = pkt->protocol == IPPROTO_TCP;
	const struct lb_backend *backend = chosen_backend(pkt);
	struct flow_place p;
	enum lb_reason reason;

	if (!backend)
		return LB_REASON_EMPTY_DROP;
	reason = flow_reserve(pkt, table, tcp, &p);
	if (reason)
		return reason == LB_REASON_KNOWN_FLOW ? LB_REASON_NONE : reason;

	if (nat_port && service->forward == LB_FORWARD_FULLNAT) {
		pkt->nat_port = nat_port(pkt, table, service, backend, &p);
		if (!pkt->nat_port) {
			flow_abandon(&p);
			return LB_REASON_NO_PORT;
		}
	} else {
		pkt->nat_port = client_port(pkt);
		flow_clear(&p, table);
	}
	pkt->hop = 0;
	/* Now: the search for the flow may have copied a dead one. */
	pkt->way = LB_WAY(tcp ? LB_FLOW_HALF_OPEN : LB_FLOW_DATAGRAM, service->profile);
	flow_publish(pkt, table, &p);
	return LB_REASON_NONE;
}

/* Global, like all that few packets need: the verifier looks at it once, not for each way
 * in which it may be reached. */
__noinline int change_state(struct lb_pkt *pkt, __u32 state)
{
	if (!pkt)
		return 0;
	if (pkt->table == 4)
		flow_change_state(pkt, 4, state);
	else
		flow_change_state(pkt, 6, state);
	return 0;
}

/*
 * Why a packet is sent that had no flow.  By way of memory: else the verifier goes through
 * all that follows once for each reason.
 */
static __always_inline enum lb_reason sent_first(struct lb_pkt *pkt)
{
	pkt->reason = pkt->flags & LB_PKT_ERROR	    ? LB_REASON_ICMP_ERROR
		      : pkt->flags & LB_PKT_UNKNOWN ? LB_REASON_UNKNOWN_SENT
						    : LB_REASON_NEW_FLOW;
	return READ_ONCE(pkt->reason);
}

/* A known flow's packet, of @backend, may end its TCP connection, or confirm it. */
static __always_inline enum lb_reason
follow(struct lb_pkt *pkt, const struct lb_backend *backend, enum lb_reason *ret_sent)
{
	__u32 state = LB_WAY_STATE(pkt->way), next;

	if (READ_ONCE(backend->state) == LB_BACKEND_DOWN)
		return LB_REASON_BACKEND_DOWN;
	if (pkt->flags & LB_PKT_ERROR) {
		*ret_sent = LB_REASON_ICMP_ERROR;
		return LB_REASON_NONE;
	}

	next = flow_next_state(pkt->protocol, state, pkt->direction, pkt->tcp_flags);
	if (next != state)
		change_state(pkt, next);
	*ret_sent = pkt->direction == LB_TO_BACKEND ? LB_REASON_KNOWN_FLOW
						    : LB_REASON_REPLY;
	return LB_REASON_NONE;
}

#endif /* LB_FORWARD_BPF_H */
