// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_rewrite - commit the flow, translate the packet (full NAT), send it.
 *
 * in:   lb_pkt as lb_parse left it; of a new flow (version 0) also the backend's id, from
 *       the policy
 * out:  XDP_TX, or XDP_REDIRECT by another interface; XDP_PASS with a mark for lb_resolve
 *       if the kernel has to find the next hop
 * else: XDP_DROP with a reason; a new flow may be there all the same
 */
#include "nat_claim.bpf.h"
#include "next_hop.bpf.h"
#include "services.bpf.h"
#include "translate.bpf.h"

static __always_inline __be32 *client_address(struct lb_pkt *pkt)
{
	return (__be32 *)pkt->key; /* both keys begin with it */
}

static __always_inline __be16 client_port(struct lb_pkt *pkt, int family)
{
	return family == 4 ? ((struct lb_flow_key4 *)pkt->key)->port
			   : ((struct lb_flow_key6 *)pkt->key)->port;
}

/* Where the search for a translated port begins: see nat_claim.bpf.h. */
static __always_inline __u32 first_port(struct lb_pkt *pkt, int family)
{
	__u64 h = lb_hash_step(lb_params.seed[0], client_address(pkt)[0], lb_params.seed);

	if (family == 6) {
		h = lb_hash_step(h, pkt->key[0], lb_params.seed);
		h = lb_hash_step(h, pkt->key[1], lb_params.seed);
	}
	return (__u16)(lb_hash_end(h, lb_params.seed) >> 40) +
	       bpf_ntohs(client_port(pkt, family));
}

static __always_inline __be16 claim_port(struct lb_pkt *pkt, int family,
					 const struct lb_service *service,
					 const struct lb_backend *backend,
					 const struct flow_place *p)
{
	/* One load: lbctl may be writing, and half of each range is none. */
	union {
		__u32 word;
		__u16 port[2];
	} range = { READ_ONCE(*(const __u32 *)&service->port_low) };
	union nat_tuple t = {};

	if (family == 4) {
		t.v4.backend = backend->address[0];
		t.v4.address = service->address[0];
		t.v4.backend_port = backend->port;
		t.v4.protocol = pkt->protocol;
	} else {
		__builtin_memcpy(t.v6.backend, backend->address, 16);
		__builtin_memcpy(t.v6.address, service->address, 16);
		t.v6.backend_port = backend->port;
		t.v6.protocol = pkt->protocol;
	}
	return nat_claim(family, &t, first_port(pkt, family), range.port[0],
			 range.port[1], p, pkt->now);
}

/* Enter a new flow with the backend that the policy chose, unless another CPU just did. */
static __always_inline enum lb_reason commit(struct lb_pkt *pkt, int family,
					     const struct lb_service *service)
{
	bool tcp = pkt->protocol == IPPROTO_TCP;
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));
	struct flow_place p;
	enum lb_reason reason;

	if (!backend || !READ_ONCE(backend->ref) ||
	    READ_ONCE(backend->state) == LB_BACKEND_DOWN)
		return LB_REASON_NO_BACKEND;
	pkt->backend = READ_ONCE(backend->ref);

	reason = flow_reserve(pkt, family, tcp, &p);
	if (reason)
		return reason == LB_REASON_KNOWN_FLOW ? LB_REASON_NONE : reason;

	pkt->nat_port = claim_port(pkt, family, service, backend, &p);
	if (!pkt->nat_port) {
		flow_abandon(&p);
		return LB_REASON_NO_PORT;
	}
	pkt->hop = 0;
	/* Now: the search for the flow may have copied a dead one. */
	pkt->way = LB_WAY(tcp ? LB_FLOW_HALF_OPEN : LB_FLOW_DATAGRAM, service->profile);
	flow_publish(pkt, family, &p);
	return LB_REASON_NONE;
}

/* Apart from the packet's way, so that the verifier sees their many ends as one. */
static __noinline enum lb_reason commit4(struct lb_pkt *pkt,
					 const struct lb_service *service)
{
	return commit(pkt, 4, service);
}

static __noinline enum lb_reason commit6(struct lb_pkt *pkt,
					 const struct lb_service *service)
{
	return commit(pkt, 6, service);
}

/* The packet as it shall leave. */
static __always_inline void make_tuple(struct lb_pkt *pkt, int family,
				       const struct lb_service *service,
				       const struct lb_backend *backend, struct tuple *to)
{
	to->source = service->address;
	if (pkt->direction == LB_TO_BACKEND) {
		to->sport = pkt->nat_port;
		to->destination = backend->address;
		to->dport = backend->port;
	} else {
		to->sport = service->port;
		to->destination = client_address(pkt);
		to->dport = client_port(pkt, family);
	}
}

/* Have the kernel send it by @ifindex: leave the mark that lb_resolve looks for. */
static __always_inline int send_by_kernel(struct xdp_md *ctx, struct lb_pkt *pkt,
					  const struct next_hop *hop)
{
	struct lb_mark *mark;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*mark)))
		return lb_drop(pkt, LB_REASON_ABORTED);
	mark = (void *)(long)ctx->data_meta;
	if ((void *)(mark + 1) > (void *)(long)ctx->data)
		return lb_drop(pkt, LB_REASON_ABORTED);

	mark->magic = LB_MARK_MAGIC;
	mark->ifindex = hop->ifindex;
	return lb_forward(pkt, hop->reason, XDP_PASS);
}

static __always_inline int send_by_xdp(struct xdp_md *ctx, struct lb_pkt *pkt, __u64 to,
				       enum lb_reason reason)
{
	__u32 slot = LB_HOP_DEVICE(to);
	const struct lb_device *dev = bpf_map_lookup_elem(&lb_devices, &slot);
	__u8 *eth = packet_at(ctx, 0, 0, ETH_HLEN);

	if (!dev || !eth)
		return lb_drop(pkt, LB_REASON_ABORTED);

	*(__u32 *)eth = to;
	*(__u16 *)(eth + 4) = to >> 32;
	__builtin_memcpy(eth + ETH_ALEN, dev->mac, ETH_ALEN);

	if (dev->ifindex == ctx->ingress_ifindex)
		return lb_forward(pkt, reason, XDP_TX);
	if (bpf_redirect_map(&lb_egress, slot, XDP_DROP) != XDP_REDIRECT)
		return lb_drop(pkt, LB_REASON_NO_DEVICE);
	return lb_forward(pkt, reason, XDP_REDIRECT);
}

/* A known flow's packet may end its TCP connection, or confirm it. */
static __always_inline enum lb_reason follow(struct lb_pkt *pkt, int family,
					     enum lb_reason *ret_sent)
{
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));
	__u32 state = LB_WAY_STATE(pkt->way), next;

	if (!backend || READ_ONCE(backend->state) == LB_BACKEND_DOWN)
		return LB_REASON_BACKEND_DOWN;

	next = flow_next_state(pkt->protocol, state, pkt->direction, pkt->tcp_flags);
	if (next != state)
		flow_change_state(pkt, family, next);
	*ret_sent = pkt->direction == LB_TO_BACKEND ? LB_REASON_KNOWN_FLOW
						    : LB_REASON_REPLY;
	return LB_REASON_NONE;
}

static __always_inline int rewrite(struct xdp_md *ctx, struct lb_pkt *pkt, int family)
{
	const struct lb_service *service = service_get(pkt->service);
	enum lb_reason reason, sent = LB_REASON_NEW_FLOW;
	const struct lb_backend *backend;
	struct next_hop hop = {};
	struct tuple to;

	if (!service)
		return lb_drop(pkt, LB_REASON_ABORTED);
	if (time_to_live(ctx, pkt, family) <= 1)
		return lb_drop(pkt, LB_REASON_TTL_EXPIRED);

	if (pkt->version)
		reason = follow(pkt, family, &sent);
	else
		reason = family == 4 ? commit4(pkt, service) : commit6(pkt, service);
	if (reason)
		return lb_drop(pkt, reason);
	backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));
	if (!backend)
		return lb_drop(pkt, LB_REASON_ABORTED);

	if (pkt->direction == LB_TO_BACKEND)
		reason = hop_to_backend(ctx, pkt, family, service, backend, &hop);
	else
		reason = hop_to_client(ctx, pkt, family, service, &hop);
	if (reason)
		return lb_drop(pkt, reason);

	make_tuple(pkt, family, service, backend, &to);
	if (!translate(ctx, pkt, family, &to))
		return lb_drop(pkt, LB_REASON_ABORTED);
	if (hop.ifindex)
		return send_by_kernel(ctx, pkt, &hop);
	return send_by_xdp(ctx, pkt, hop.to, sent);
}

SEC("xdp")
int lb_rewrite(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return lb_leave(LB_REASON_ABORTED, XDP_ABORTED);
	if (pkt->family == 4)
		return rewrite(ctx, pkt, 4);
	return rewrite(ctx, pkt, 6);
}

char _license[] SEC("license") = "GPL";
