/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mtu.bpf.h - a packet that does not fit the way out: who is told, and what would fit.
 *
 * Nothing is fragmented here.  Who forbids fragments, by IPv4's DF or by speaking IPv6, is
 * told the size that fits; who does not would not listen.
 */
#ifndef LB_MTU_BPF_H
#define LB_MTU_BPF_H

#include "chain.bpf.h"
#include "headers.bpf.h"
#include "next_hop.bpf.h"

/* What all links carry, and senders go down to (RFC 791, RFC 8200). */
#define IP4_MIN_MTU 68
#define IP6_MIN_MTU 1280

/* Of the packet in hand, as its own IP header says. */
struct ip_size {
	__u16 length;	 /* from the IP header on: Ethernet may have padded it */
	__be16 fragment; /* as in IPv4's header; of IPv6 IP4_DF, which it is by its nature */
	__u8 tos;	 /* DSCP and ECN */
};

static __always_inline bool may_fragment(const struct ip_size *size)
{
	return !(size->fragment & bpf_htons(IP4_DF));
}

static __always_inline bool read_size(struct xdp_md *ctx, const struct lb_pkt *pkt,
				      struct ip_size *ret)
{
	if (pkt->family == 4) {
		const struct iphdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return false;
		ret->length = bpf_ntohs(ip->tot_len);
		ret->fragment = ip->frag_off;
		ret->tos = ip->tos;
	} else {
		const struct ipv6hdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return false;
		ret->length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
		ret->fragment = bpf_htons(IP4_DF);
		ret->tos = bpf_ntohs(*(const __be16 *)ip) >> 4;
	}
	return true;
}

/* An error about an error is forbidden, and so is one about a later fragment (RFC 1122). */
static __always_inline int too_big(struct xdp_md *ctx, struct lb_pkt *pkt,
				   const struct ip_size *size, __s32 fits)
{
	__s32 least = pkt->family == 4 ? IP4_MIN_MTU : IP6_MIN_MTU;

	bool later = size->fragment & bpf_htons(IP4_OFFSET);

	if ((pkt->flags & LB_PKT_ERROR) || may_fragment(size) || later)
		return lb_drop(ctx, pkt, LB_REASON_TOO_BIG_DROP);
	pkt->mtu = fits > least ? fits : least;
	return lb_tell(ctx, pkt, LB_ANSWER_TOO_BIG, LB_REASON_TOO_BIG);
}

static __always_inline bool came_in_skb_mode(const struct xdp_md *ctx)
{
	__u32 ifindex = ctx->ingress_ifindex;
	const __u32 *slot = bpf_map_lookup_elem(&lb_device_slots, &ifindex);

	return slot && device_get(*slot)->mode == LB_MODE_SKB;
}

/*
 * Is the packet longer than the way takes?  One load, as a rule.  In skb mode it may be a
 * train of segments, which the kernel cuts on the way out; so there it is let go.
 */
static __always_inline bool is_too_long(const struct xdp_md *ctx,
					const struct lb_pkt *pkt,
					const struct next_hop *hop)
{
	return hop->mtu && pkt->length - pkt->l3 > hop->mtu && !came_in_skb_mode(ctx);
}

/* What is_too_long() said of a packet that would leave no longer than it came. */
static __always_inline int too_long(struct xdp_md *ctx, struct lb_pkt *pkt,
				    const struct next_hop *hop)
{
	struct ip_size size;

	if (!read_size(ctx, pkt, &size))
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	return too_big(ctx, pkt, &size, hop->mtu);
}

#endif /* LB_MTU_BPF_H */
