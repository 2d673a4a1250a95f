// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_parse - read the headers once, find the service and the flow.
 *
 * in:   an Ethernet frame
 * out:  lb_pkt holds everything but the backend of a new flow (version 0).  A known flow
 *       or a reply goes to what forwards it (pkt->stage), a new flow to the policy that its
 *       service's table names; what cannot be told from address and port alone goes to
 *       lb_wide or lb_reply, with pkt->ends; an ICMP error to lb_icmp
 * else: XDP_PASS for what is not for a service, untouched; XDP_DROP with a reason for what
 *       is, but cannot be served
 */
#include "headers.bpf.h"
#include "find.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_PARSE;

/* While packets are traced, begin once more when this one is kept as it came. */
static __always_inline void capture(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	__u8 captured = pkt->captured;

	pkt->captured = LB_NOT_CAPTURED;
	if (!READ_ONCE(lb_switches.trace))
		return;
	if (captured == LB_CAPTURING)
		pkt->captured = LB_CAPTURED;
	else
		lb_go(ctx, LB_STAGE_CAPTURE);
}

/* Without ports, or not to be told from one without: the first of several fragments. */
static __always_inline int fragment(struct xdp_md *ctx, struct lb_pkt *pkt,
				    const struct headers *h, int family)
{
	__u32 service = 0;

	if (!(h->special & LATER_FRAGMENT))
		service = find_endpoint(family, h->ends.destination, h->ends.dport,
					pkt->protocol, LB_ENDPOINT_SERVICE);
	if (service) {
		set_service(pkt, service);
		return lb_drop(ctx, pkt, LB_REASON_FRAGMENT);
	}
	pkt->flags |= LB_PKT_NO_PORTS;
	if (READ_ONCE(lb_switches.wide))
		return go_further(ctx, pkt, &h->ends, 0, false);
	if (!(h->special & LATER_FRAGMENT) &&
	    LB_REPLIES_FULLNAT(find_backend(&h->ends, pkt->protocol, family)))
		return stray_reply(ctx, pkt, &h->ends, family, LB_REASON_FRAGMENT);
	return lb_leave(ctx, pkt, LB_REASON_NOT_OURS, XDP_PASS);
}

static __always_inline int icmp_error(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	lb_go(ctx, LB_STAGE_ICMP);
	return lb_leave(ctx, pkt, LB_REASON_NOT_OURS, XDP_PASS);
}

static __always_inline int echo(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	pkt->service = LB_NO_SERVICE;
	pkt->backend = LB_NO_BACKEND;
	return lb_tell(ctx, pkt, LB_ANSWER_ECHO, LB_REASON_ECHO);
}

/* @c is at the IP header. */
static __always_inline int find(struct xdp_md *ctx, struct lb_pkt *pkt, struct cursor *c,
				int family)
{
	struct headers h = {};
	enum lb_reason reason;

	reason = parse_packet(c, (void *)(long)ctx->data, &h, pkt, family);
	if (reason)
		return lb_leave(ctx, pkt, reason, XDP_PASS);
	pkt->now = bpf_jiffies64();
	if (h.special) {
		if (h.special & (FIRST_FRAGMENT | LATER_FRAGMENT))
			return fragment(ctx, pkt, &h, family);
		if (h.special & ICMP_ERROR)
			return icmp_error(ctx, pkt);
		if (find_endpoint(family, h.ends.destination, 0, pkt->protocol,
				  LB_ENDPOINT_PING))
			return echo(ctx, pkt);
	}
	return find_flow(ctx, pkt, &h.ends, family);
}

SEC("xdp")
int lb_parse(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();
	struct cursor c = cursor_init(ctx);
	enum lb_reason reason;

	if (!pkt)
		return lb_abort();
	capture(ctx, pkt);
	reason = parse_to_ip(&c, pkt);
	if (reason)
		return lb_leave(ctx, pkt, reason, XDP_PASS);
	if (pkt->family == 4)
		return find(ctx, pkt, &c, 4);
	return find(ctx, pkt, &c, 6);
}

char _license[] SEC("license") = "GPL";
