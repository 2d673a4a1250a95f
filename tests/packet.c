// SPDX-License-Identifier: GPL-2.0-only
/*
 * packet.c - turn a list of layers into bytes.
 *
 * Headers are written from the outside in, because each needs only the number of
 * bytes behind it; transport checksums are computed last, when all bytes stand, and from
 * the inside out, because an outer one covers the inner ones.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

#define EXT_SIZE   8 /* of an extension header without data */
#define ICMP_SIZE  8
#define MAX_LAYERS 24

static void die_unless(bool ok, const char *what, const char *text)
{
	if (ok)
		return;
	fprintf(stderr, "packet: %s: '%s'\n", what, text);
	abort();
}

static size_t layer_size(const struct layer *l)
{
	switch (l->kind) {
	case LAYER_ETH:
		return sizeof(struct ethhdr);
	case LAYER_VLAN:
		return 4;
	case LAYER_IP4:
		return sizeof(struct iphdr) + l->n_data;
	case LAYER_IP6:
		return sizeof(struct ipv6hdr);
	case LAYER_EXT:
		return EXT_SIZE + l->n_data;
	case LAYER_TCP:
		return sizeof(struct tcphdr) + l->n_data;
	case LAYER_UDP:
		return sizeof(struct udphdr);
	case LAYER_ICMP:
		return ICMP_SIZE;
	case LAYER_DATA:
	case LAYER_PAD:
		return l->n_data;
	case LAYER_CUT:
	case LAYER_END:
		break;
	}
	return 0;
}

static __u16 ethertype_of(const struct layer *next)
{
	switch (next->kind) {
	case LAYER_VLAN:
		return ETH_P_8021Q;
	case LAYER_IP4:
		return ETH_P_IP;
	case LAYER_IP6:
		return ETH_P_IPV6;
	default:
		return 0x88b5; /* for local experiments */
	}
}

static __u8 protocol_of(const struct layer *next, bool ip6)
{
	switch (next->kind) {
	case LAYER_IP4:
		return IPPROTO_IPIP;
	case LAYER_IP6:
		return IPPROTO_IPV6;
	case LAYER_EXT:
		return next->own;
	case LAYER_TCP:
		return IPPROTO_TCP;
	case LAYER_UDP:
		return IPPROTO_UDP;
	case LAYER_ICMP:
		return ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	default:
		return IPPROTO_NONE;
	}
}

__u16 packet_sum(const void *at, size_t len, __u32 sum)
{
	const __u8 *byte = at;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? byte[i] : byte[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(void *at, __u16 value)
{
	value = htons(value);
	memcpy(at, &value, sizeof(value));
}

static void write_mac(__u8 *at, const char *text)
{
	int n = sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &at[0], &at[1],
		       &at[2], &at[3], &at[4], &at[5]);

	die_unless(n == ETH_ALEN, "not a MAC address", text);
}

static void write_ip4(__u8 *at, const struct layer *l, size_t rest)
{
	struct iphdr ip = {
		.version = l->version ?: 4,
		.ihl = l->words ?: (sizeof(ip) + l->n_data) / 4,
		.tos = l->tos,
		.tot_len = htons(l->length ?: rest),
		.id = htons(l->id ?: l->plain ? 0 : 0x1234),
		.frag_off = htons(l->frag),
		.ttl = l->expired ? 0 : l->ttl ?: 64,
		.protocol = l->type ?: protocol_of(l + 1, false),
	};

	die_unless(inet_pton(AF_INET, l->src, &ip.saddr) == 1, "not IPv4", l->src);
	die_unless(inet_pton(AF_INET, l->dst, &ip.daddr) == 1, "not IPv4", l->dst);
	memcpy(at, &ip, sizeof(ip));
	memcpy(at + sizeof(ip), l->data ?: "", l->n_data);
	put16(at + 10, ~packet_sum(at, sizeof(ip) + l->n_data, 0));
}

static void write_ip6(__u8 *at, const struct layer *l, size_t rest)
{
	__u32 label = l->label ?: l->plain ? 0 : 0x2345;
	struct ipv6hdr ip = {
		.version = l->version ?: 6,
		.priority = l->tos >> 4,
		.flow_lbl = { l->tos << 4 | label >> 16, label >> 8, label },
		.payload_len = htons(l->length ?: rest - sizeof(ip)),
		.nexthdr = l->type ?: protocol_of(l + 1, true),
		.hop_limit = l->expired ? 0 : l->ttl ?: 64,
	};

	die_unless(inet_pton(AF_INET6, l->src, &ip.saddr) == 1, "not IPv6", l->src);
	die_unless(inet_pton(AF_INET6, l->dst, &ip.daddr) == 1, "not IPv6", l->dst);
	memcpy(at, &ip, sizeof(ip));
}

static void write_ext(__u8 *at, const struct layer *l)
{
	at[0] = l->type ?: protocol_of(l + 1, true);
	if (l->own == IPPROTO_AH)
		at[1] = (EXT_SIZE + l->n_data) / 4 - 2;
	else if (l->own != IPPROTO_FRAGMENT)
		at[1] = l->n_data / 8;
	put16(at + 2, l->frag);
	memcpy(at + EXT_SIZE, l->data ?: "", l->n_data);
}

static void write_tcp(__u8 *at, const struct layer *l)
{
	struct tcphdr tcp = {
		.source = htons(l->sport),
		.dest = htons(l->dport),
		.seq = htonl(l->seq),
		.ack_seq = htonl(l->ack),
		.doff = l->words ?: (sizeof(tcp) + l->n_data) / 4,
		.window = htons(l->plain ? 0 : 0xfaf0),
	};

	memcpy(at, &tcp, sizeof(tcp));
	at[13] = l->flags ?: TH_ACK;
	memcpy(at + sizeof(tcp), l->data ?: "", l->n_data);
}

static void write_udp(__u8 *at, const struct layer *l, size_t rest)
{
	put16(at, l->sport);
	put16(at + 2, l->dport);
	put16(at + 4, l->length ?: rest);
}

static void layer_write(__u8 *at, const struct layer *l, size_t rest)
{
	switch (l->kind) {
	case LAYER_ETH:
		write_mac(at, l->dst ?: PACKET_MAC_DST);
		write_mac(at + ETH_ALEN, l->src ?: PACKET_MAC_SRC);
		put16(at + 2 * ETH_ALEN, l->type ?: ethertype_of(l + 1));
		break;
	case LAYER_VLAN:
		put16(at, l->tag);
		put16(at + 2, l->type ?: ethertype_of(l + 1));
		break;
	case LAYER_IP4:
		write_ip4(at, l, rest);
		break;
	case LAYER_IP6:
		write_ip6(at, l, rest);
		break;
	case LAYER_EXT:
		write_ext(at, l);
		break;
	case LAYER_TCP:
		write_tcp(at, l);
		break;
	case LAYER_UDP:
		write_udp(at, l, rest);
		break;
	case LAYER_ICMP:
		at[0] = l->own;
		at[1] = l->code;
		put16(at + 4, l->sport);
		put16(at + 6, l->dport);
		break;
	case LAYER_DATA:
		memcpy(at, l->data, l->n_data);
		break;
	case LAYER_PAD:
		memset(at, 0xee, l->n_data);
		break;
	case LAYER_CUT:
	case LAYER_END:
		break;
	}
}

/* What the pseudo-header of the IP header @l at @at adds to a transport checksum. */
static __u32 pseudo_sum(const __u8 *at, const struct layer *l, __u8 protocol, size_t rest)
{
	bool ip6 = l->kind == LAYER_IP6;

	return packet_sum(at + (ip6 ? 8 : 12), ip6 ? 32 : 8, 0) + protocol + rest;
}

/* A layer, where it is, and the bytes from there on that are its own. */
struct placed {
	const struct layer *l;
	__u8 *at;
	size_t rest;
};

static bool is_ip(const struct layer *l)
{
	return l->kind == LAYER_IP4 || l->kind == LAYER_IP6;
}

/* @ip is the IP layer before @p, or NULL. */
static void layer_check(const struct placed *p, const struct placed *ip)
{
	__u32 pseudo = ip ? pseudo_sum(ip->at, ip->l,
				       protocol_of(p->l, ip->l->kind == LAYER_IP6),
				       p->rest)
			  : 0;
	__u16 sum;

	switch (p->l->kind) {
	case LAYER_TCP:
		put16(p->at + 16, ~packet_sum(p->at, p->rest, pseudo));
		break;
	case LAYER_UDP:
		sum = ~packet_sum(p->at, p->rest, pseudo);
		if (!p->l->no_check)
			put16(p->at + 6, sum ?: 0xffff);
		break;
	case LAYER_ICMP:
		if (ip && ip->l->kind == LAYER_IP4)
			pseudo = 0;
		put16(p->at + 2, ~packet_sum(p->at, p->rest, pseudo));
		break;
	default:
		break;
	}
}

static void layers_check(const struct placed *placed, size_t n)
{
	while (n--) {
		const struct placed *ip = &placed[n];

		while (ip > placed && !is_ip(ip->l))
			ip--;
		layer_check(&placed[n], is_ip(ip->l) ? ip : NULL);
	}
}

size_t packet_build(void *buf, const struct layer *layers)
{
	size_t len = 0, pad = 0, cut = 0, off = 0, quoted = 0, n;
	struct placed placed[MAX_LAYERS];

	for (n = 0; layers[n].kind != LAYER_END; n++) {
		const struct layer *l = &layers[n];

		*(l->kind == LAYER_PAD ? &pad : &len) += layer_size(l);
		if (l->kind == LAYER_CUT)
			cut = l->n_data;
		if (n && is_ip(l) && l[-1].kind == LAYER_ICMP)
			quoted = n;
	}
	die_unless(n <= MAX_LAYERS && len + pad <= PACKET_MAX, "too long", "");
	memset(buf, 0, PACKET_MAX);

	for (size_t i = 0; i < n; off += layer_size(&layers[i++])) {
		placed[i] = (struct placed){ &layers[i], (__u8 *)buf + off,
					     len - off - (i < quoted ? cut : 0) };
		layer_write(placed[i].at, &layers[i], placed[i].rest);
	}
	layers_check(placed, n);
	memmove((__u8 *)buf + len - cut, (__u8 *)buf + len, pad);
	return len + pad - cut;
}

void packet_print(const char *title, const void *buf, size_t len)
{
	const __u8 *byte = buf;

	fprintf(stderr, "%s, %zu bytes:", title, len);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%s%02x", i % 16 ? " " : "\n  ", byte[i]);
	fprintf(stderr, "\n");
}
