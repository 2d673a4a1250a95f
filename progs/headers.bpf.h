/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * headers.bpf.h - from the Ethernet header to the ports, once.
 *
 * One function per layer; each answers with the reason to leave, or 0 to go on.
 */
#ifndef LB_HEADERS_BPF_H
#define LB_HEADERS_BPF_H

#include <stdbool.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "chain.bpf.h"
#include "cursor.bpf.h"
#include "icmp.bpf.h"

#define VLAN_TAGS      2
#define IP6_EXTENSIONS 6
#define IP4_DF	       0x4000
#define IP4_MF	       0x2000
#define IP4_OFFSET     0x1fff
#define IP6_MF	       0x0001
#define IP6_OFFSET     0xfff8

/* struct ethhdr is packed, and so read by bytes. */
struct ethernet {
	__be16 macs[ETH_ALEN];
	__be16 type;
};

struct vlan_tag {
	__be16 tci;
	__be16 type;
};

/* The common head of all extension headers (RFC 8200, 4); length in 8 bytes, less 1. */
struct ip6_extension {
	__u8 next;
	__u8 length;
	__u8 type;	    /* routing: its type */
	__u8 segments_left; /* routing */
};

struct ip6_fragment {
	__u8 next;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

/*
 * What the headers say.  Copies: while a pointer into the packet is alive, the verifier
 * tells apart each way in which the headers before it could have been laid out (216,000
 * steps on 6.1 for lb_parse; a tenth with copies).
 */
struct headers {
	struct cursor cursor;
	struct lb_ends ends;
	__u32 length;	 /* from the IP header on, as it says */
	bool fragment;	 /* the first of several */
	bool no_ports;	 /* a later one of several */
	bool echo;	 /* an echo request */
	bool icmp_error; /* it quotes what it is about */
};

static __always_inline enum lb_reason parse_ethernet(struct headers *h, __be16 *ret_type)
{
	const struct ethernet *eth = cursor_take(&h->cursor, struct ethernet);

	if (!eth)
		return LB_REASON_TRUNCATED;
	*ret_type = eth->type;

#pragma unroll
	for (int i = 0; i < VLAN_TAGS; i++) {
		const struct vlan_tag *tag;

		if (*ret_type != bpf_htons(ETH_P_8021Q) &&
		    *ret_type != bpf_htons(ETH_P_8021AD))
			break;
		tag = cursor_take(&h->cursor, struct vlan_tag);
		if (!tag)
			return LB_REASON_TRUNCATED;
		*ret_type = tag->type;
	}
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_ip4(struct headers *h, struct lb_pkt *pkt)
{
	const struct iphdr *ip = cursor_take(&h->cursor, struct iphdr);

	if (!ip)
		return LB_REASON_TRUNCATED;
	if (ip->version != 4 || ip->ihl < 5)
		return LB_REASON_MALFORMED;
	if (!cursor_skip(&h->cursor, ((ip->ihl - 5) * 4) & 0x3c)) /* options */
		return LB_REASON_TRUNCATED;

	h->ends.source[0] = ip->saddr;
	h->ends.destination[0] = ip->daddr;
	h->length = bpf_ntohs(ip->tot_len);
	h->fragment = ip->frag_off & bpf_htons(IP4_MF);
	h->no_ports = ip->frag_off & bpf_htons(IP4_OFFSET);
	pkt->protocol = ip->protocol;
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_ip6_fragment(struct headers *h, __u8 *next)
{
	const struct ip6_fragment *frag = cursor_take(&h->cursor, struct ip6_fragment);

	if (!frag)
		return LB_REASON_TRUNCATED;

	h->fragment = frag->offset & bpf_htons(IP6_MF);
	h->no_ports = frag->offset & bpf_htons(IP6_OFFSET);
	*next = frag->next;
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_ip6_extension(struct headers *h, __u8 *next)
{
	const struct ip6_extension *ext = h->cursor.pos;

	if ((void *)(ext + 1) > h->cursor.end ||
	    !cursor_skip(&h->cursor, (ext->length + 1) * 8))
		return LB_REASON_TRUNCATED;
	/* Not at its destination yet, whose address the checksum has (RFC 8200, 8.1). */
	if (*next == IPPROTO_ROUTING && ext->segments_left)
		return LB_REASON_NOT_OURS;

	*next = ext->next;
	return LB_REASON_NONE;
}

static __always_inline bool is_ip6_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
	       next == IPPROTO_DSTOPTS;
}

static __always_inline enum lb_reason parse_ip6(struct headers *h, struct lb_pkt *pkt)
{
	const struct ipv6hdr *ip = cursor_take(&h->cursor, struct ipv6hdr);
	__u8 next;

	if (!ip)
		return LB_REASON_TRUNCATED;
	if (ip->version != 6)
		return LB_REASON_MALFORMED;
	__builtin_memcpy(h->ends.source, &ip->saddr, sizeof(h->ends.source));
	__builtin_memcpy(h->ends.destination, &ip->daddr, sizeof(h->ends.destination));
	h->length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	next = ip->nexthdr;

#pragma unroll
	for (int i = 0; i < IP6_EXTENSIONS; i++) {
		enum lb_reason reason;

		if (h->no_ports) /* what follows is the middle of something */
			break;
		if (is_ip6_extension(next))
			reason = parse_ip6_extension(h, &next);
		else if (next == IPPROTO_FRAGMENT)
			reason = parse_ip6_fragment(h, &next);
		else
			break;
		if (reason)
			return reason;
	}

	if (!h->no_ports && (is_ip6_extension(next) || next == IPPROTO_FRAGMENT))
		return LB_REASON_EXTENSIONS;
	pkt->protocol = next;
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_tcp(struct headers *h, struct lb_pkt *pkt)
{
	const struct tcphdr *tcp = cursor_take(&h->cursor, struct tcphdr);

	if (!tcp)
		return LB_REASON_TRUNCATED;
	if (tcp->doff < 5)
		return LB_REASON_MALFORMED;

	h->ends.sport = tcp->source;
	h->ends.dport = tcp->dest;
	pkt->tcp_flags = ((const __u8 *)tcp)[13];
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_udp(struct headers *h)
{
	const struct udphdr *udp = cursor_take(&h->cursor, struct udphdr);

	if (!udp)
		return LB_REASON_TRUNCATED;

	h->ends.sport = udp->source;
	h->ends.dport = udp->dest;
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_icmp(struct headers *h, struct lb_pkt *pkt)
{
	const struct icmp_header *icmp = cursor_take(&h->cursor, struct icmp_header);
	bool v6 = pkt->protocol == IPPROTO_ICMPV6;

	if (!icmp)
		return LB_REASON_TRUNCATED;
	if (v6 != (pkt->family == 6))
		return LB_REASON_NOT_OURS;

	h->icmp_error = icmp_is_error(pkt->protocol, icmp->type);
	if (icmp->type == (v6 ? ICMP6_ECHO : ICMP4_ECHO)) {
		h->echo = true;
		h->ends.sport = icmp->id;
	} else if (icmp->type == (v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY)) {
		h->ends.dport = icmp->id;
	} else if (!h->icmp_error) {
		return LB_REASON_NOT_OURS;
	}
	return LB_REASON_NONE;
}

/* Does the IP header promise no more than the frame holds, and a whole L4 header? */
static __always_inline bool length_fits(const struct headers *h, const void *ip)
{
	__u64 held = h->cursor.end - ip, parsed = h->cursor.pos - ip;

	return h->length <= held && h->length >= parsed;
}

static __always_inline enum lb_reason parse_ports(struct headers *h, struct lb_pkt *pkt)
{
	if (h->no_ports)
		return LB_REASON_NONE;
	if (pkt->protocol == IPPROTO_TCP)
		return parse_tcp(h, pkt);
	if (pkt->protocol == IPPROTO_UDP)
		return parse_udp(h);
	return is_icmp(pkt->protocol) ? parse_icmp(h, pkt) : LB_REASON_NOT_OURS;
}

/*
 * From the frame's first byte, where h->cursor is, to the end of what IP puts before TCP,
 * UDP or ICMP; where it begins.
 */
static __always_inline enum lb_reason parse_ip(struct headers *h, struct lb_pkt *pkt,
					       const void **ret_ip)
{
	enum lb_reason reason;
	__be16 type;

	reason = parse_ethernet(h, &type);
	if (reason)
		return reason;

	*ret_ip = h->cursor.pos;
	if (type == bpf_htons(ETH_P_IP)) {
		pkt->family = 4;
		return parse_ip4(h, pkt);
	}
	if (type == bpf_htons(ETH_P_IPV6)) {
		pkt->family = 6;
		return parse_ip6(h, pkt);
	}
	return LB_REASON_NOT_IP;
}

/*
 * Parse the packet of @ctx: fills l3, l4, length, family, protocol and tcp_flags of @pkt,
 * clears its flags, and fills @h.
 */
static __always_inline enum lb_reason parse_headers(const struct xdp_md *ctx,
						    struct headers *h, struct lb_pkt *pkt)
{
	const void *start = (void *)(long)ctx->data, *ip, *l4;
	enum lb_reason reason;

	pkt->flags = 0;
	pkt->tcp_flags = 0;
	h->cursor = cursor_init(ctx);
	reason = parse_ip(h, pkt, &ip);
	if (reason)
		return reason;
	l4 = h->cursor.pos;
	reason = parse_ports(h, pkt);
	if (reason)
		return reason;
	if (!length_fits(h, ip))
		return LB_REASON_MALFORMED;

	pkt->l3 = ip - start;
	pkt->l4 = l4 - start;
	pkt->length = h->cursor.end - (void *)start;
	return LB_REASON_NONE;
}

#endif /* LB_HEADERS_BPF_H */
