/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encap.bpf.h - an outer IPv4 or IPv6 header, and a UDP header for GUE, around a packet.
 *
 * The inner packet is not touched.  Outer headers take over its DSCP and ECN (RFC 6040,
 * normal mode) and, of IPv4, its DF.  The flow's hash spreads what the way there hashes: the
 * source address behind a prefix, the UDP source port, the flow label (RFC 6438).
 *
 * GUE is variant 1 (draft-ietf-intarea-gue-09): the inner IP header comes right behind UDP,
 * and its version, 4 or 6, is what tells the variant.
 */
#ifndef LB_ENCAP_BPF_H
#define LB_ENCAP_BPF_H

#include "checksum.bpf.h"
#include "headers.bpf.h"
#include "words.bpf.h"

#define OUTER_TTL    64
#define GUE_PORT     6080
#define GUE_PORT_LOW 0xc000 /* source ports: from here to 65535 */

/* What goes around the packet in hand. */
struct outer {
	__be32 source[4];
	const __be32 *destination;
	__u64 hash;
	__u64 sum;    /* GUE over IPv6: of the inner packet, if `summed` */
	__u16 inner;  /* length of the inner packet */
	__u8 size;    /* of what comes before it */
	__u8 family;  /* of the outer header */
	__u8 tos;     /* DSCP and ECN */
	__u8 carries; /* IPPROTO_* of the inner packet */
	bool gue;
	bool summed;
	bool may_fragment;
};

/* ---- the source address ---------------------------------------------------------- */

/* One word of an address of which @fixed bits are given, at most 32 and at least -96. */
static __always_inline __be32 spread_word(__be32 first, __s32 fixed, __u32 hash)
{
	__u32 host = fixed >= 32 ? 0 : fixed <= 0 ? ~0U : ~0U >> fixed;

	/* Neither a network's own address nor its broadcast address. */
	hash &= host;
	if (!hash || hash == host)
		hash = (hash ^ 1) & host;
	return first | bpf_htonl(hash);
}

static __always_inline void spread_source(struct outer *o, const struct lb_source *from)
{
	__s32 prefix = from->prefix;

	if (o->family == 4) {
		o->source[0] = prefix == 32
				       ? from->address[0]
				       : spread_word(from->address[0], prefix, o->hash);
		return;
	}
	if (prefix == 128) { /* nothing to spread, as a rule */
		__builtin_memcpy(o->source, from->address, sizeof(o->source));
		return;
	}
#pragma unroll
	for (int i = 0; i < 4; i++)
		o->source[i] = spread_word(from->address[i], prefix - 32 * i,
					   i % 2 ? o->hash : o->hash >> 32);
}

/* ---- the inner packet's sum -------------------------------------------------------- */

/*
 * What a packet sums to that has a right checksum is known without reading it, as the
 * kernel's local checksum offload has it: an IPv4 header to nothing, ICMP to nothing, and
 * TCP, UDP and ICMPv6 to what undoes their pseudo-header.  All but @addresses of that.
 */
static __always_inline __u64 undo_pseudo(__u8 protocol, __u16 length)
{
	return (__u64)(__u16)~bpf_htons(protocol) + (__u16)~bpf_htons(length);
}

/* Has UDP a checksum, and of all that the IP header says is there? */
static __always_inline bool udp_sums(struct xdp_md *ctx, const struct lb_pkt *pkt,
				     __u16 length)
{
	const struct udphdr *udp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*udp));

	return udp && udp->check && udp->len == bpf_htons(length);
}

static __always_inline bool sum_ip4(struct xdp_md *ctx, const struct lb_pkt *pkt,
				    __u64 *ret_sum)
{
	const struct iphdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));
	__u16 length;

	if (!ip || (ip->frag_off & bpf_htons(IP4_MF | IP4_OFFSET)))
		return false;
	*ret_sum = 0;
	if (ip->protocol == IPPROTO_ICMP)
		return true;
	length = bpf_ntohs(ip->tot_len) - ip->ihl * 4;
	*ret_sum =
		undo_pseudo(ip->protocol, length) + (__u32)~ip->saddr + (__u32)~ip->daddr;
	return ip->protocol == IPPROTO_TCP || udp_sums(ctx, pkt, length);
}

/* The addresses are there twice, and undo each other.  Extension headers would have to be
 * read, and a fragment has a part of what was summed. */
static __always_inline bool sum_ip6(struct xdp_md *ctx, const struct lb_pkt *pkt,
				    __u64 *ret_sum)
{
	const struct ipv6hdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));
	__u16 length;
	__u8 next;

	if (!ip)
		return false;
	next = ip->nexthdr;
	length = bpf_ntohs(ip->payload_len);
	*ret_sum = undo_pseudo(next, length) + ((const __u32 *)ip)[0] +
		   ((const __u32 *)ip)[1];
	if (next == IPPROTO_UDP)
		return udp_sums(ctx, pkt, length);
	return next == IPPROTO_TCP || next == IPPROTO_ICMPV6;
}

/* ---- the outer headers ------------------------------------------------------------- */

/*
 * The Ethernet header and its tags @by bytes further in front.  Global: the packet that needs
 * it is seldom.  As long as with two tags, and more: the outer headers overwrite the rest.
 */
__noinline int move_ethernet(struct xdp_md *ctx, __u32 by)
{
	__u64 copy[3];
	__u64 *head = packet_at(ctx, 0, 0, sizeof(copy));

	if (!head)
		return 0;
	/* By words: what memcpy() does not know to be aligned clang copies by bytes. */
	copy[0] = head[0];
	copy[1] = head[1];
	copy[2] = head[2];
	if (bpf_xdp_adjust_head(ctx, -(int)by))
		return 0;
	head = packet_at(ctx, 0, 0, sizeof(copy));
	if (!head)
		return 0;
	head[0] = copy[0];
	head[1] = copy[1];
	head[2] = copy[2];
	return 1;
}

/*
 * Room in front of the packet.  Without @ethernet there is room for such a header, too, but
 * nothing in it: who sends the packet writes it.
 */
static __always_inline bool make_room(struct xdp_md *ctx, struct lb_pkt *pkt,
				      const struct outer *o, bool ethernet)
{
	__s32 padding = pkt->length - pkt->l3 - o->inner;

	if (padding && bpf_xdp_adjust_tail(ctx, -padding))
		return false;
	if (ethernet ? !move_ethernet(ctx, o->size)
		     : bpf_xdp_adjust_head(ctx, -(int)o->size))
		return false;
	pkt->length += o->size - padding;
	pkt->l4 += o->size;
	return true;
}

/* The type in the Ethernet header, and right behind it an IP header of @size. */
static __always_inline __be16 *outer_at(struct xdp_md *ctx, const struct lb_pkt *pkt,
					__u64 size)
{
	return packet_at(ctx, pkt->l3 - sizeof(__be16), L3_LIMIT, sizeof(__be16) + size);
}

/*
 * By words, or clang writes ten fields and reads some of them for the checksum.  An id is for
 * fragments: there are none of a packet with DF (RFC 6864).
 */
static __always_inline bool write_ip4(struct xdp_md *ctx, const struct lb_pkt *pkt,
				      const struct outer *o)
{
	__be16 *type = outer_at(ctx, pkt, sizeof(struct iphdr));
	__be16 first = bpf_htons(0x4500 | o->tos);
	__be16 hops = bpf_htons(OUTER_TTL << 8 | (o->gue ? IPPROTO_UDP : o->carries));
	__u32 *word = (__u32 *)(type + 1);
	__u32 length = PAIR16(first, bpf_htons(o->inner + o->size));
	__u32 id = o->may_fragment ? PAIR16(bpf_get_prandom_u32(), 0)
				   : PAIR16(0, bpf_htons(IP4_DF));
	__u16 check;

	if (!type)
		return false;
	check = csum_apply(0xffff, (__u64)length + id + PAIR16(hops, 0) + o->source[0] +
					   o->destination[0]);
	*type = bpf_htons(ETH_P_IP);
	word[0] = length;
	word[1] = id;
	word[2] = PAIR16(hops, check);
	word[3] = o->source[0];
	word[4] = o->destination[0];
	return true;
}

static __always_inline bool write_ip6(struct xdp_md *ctx, const struct lb_pkt *pkt,
				      const struct outer *o)
{
	__be16 *type = outer_at(ctx, pkt, sizeof(struct ipv6hdr));
	__u32 *word = (__u32 *)(type + 1);
	__u8 next = o->gue ? IPPROTO_UDP : o->carries;

	if (!type)
		return false;
	*type = bpf_htons(ETH_P_IPV6);
	word[0] = bpf_htonl(6U << 28 | (__u32)o->tos << 20 | (o->hash >> 44));
	word[1] = PAIR16(bpf_htons(o->inner + o->size - sizeof(struct ipv6hdr)),
			 bpf_htons(next << 8 | OUTER_TTL));
#pragma unroll
	for (int i = 0; i < 4; i++) {
		word[2 + i] = o->source[i];
		word[6 + i] = o->destination[i];
	}
	return true;
}

/* None over IPv4, where it may be left out; over IPv6, none if it cannot be known (RFC 6935:
 * what is inside has its own). */
static __always_inline __u16 udp_check(const struct outer *o, const struct udphdr *udp)
{
	__u64 sum = o->sum + bpf_htons(IPPROTO_UDP) + udp->len + udp->len + udp->source +
		    udp->dest;

	if (o->family == 4 || !o->summed)
		return 0;
#pragma unroll
	for (int i = 0; i < 4; i++)
		sum += (__u64)o->source[i] + o->destination[i];
	return csum_apply(0xffff, sum) ?: 0xffff;
}

static __always_inline bool write_udp(struct xdp_md *ctx, const struct lb_pkt *pkt,
				      const struct outer *o)
{
	__u32 length = o->inner + sizeof(struct udphdr);
	struct udphdr *udp =
		packet_at(ctx, pkt->l3 + o->size - sizeof(*udp), 0x7f, sizeof(*udp));

	if (!udp)
		return false;
	udp->source = bpf_htons(GUE_PORT_LOW | (o->hash >> 32 & 0x3fff));
	udp->dest = bpf_htons(GUE_PORT);
	udp->len = bpf_htons(length);
	udp->check = udp_check(o, udp);
	return true;
}

/* Put @o around the packet; @ethernet: its Ethernet header stays as it is. */
static __always_inline bool encapsulate(struct xdp_md *ctx, struct lb_pkt *pkt,
					const struct outer *o, bool ethernet)
{
	if (!make_room(ctx, pkt, o, ethernet))
		return false;
	if (!(o->family == 4 ? write_ip4(ctx, pkt, o) : write_ip6(ctx, pkt, o)))
		return false;
	return !o->gue || write_udp(ctx, pkt, o);
}

#endif /* LB_ENCAP_BPF_H */
