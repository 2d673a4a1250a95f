// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_icmp_nat - an ICMP error about a flow whose packets are translated.
 *
 * It goes to the flow's other end and quotes a packet that this end has sent.  The client
 * never sees a backend's address, nor a backend, in fullnat, the client's: to them the error
 * comes from the service.  In nat and local mode a backend is told who complains.
 *
 * in:   lb_pkt as lb_icmp, lb_wide or lb_reply left it, with LB_PKT_ERROR
 * out:  XDP_TX, or XDP_REDIRECT by another interface; XDP_PASS with a mark for lb_resolve
 *       if the kernel has to find the next hop; plain XDP_PASS of local
 * else: XDP_DROP with a reason
 */
#include <stddef.h>

#include "ip_end.bpf.h"
#include "send.bpf.h"
#include "tuple.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_ICMP_NAT;

#define QUOTE_LIMIT 0x7fff /* both headers may have options and extensions */

/* Translate the ports of the quote, or the identifier: what that adds to a sum. */
static __always_inline __u64 translate_ports(struct xdp_md *ctx, const struct lb_pkt *pkt,
					     const struct tuple *to)
{
	__be16 *half = packet_at(ctx, pkt->quoted, QUOTE_LIMIT, 8);
	__u64 change;

	if (!half)
		return 0;
	if (is_icmp(pkt->protocol)) {
		__be16 id = pkt->direction == LB_TO_BACKEND ? to->dport : to->sport;

		change = csum_change(half[2], id);
		half[2] = id;
		return change;
	}
	change = csum_change(half[0], to->sport) + csum_change(half[1], to->dport);
	half[0] = to->sport;
	half[1] = to->dport;
	return change;
}

/* Where the checksum is that covers the quoted packet's ports. */
static __always_inline __u32 check_offset(const struct lb_pkt *pkt)
{
	if (pkt->protocol == IPPROTO_TCP)
		return pkt->quoted + offsetof(struct tcphdr, check);
	if (pkt->protocol == IPPROTO_UDP)
		return pkt->quoted + offsetof(struct udphdr, check);
	return pkt->quoted + offsetof(struct icmp_header, check);
}

/* Mend the checksum over what changed by @change, if it is in the quote. */
static __always_inline __u64 translate_check(struct xdp_md *ctx, const struct lb_pkt *pkt,
					     __u64 change, __u32 end)
{
	bool udp = pkt->protocol == IPPROTO_UDP;
	__u32 at = check_offset(pkt);
	__u16 *check = packet_at(ctx, at, QUOTE_LIMIT, 2), was;

	if (!check || at + sizeof(*check) > end)
		return 0;
	was = *check;
	if (udp && !was)
		return 0;
	*check = csum_apply(was, change);
	if (udp && !*check)
		*check = 0xffff;
	return csum_change(was, *check);
}

/* The addresses of an IP header and its checksum: what that adds to a sum over it. */
static __always_inline __u64 translate_quoted_ip(struct xdp_md *ctx,
						 const struct lb_pkt *pkt, int family,
						 const struct tuple *to,
						 __u64 *ret_pseudo)
{
	__u32 at = pkt->l4 + sizeof(struct icmp_header);

	if (family == 4) {
		struct iphdr *ip = packet_at(ctx, at, QUOTE_LIMIT, sizeof(*ip));
		__u16 was;

		if (!ip)
			return 0;
		was = ip->check;
		*ret_pseudo = translate_ip4(ip, to);
		return *ret_pseudo + csum_change(was, ip->check);
	} else {
		struct ipv6hdr *ip = packet_at(ctx, at, QUOTE_LIMIT, sizeof(*ip));

		if (!ip)
			return 0;
		*ret_pseudo = translate_ip6(ip, to);
		return *ret_pseudo;
	}
}

/* Translate the quote: what that adds to a sum over it. */
static __always_inline __u64 translate_quote(struct xdp_md *ctx, const struct lb_pkt *pkt,
					     int family, const struct tuple *to)
{
	__u32 end = ip_end(ctx, pkt, family);
	__u64 pseudo = 0, ip, ports;

	ip = translate_quoted_ip(ctx, pkt, family, to, &pseudo);
	ports = translate_ports(ctx, pkt, to);
	if (pkt->protocol == IPPROTO_ICMP) /* its checksum has no addresses */
		pseudo = 0;
	return ip + ports + translate_check(ctx, pkt, pseudo + ports, end);
}

/* The IP header of the error: what that adds to the checksum of ICMPv6. */
static __always_inline __u64 translate_ip(struct xdp_md *ctx, const struct lb_pkt *pkt,
					  int family, struct tuple *to, bool keep_source)
{
	if (family == 4) {
		struct iphdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));
		__be32 source;

		if (!ip)
			return 0;
		source = ip->saddr;
		if (keep_source)
			to->source = &source;
		translate_ip4(ip, to);
		return 0;
	} else {
		struct ipv6hdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));
		__be32 source[4];

		if (!ip)
			return 0;
		copy_address(source, ip->saddr.in6_u.u6_addr32, 6);
		if (keep_source)
			to->source = source;
		return translate_ip6(ip, to);
	}
}

/* @to: what a packet of the flow that went the same way as the error would have. */
static __always_inline bool translate_error(struct xdp_md *ctx, const struct lb_pkt *pkt,
					    int family, struct tuple *to,
					    bool keep_source)
{
	const struct tuple quote = {
		.source = to->destination,
		.destination = to->source,
		.sport = to->dport,
		.dport = to->sport,
	};
	__u64 change = translate_quote(ctx, pkt, family, &quote);
	struct icmp_header *icmp;

	change += translate_ip(ctx, pkt, family, to, keep_source);
	icmp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*icmp));
	if (!icmp)
		return false;
	icmp->check = csum_apply(icmp->check, change);
	return true;
}

static __always_inline int icmp_nat(struct xdp_md *ctx, struct lb_pkt *pkt, int family)
{
	const struct lb_service *service = service_get(pkt->service);
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));
	enum lb_reason reason;
	struct next_hop hop = {};
	struct tuple to;

	make_tuple(pkt, service, backend, &to);
	if (to.hops && time_to_live(ctx, pkt, family) <= 1)
		return lb_drop(ctx, pkt, LB_REASON_TTL_EXPIRED);
	if (READ_ONCE(backend->state) == LB_BACKEND_DOWN)
		return lb_drop(ctx, pkt, LB_REASON_BACKEND_DOWN);
	/* Before the next hop is known: so the verifier sees far fewer combinations. */
	if (!translate_error(ctx, pkt, family, &to,
			     pkt->direction == LB_TO_BACKEND &&
				     service->forward != LB_FORWARD_FULLNAT))
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	if (!to.hops)
		return lb_forward(ctx, pkt, LB_REASON_ICMP_ERROR, XDP_PASS);
	if (pkt->direction == LB_TO_CLIENT)
		reason = hop_to_client(ctx, pkt, family, service->address, &hop);
	else
		reason = hop_to_backend(ctx, pkt, family, service->address, &hop);
	if (reason)
		return lb_drop(ctx, pkt, reason);
	return send(ctx, pkt, &hop, LB_REASON_ICMP_ERROR);
}

SEC("xdp")
int lb_icmp_nat(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return lb_abort();
	if (pkt->family == 4)
		return icmp_nat(ctx, pkt, 4);
	return icmp_nat(ctx, pkt, 6);
}

char _license[] SEC("license") = "GPL";
