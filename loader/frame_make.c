// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame_make.c - a packet as a client's host would send it, made of a few words.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <netinet/in.h>
#include <string.h>

#include "frame.h"

#define TTL	  64
#define TCP_WORDS 5
#define ECHO_4	  8
#define ECHO_6	  128

static __u32 sum(const void *bytes, size_t n, __u32 begin)
{
	const __u8 *at = bytes;
	size_t i;

	for (i = 0; i + 1 < n; i += 2)
		begin += at[i] << 8 | at[i + 1];
	return begin;
}

static void write16(__u8 *at, __u32 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void write_sum(__u8 *at, __u32 total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	write16(at, ~total);
}

/* The header behind IP's: its length, and where its checksum is. */
static __u32 make_inner(const struct frame *f, __u8 *at, __u32 *ret_sum)
{
	switch (f->protocol) {
	case IPPROTO_TCP:
		write16(at, f->sport);
		write16(at + 2, f->dport);
		at[12] = TCP_WORDS << 4;
		at[13] = f->tcp_flags;
		write16(at + 14, 65535);
		*ret_sum = 16;
		return TCP_WORDS * 4;
	case IPPROTO_UDP:
		write16(at, f->sport);
		write16(at + 2, f->dport);
		write16(at + 4, 8);
		*ret_sum = 6;
		return 8;
	default:
		at[0] = f->protocol == IPPROTO_ICMP ? ECHO_4 : ECHO_6;
		write16(at + 4, f->sport);
		*ret_sum = 2;
		return 8;
	}
}

static void sum_inner(const struct frame *f, __u8 *at, __u32 length, __u32 sum_at)
{
	size_t size = f->source.family == 4 ? 4 : 16;
	__u32 total = sum(at, length, 0);

	if (f->protocol != IPPROTO_ICMP) {
		total = sum(f->source.word, size, total + f->protocol + length);
		total = sum(f->destination.word, size, total);
	}
	write_sum(at + sum_at, total);
}

static __u32 make_ipv4(const struct frame *f, __u8 *at)
{
	__u8 *inner = at + sizeof(struct iphdr);
	__u32 sum_at, length = make_inner(f, inner, &sum_at);

	at[0] = 0x45;
	write16(at + 2, sizeof(struct iphdr) + length);
	write16(at + 6, 0x4000); /* not to be fragmented */
	at[8] = TTL;
	at[9] = f->protocol;
	memcpy(at + 12, f->source.word, 4);
	memcpy(at + 16, f->destination.word, 4);
	write_sum(at + 10, sum(at, sizeof(struct iphdr), 0));
	sum_inner(f, inner, length, sum_at);
	return sizeof(struct iphdr) + length;
}

static __u32 make_ipv6(const struct frame *f, __u8 *at)
{
	__u8 *inner = at + sizeof(struct ipv6hdr);
	__u32 sum_at, length = make_inner(f, inner, &sum_at);

	at[0] = 0x60;
	write16(at + 4, length);
	at[6] = f->protocol;
	at[7] = TTL;
	memcpy(at + 8, f->source.word, 16);
	memcpy(at + 24, f->destination.word, 16);
	sum_inner(f, inner, length, sum_at);
	return sizeof(struct ipv6hdr) + length;
}

__u32 frame_make(const struct frame *f, __u8 ret[FRAME_MADE_MAX])
{
	bool is_ipv4 = f->source.family == 4;

	memset(ret, 0, FRAME_MADE_MAX);
	memcpy(ret, f->to, sizeof(f->to));
	memcpy(ret + 6, f->from, sizeof(f->from));
	write16(ret + 12, is_ipv4 ? ETH_P_IP : ETH_P_IPV6);
	return ETH_HLEN +
	       (is_ipv4 ? make_ipv4(f, ret + ETH_HLEN) : make_ipv6(f, ret + ETH_HLEN));
}
