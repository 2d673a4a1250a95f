/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * translate.bpf.h - other addresses and ports in a packet, its checksums right again.
 *
 * The change of the addresses and ports is gathered first and applied to each checksum
 * that covers them: the payload is never read, so 64 and 1514 bytes cost the same.
 */
#ifndef LB_TRANSLATE_BPF_H
#define LB_TRANSLATE_BPF_H

#include <stdbool.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "checksum.bpf.h"
#include "cursor.bpf.h"
#include "icmp.bpf.h"
#include <lb/abi.h>

/* What the packet's addresses and ports become, and how many hops it has come. */
struct tuple {
	const __be32 *source;
	const __be32 *destination;
	__be16 sport;
	__be16 dport;
	__u8 hops; /* 0 or 1 */
};

static __always_inline __u64 translate_ip4(struct iphdr *ip, const struct tuple *to)
{
	__u64 change = csum_change(ip->saddr, to->source[0]) +
		       csum_change(ip->daddr, to->destination[0]);
	/* TTL is the first byte of its word: one less is one less of that byte. */
	__u64 ttl = to->hops * csum_change(bpf_htons(0x0100), 0);

	ip->saddr = to->source[0];
	ip->daddr = to->destination[0];
	ip->ttl -= to->hops;
	ip->check = csum_apply(ip->check, change + ttl);
	return change;
}

static __always_inline __u64 translate_ip6(struct ipv6hdr *ip, const struct tuple *to)
{
	__u64 change = 0;

#pragma unroll
	for (int i = 0; i < 4; i++) {
		change += csum_change(ip->saddr.in6_u.u6_addr32[i], to->source[i]) +
			  csum_change(ip->daddr.in6_u.u6_addr32[i], to->destination[i]);
		ip->saddr.in6_u.u6_addr32[i] = to->source[i];
		ip->daddr.in6_u.u6_addr32[i] = to->destination[i];
	}
	ip->hop_limit -= to->hops;
	return change;
}

static __always_inline bool translate_tcp(struct xdp_md *ctx, const struct lb_pkt *pkt,
					  const struct tuple *to, __u64 change)
{
	struct tcphdr *tcp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*tcp));

	if (!tcp)
		return false;

	change += csum_change(tcp->source, to->sport) + csum_change(tcp->dest, to->dport);
	tcp->source = to->sport;
	tcp->dest = to->dport;
	tcp->check = csum_apply(tcp->check, change);
	return true;
}

/* No checksum (RFC 768) stays none; one that comes out as zero is sent as all ones. */
static __always_inline bool translate_udp(struct xdp_md *ctx, const struct lb_pkt *pkt,
					  const struct tuple *to, __u64 change)
{
	struct udphdr *udp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*udp));

	if (!udp)
		return false;

	change += csum_change(udp->source, to->sport) + csum_change(udp->dest, to->dport);
	udp->source = to->sport;
	udp->dest = to->dport;
	if (udp->check)
		udp->check = csum_apply(udp->check, change) ?: 0xffff;
	return true;
}

/* The identifier of an echo is where ports would be; ICMPv6 covers the addresses too. */
static __always_inline bool translate_icmp(struct xdp_md *ctx, const struct lb_pkt *pkt,
					   const struct tuple *to, __u64 change)
{
	struct icmp_header *icmp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*icmp));
	__be16 id = pkt->direction == LB_TO_BACKEND ? to->sport : to->dport;

	if (!icmp)
		return false;

	change = (pkt->protocol == IPPROTO_ICMPV6 ? change : 0) +
		 csum_change(icmp->id, id);
	icmp->id = id;
	icmp->check = csum_apply(icmp->check, change);
	return true;
}

/* TTL or hop limit, 0 if the packet does not reach that far. */
static __always_inline __u8 time_to_live(struct xdp_md *ctx, const struct lb_pkt *pkt,
					 int family)
{
	if (family == 4) {
		const struct iphdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		return ip ? ip->ttl : 0;
	} else {
		const struct ipv6hdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		return ip ? ip->hop_limit : 0;
	}
}

/* Translate the packet.  False: it is shorter than said. */
static __always_inline bool translate(struct xdp_md *ctx, const struct lb_pkt *pkt,
				      int family, const struct tuple *to)
{
	__u64 change;

	if (family == 4) {
		struct iphdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return false;
		change = translate_ip4(ip, to);
	} else {
		struct ipv6hdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return false;
		change = translate_ip6(ip, to);
	}

	if (pkt->protocol == IPPROTO_TCP)
		return translate_tcp(ctx, pkt, to, change);
	if (pkt->protocol == IPPROTO_UDP)
		return translate_udp(ctx, pkt, to, change);
	return translate_icmp(ctx, pkt, to, change);
}

#endif /* LB_TRANSLATE_BPF_H */
