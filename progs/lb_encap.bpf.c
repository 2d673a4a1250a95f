// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_encap - the packet as it is, in an outer header to its backend: ipip and gue.
 *
 * The backend takes the outer header off, has the service's address itself, and answers the
 * client directly.  Client and backend may be of different families.
 *
 * in:   lb_pkt as lb_parse, lb_wide or lb_icmp left it; of a new flow (version 0) also the
 *       backend's id, from the policy
 * out:  XDP_TX or XDP_REDIRECT; XDP_PASS with a mark for lb_resolve if the kernel has to
 *       find the next hop; to lb_answer if it would not fit the way there
 * else: XDP_DROP with a reason; a new flow may be there all the same
 *
 * In skb mode a packet may be a train of segments that the kernel would cut on the way out.
 * It cannot cut them inside of our header: who sends such trains (the host itself, a veth
 * peer) must not be asked to ("ethtool -K DEV tso off gso off").
 */
#include "encap.bpf.h"
#include "mtu.bpf.h"
#include "one_way.bpf.h"
#include "send.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_ENCAP;

static __always_inline const struct lb_source *source_get(__u32 index)
{
	return LB_OPAQUE(&lb_records.sources[LB_BELOW(LB_MAX_SOURCES, index)]);
}

/* The outer header's ends and size. */
static __always_inline enum lb_reason choose_outer(const struct lb_pkt *pkt,
						   const struct lb_service *service,
						   const struct lb_backend *backend,
						   int family, struct outer *o)
{
	__u32 index = backend->source;
	const struct lb_source *from = source_get(index);

	if (!index || (int)from->family != family)
		return LB_REASON_NO_SOURCE;

	o->family = family;
	o->gue = service->forward == LB_FORWARD_GUE;
	o->hash = pkt->hash;
	o->destination = backend->address;
	o->size = (o->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) +
		  (o->gue ? sizeof(struct udphdr) : 0);
	spread_source(o, from);
	return LB_REASON_NONE;
}

/* What the outer header has from the inner packet. */
static __always_inline bool read_inner(struct xdp_md *ctx, const struct lb_pkt *pkt,
				       struct outer *o, struct ip_size *ret_size)
{
	bool sum = o->gue && o->family == 6;

	if (!read_size(ctx, pkt, ret_size))
		return false;
	if (pkt->family == 4) {
		o->carries = IPPROTO_IPIP;
		o->summed = sum && sum_ip4(ctx, pkt, &o->sum);
	} else {
		o->carries = IPPROTO_IPV6;
		o->summed = sum && sum_ip6(ctx, pkt, &o->sum);
	}
	o->inner = ret_size->length;
	o->tos = ret_size->tos;
	o->may_fragment = may_fragment(ret_size);
	return true;
}

/* What fits inside, going by the way's MTU; if that is not known, by IP's limit. */
static __always_inline __s32 inner_mtu(const struct next_hop *hop, const struct outer *o)
{
	__s32 mtu = hop->mtu && hop->mtu < 0xffff ? hop->mtu : 0xffff;

	return mtu - o->size;
}

/* @family, a constant, is that of the outer header. */
static __always_inline int send_inside(struct xdp_md *ctx, struct lb_pkt *pkt,
				       const struct lb_service *service,
				       const struct lb_backend *backend, int family,
				       enum lb_reason sent)
{
	struct outer o = {};
	struct next_hop hop = {};
	struct ip_size size;
	enum lb_reason reason = choose_outer(pkt, service, backend, family, &o);

	if (!reason)
		reason = hop_to_backend(ctx, pkt, family, o.source, &hop);
	if (!reason && !read_inner(ctx, pkt, &o, &size))
		reason = LB_REASON_ABORTED;
	if (reason)
		return lb_drop(ctx, pkt, reason);
	if (size.length > inner_mtu(&hop, &o))
		return too_big(ctx, pkt, &size, inner_mtu(&hop, &o));
	if (!encapsulate(ctx, pkt, &o, !writes_ethernet(pkt, &hop)))
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	return send(ctx, pkt, &hop, sent);
}

SEC("xdp")
int lb_encap(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();
	const struct lb_service *service;
	const struct lb_backend *backend;
	enum lb_reason reason, sent;

	if (!pkt)
		return lb_abort();
	service = service_get(pkt->service);
	reason = one_way(pkt, service, &sent);
	if (reason)
		return lb_drop(ctx, pkt, reason);
	backend = pkt_backend(pkt);
	if (backend->family == 4)
		return send_inside(ctx, pkt, service, backend, 4, sent);
	return send_inside(ctx, pkt, service, backend, 6, sent);
}

char _license[] SEC("license") = "GPL";
