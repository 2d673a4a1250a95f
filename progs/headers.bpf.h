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
#define IP4_PLAIN      0x45 /* version 4, no options */
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

/* What is out of the ordinary, as bits of headers.special. */
#define FIRST_FRAGMENT 1 /* of several */
#define LATER_FRAGMENT 2 /* it has no ports */
#define ECHO_REQUEST   4
#define ICMP_ERROR     8 /* it quotes what it is about */

/*
 * What the headers say.  Copies: while a pointer into the packet is alive, the verifier
 * tells apart each way in which the headers before it could have been laid out (216,000
 * steps on 6.1 for lb_parse; a tenth with copies).
 */
struct headers {
	struct lb_ends ends;
	__u32 length;  /* from the IP header on, as it says */
	__u32 special; /* 0 for most, with one look */
};

/* One function per layer, each from where @c is to behind its own header. */
static __always_inline enum lb_reason parse_ethernet(struct cursor *c, __be16 *ret_type)
{
	const struct ethernet *eth = cursor_take(c, struct ethernet);

	if (!eth)
		return LB_REASON_TRUNCATED;
	*ret_type = eth->type;

#pragma unroll
	for (int i = 0; i < VLAN_TAGS; i++) {
		const struct vlan_tag *tag;

		if (*ret_type != bpf_htons(ETH_P_8021Q) &&
		    *ret_type != bpf_htons(ETH_P_8021AD))
			break;
		tag = cursor_take(c, struct vlan_tag);
		if (!tag)
			return LB_REASON_TRUNCATED;
		*ret_type = tag->type;
	}
	return LB_REASON_NONE;
}

/* From the frame's first byte to its IP header: clears what @pkt has of another packet. */
static __always_inline enum lb_reason parse_to_ip(struct cursor *c, struct lb_pkt *pkt)
{
	enum lb_reason reason;
	__be16 type;

	pkt->flags = 0;
	pkt->tcp_flags = 0;
	reason = parse_ethernet(c, &type);
	if (reason)
		return reason;
	if (type != bpf_htons(ETH_P_IP) && type != bpf_htons(ETH_P_IPV6))
		return LB_REASON_NOT_IP;
	pkt->family = type == bpf_htons(ETH_P_IP) ? 4 : 6;
	return LB_REASON_NONE;
}

/* The first byte of @ip is not IP4_PLAIN. */
static __always_inline enum lb_reason parse_ip4_options(struct cursor *c, __u8 first)
{
	__u32 words = first & 0xf;

	if (first >> 4 != 4 || words < 5)
		return LB_REASON_MALFORMED;
	if (!cursor_skip(c, ((words - 5) * 4) & 0x3c))
		return LB_REASON_TRUNCATED;
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_ip4(struct cursor *c, struct headers *h,
						struct lb_pkt *pkt)
{
	const struct iphdr *ip = cursor_take(c, struct iphdr);
	enum lb_reason reason;
	__u8 first;

	if (!ip)
		return LB_REASON_TRUNCATED;
	first = *(const __u8 *)ip;
	if (first != IP4_PLAIN) {
		reason = parse_ip4_options(c, first);
		if (reason)
			return reason;
	}

	h->ends.source[0] = ip->saddr;
	h->ends.destination[0] = ip->daddr;
	h->length = bpf_ntohs(ip->tot_len);
	if (ip->frag_off & bpf_htons(IP4_MF | IP4_OFFSET))
		h->special = ip->frag_off & bpf_htons(IP4_OFFSET) ? LATER_FRAGMENT
								  : FIRST_FRAGMENT;
	pkt->protocol = ip->protocol;
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_ip6_fragment(struct cursor *c,
							 struct headers *h, __u8 *next)
{
	const struct ip6_fragment *frag = cursor_take(c, struct ip6_fragment);

	if (!frag)
		return LB_REASON_TRUNCATED;

	h->special = 0;
	if (frag->offset & bpf_htons(IP6_MF | IP6_OFFSET))
		h->special = frag->offset & bpf_htons(IP6_OFFSET) ? LATER_FRAGMENT
								  : FIRST_FRAGMENT;
	*next = frag->next;
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_ip6_extension(struct cursor *c, __u8 *next)
{
	const struct ip6_extension *ext = c->pos;

	if ((void *)(ext + 1) > c->end || !cursor_skip(c, (ext->length + 1) * 8))
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

static __always_inline enum lb_reason parse_ip6(struct cursor *c, struct headers *h,
						struct lb_pkt *pkt)
{
	const struct ipv6hdr *ip = cursor_take(c, struct ipv6hdr);
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

		if (h->special &
		    LATER_FRAGMENT) /* what follows is the middle of something */
			break;
		if (is_ip6_extension(next))
			reason = parse_ip6_extension(c, &next);
		else if (next == IPPROTO_FRAGMENT)
			reason = parse_ip6_fragment(c, h, &next);
		else
			break;
		if (reason)
			return reason;
	}

	if (!(h->special & LATER_FRAGMENT) &&
	    (is_ip6_extension(next) || next == IPPROTO_FRAGMENT))
		return LB_REASON_EXTENSIONS;
	pkt->protocol = next;
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_tcp(struct cursor *c, struct headers *h,
						struct lb_pkt *pkt)
{
	const struct tcphdr *tcp = cursor_take(c, struct tcphdr);

	if (!tcp)
		return LB_REASON_TRUNCATED;
	if (tcp->doff < 5)
		return LB_REASON_MALFORMED;

	h->ends.sport = tcp->source;
	h->ends.dport = tcp->dest;
	pkt->tcp_flags = ((const __u8 *)tcp)[13];
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_udp(struct cursor *c, struct headers *h)
{
	const struct udphdr *udp = cursor_take(c, struct udphdr);

	if (!udp)
		return LB_REASON_TRUNCATED;

	h->ends.sport = udp->source;
	h->ends.dport = udp->dest;
	return LB_REASON_NONE;
}

static __always_inline enum lb_reason parse_icmp(struct cursor *c, struct headers *h,
						 struct lb_pkt *pkt)
{
	const struct icmp_header *icmp = cursor_take(c, struct icmp_header);
	bool v6 = pkt->protocol == IPPROTO_ICMPV6;

	if (!icmp)
		return LB_REASON_TRUNCATED;
	if (v6 != (pkt->family == 6))
		return LB_REASON_NOT_OURS;

	if (icmp->type == (v6 ? ICMP6_ECHO : ICMP4_ECHO)) {
		h->special |= ECHO_REQUEST;
		h->ends.sport = icmp->id;
	} else if (icmp->type == (v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY)) {
		h->ends.dport = icmp->id;
	} else if (icmp_is_error(pkt->protocol, icmp->type)) {
		h->special |= ICMP_ERROR;
	} else {
		return LB_REASON_NOT_OURS;
	}
	return LB_REASON_NONE;
}

/* Does the IP header promise no more than the frame holds, and a whole L4 header? */
static __always_inline bool length_fits(const struct cursor *c, const struct headers *h,
					const void *ip)
{
	__u64 held = c->end - ip, parsed = c->pos - ip;

	return h->length <= held && h->length >= parsed;
}

static __always_inline enum lb_reason parse_ports(struct cursor *c, struct headers *h,
						  struct lb_pkt *pkt)
{
	if (h->special & LATER_FRAGMENT)
		return LB_REASON_NONE;
	if (pkt->protocol == IPPROTO_TCP)
		return parse_tcp(c, h, pkt);
	if (pkt->protocol == IPPROTO_UDP)
		return parse_udp(c, h);
	return is_icmp(pkt->protocol) ? parse_icmp(c, h, pkt) : LB_REASON_NOT_OURS;
}

/*
 * The packet from its IP header on, where @c is, in a frame that begins at @start: fills l3,
 * l4, length, protocol and tcp_flags of @pkt, and @h.
 */
static __always_inline enum lb_reason parse_packet(struct cursor *c, const void *start,
						   struct headers *h, struct lb_pkt *pkt,
						   int family)
{
	const void *ip = c->pos, *l4;
	enum lb_reason reason;

	reason = family == 4 ? parse_ip4(c, h, pkt) : parse_ip6(c, h, pkt);
	if (reason)
		return reason;
	l4 = c->pos;
	reason = parse_ports(c, h, pkt);
	if (reason)
		return reason;
	if (!length_fits(c, h, ip))
		return LB_REASON_MALFORMED;

	pkt->l3 = ip - start;
	pkt->l4 = l4 - start;
	pkt->length = c->end - (void *)start;
	return LB_REASON_NONE;
}

#endif /* LB_HEADERS_BPF_H */
