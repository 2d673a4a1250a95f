/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * answer_packet.bpf.h - the parts of a packet of our own, made of the one that it answers.
 *
 * Where bytes move, what is needed of them is copied first.
 */
#ifndef LB_ANSWER_PACKET_BPF_H
#define LB_ANSWER_PACKET_BPF_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "address.bpf.h"
#include "checksum.bpf.h"
#include "cursor.bpf.h"
#include <lb/abi.h>

#define FRAME_HALVES 11 /* Ethernet with two VLAN tags, in 16 bits */
#define ANSWER_TTL   64
#define ANSWER_TOS   0xc0 /* internetwork control (RFC 1812, 4.3.2.5) */
#define IP4_DF	     0x4000

/* What is in front of the IP header, and its addresses, turned round. */
struct back {
	__u16 frame[FRAME_HALVES];
	__u16 l3;
	__be32 source[4];
	__be32 destination[4];
};

static __always_inline bool back_read(struct xdp_md *ctx, const struct lb_pkt *pkt,
				      int family, struct back *ret)
{
	const __u16 *frame = packet_at(ctx, 0, 0, sizeof(ret->frame));

	if (!frame)
		return false;
#pragma unroll
	for (int i = 0; i < FRAME_HALVES; i++)
		ret->frame[i] = frame[i < 6 ? (i + 3) % 6 : i]; /* MACs change places */
	ret->l3 = pkt->l3;

	if (family == 4) {
		const struct iphdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return false;
		ret->source[0] = ip->daddr;
		ret->destination[0] = ip->saddr;
	} else {
		const struct ipv6hdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return false;
		copy_address(ret->source, ip->daddr.in6_u.u6_addr32, 6);
		copy_address(ret->destination, ip->saddr.in6_u.u6_addr32, 6);
	}
	return true;
}

/* The frame in front of the IP header: its tags stay. */
static __always_inline bool back_write_frame(struct xdp_md *ctx, const struct back *b)
{
	__u16 *frame = packet_at(ctx, 0, 0, sizeof(b->frame));

	if (!frame)
		return false;
#pragma unroll
	for (int i = 0; i < FRAME_HALVES; i++)
		if (2 * i < b->l3)
			frame[i] = b->frame[i];
	return true;
}

static __always_inline __u64 sum_words(const __u32 *word, int n)
{
	__u64 sum = 0;

#pragma unroll
	for (int i = 0; i < n; i++)
		sum += word[i];
	return sum;
}

/* The checksum of what sums up to @sum. */
static __always_inline __u16 csum_of(__u64 sum)
{
	return csum_apply(0xffff, sum);
}

/* The sum of a header whose checksum is 0; @size is a constant. */
static __always_inline __u32 sum_header(void *header, __u32 size)
{
	return bpf_csum_diff(NULL, 0, header, size, 0);
}

/* An IPv4 header without options, but for its checksum. */
static __always_inline void fill_ip4(struct iphdr *ip, const struct back *b,
				     __u8 protocol, __u16 len)
{
	*(__be16 *)ip = bpf_htons(0x4500 | ANSWER_TOS);
	ip->tot_len = bpf_htons(sizeof(*ip) + len);
	ip->id = 0;
	ip->frag_off = bpf_htons(IP4_DF);
	ip->ttl = ANSWER_TTL;
	ip->protocol = protocol;
	ip->check = 0;
	ip->saddr = b->source[0];
	ip->daddr = b->destination[0];
}

/*
 * An IP header without options in front of @len bytes of @protocol: what its addresses,
 * length and protocol add to the sum that TCP and ICMPv6 check.
 */
static __always_inline __u64 back_write_ip(struct xdp_md *ctx, const struct back *b,
					   int family, __u8 protocol, __u16 len)
{
	__u64 sum = bpf_htons(protocol) + bpf_htons(len);

	if (family == 4) {
		struct iphdr *ip = packet_at(ctx, b->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return 0;
		fill_ip4(ip, b, protocol, len);
		ip->check = csum_of(sum_header(ip, sizeof(*ip)));
		return sum + b->source[0] + b->destination[0];
	} else {
		struct ipv6hdr *ip = packet_at(ctx, b->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return 0;
		*(__be32 *)ip = bpf_htonl(0x60000000 | ANSWER_TOS << 20);
		ip->payload_len = bpf_htons(len);
		ip->nexthdr = protocol;
		ip->hop_limit = ANSWER_TTL;
		copy_address(ip->saddr.in6_u.u6_addr32, b->source, 6);
		copy_address(ip->daddr.in6_u.u6_addr32, b->destination, 6);
		return sum + sum_words(b->source, 4) + sum_words(b->destination, 4);
	}
}

/* Add @size bytes at *@at, a constant, if there are as many left. */
static __always_inline void sum_piece(struct xdp_md *ctx, __u32 size, __u32 *at,
				      __u32 *left, __u64 *sum)
{
	__be32 *piece;

	if (*left < size)
		return;
	piece = packet_at(ctx, *at, L4_LIMIT, size);
	if (piece)
		*sum += (__u32)bpf_csum_diff(NULL, 0, piece, size, 0);
	*at += size;
	*left -= size;
}

/*
 * The sum of @len bytes at @at, less than 2048.  In pieces of constant size, because the
 * verifier of 6.1 knows no other way, and of at most 512 bytes, because bpf_csum_diff() of
 * 6.1 takes no more.  Global: the verifier looks at it once.
 */
__noinline __u64 sum_bytes(struct xdp_md *ctx, __u32 at, __u32 len)
{
	const __u8 *byte;
	__u64 sum = 0;

#pragma unroll
	for (int i = 0; i < 3; i++)
		sum_piece(ctx, 512, &at, &len, &sum);
#pragma unroll
	for (__u32 size = 256; size >= 4; size /= 2)
		sum_piece(ctx, size, &at, &len, &sum);

#pragma unroll
	for (__u32 i = 0; i < 3; i++) {
		byte = packet_at(ctx, at + i, L4_LIMIT, 1);
		if (i < len && byte)
			sum += bpf_htons(i % 2 ? *byte : *byte << 8);
	}
	return sum;
}

#endif /* LB_ANSWER_PACKET_BPF_H */
