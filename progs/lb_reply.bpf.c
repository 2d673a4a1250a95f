// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_reply - replies that lb_parse cannot tell: of nat and local services, which carry no
 * translated port, and of IPv4 flows in the large table.
 *
 * in:   lb_pkt with pkt->ends, from a backend's port; with LB_PKT_SERVICE, pkt->service is
 *       the service that it would be a new flow of
 * out:  lb_pkt with the flow, towards the client: to lb_rewrite.  What is no reply goes
 *       the way of new flows, or to lb_wide with LB_PKT_NO_REPLY
 * else: XDP_PASS for what is not ours, XDP_DROP for a stray reply
 */
#include "nat.bpf.h"
#include "new_flow.bpf.h"
#include "reply.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_REPLY;

static __always_inline bool agrees(struct lb_pkt *pkt)
{
	__u32 id = ((struct lb_flow_key6 *)pkt->key)->service;
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));
	const struct lb_service *service = service_get(id);

	if (!wide_origin(pkt))
		return false;

	pkt->service = id;
	pkt->flags |= LB_PKT_WIDE;
	return READ_ONCE(backend->ref) == pkt->backend &&
	       pkt->nat_port == pkt->ends.dport &&
	       (backend->port ?: pkt->origin_port) == pkt->ends.sport &&
	       service->protocol == pkt->protocol &&
	       address_equal(backend->address, pkt->ends.source, 6) &&
	       address_equal(pkt->origin, pkt->ends.destination, 6);
}

/* By the translated port, in the large table. */
static __always_inline bool find_translated(struct lb_pkt *pkt)
{
	union nat_tuple t = {};

	copy_address(t.v6.backend, pkt->ends.source, 6);
	copy_address(t.v6.address, pkt->ends.destination, 6);
	t.v6.backend_port = pkt->ends.sport;
	t.v6.nat_port = pkt->ends.dport;
	t.v6.protocol = pkt->protocol;
	pkt->table = 6;
	pkt->direction = LB_TO_CLIENT;
	if (!nat_find(pkt, 6, &t) || !agrees(pkt))
		return false;

	nat_touch(pkt, 6);
	return true;
}

static __always_inline bool is_reply(struct lb_pkt *pkt, __u32 replies)
{
	if (LB_REPLIES_FULLNAT(replies) && find_translated(pkt))
		return true;
	pkt->flags &= ~LB_PKT_WIDE;
	return reply_find(pkt, LB_REPLIES_FIRST(replies));
}

/* The flow is found: to what translates it. */
static __always_inline int go_back(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	const struct lb_service *service = service_get(pkt->service);

	pkt->stage = LB_STAGE_REWRITE;
	if (pkt->flags & LB_PKT_ERROR)
		pkt->stage = LB_STAGE_ICMP_NAT;
	else if ((pkt->tcp_flags & TCP_SYN) && service->mss)
		pkt->stage = LB_STAGE_MSS;
	return lb_go_forward(ctx, pkt);
}

static __always_inline int no_reply(struct xdp_md *ctx, struct lb_pkt *pkt, int family,
				    __u32 service)
{
	pkt->flags &= ~LB_PKT_WIDE;
	pkt->flags |= LB_PKT_NO_REPLY;
	if (service) {
		set_service(pkt, service);
		make_key(pkt, &pkt->ends, family);
		return new_flow(ctx, pkt);
	}
	lb_go(ctx, LB_STAGE_WIDE);
	pkt->backend = LB_NO_BACKEND;
	return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
}

static __always_inline int reply(struct xdp_md *ctx, struct lb_pkt *pkt, int family)
{
	__u32 service = 0, replies;

	if (pkt->flags & LB_PKT_SERVICE)
		service = find_endpoint(family, pkt->ends.destination, pkt->ends.dport,
					pkt->protocol, LB_ENDPOINT_SERVICE);
	replies = find_backend(&pkt->ends, pkt->protocol, family);
	if (replies && is_reply(pkt, replies))
		return go_back(ctx, pkt);
	replies = find_any_port_backend(&pkt->ends, family, pkt->protocol);
	if (replies && is_reply(pkt, replies))
		return go_back(ctx, pkt);
	return no_reply(ctx, pkt, family, service);
}

SEC("xdp")
int lb_reply(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return lb_abort();
	if (pkt->family == 4)
		return reply(ctx, pkt, 4);
	return reply(ctx, pkt, 6);
}

char _license[] SEC("license") = "GPL";
