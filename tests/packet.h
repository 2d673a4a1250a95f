/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packet.h - write a packet as the list of its layers.
 *
 *	PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, 80, .flags = TH_SYN), DATA("x"))
 *
 * What a layer does not say is filled in: lengths, next protocols and correct
 * checksums, TTL 64, TCP flag ACK.  A packet in a packet is written as its layers follow:
 * a tunnel's, or what an ICMP error quotes.  So a row states only what it is about, and a
 * row that expects a packet proves its checksums as well: they are computed from
 * the bytes here, never updated incrementally as the data path does.
 */
#ifndef TEST_PACKET_H
#define TEST_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* clang-format off */
#define PACKET_MAX 2048

#define TH_FIN 0x01
#define TH_SYN 0x02
#define TH_RST 0x04
#define TH_PSH 0x08
#define TH_ACK 0x10

enum layer_kind {
	LAYER_END,
	LAYER_ETH,
	LAYER_VLAN,
	LAYER_IP4,
	LAYER_IP6,
	LAYER_EXT,
	LAYER_TCP,
	LAYER_UDP,
	LAYER_ICMP,
	LAYER_DATA,
	LAYER_CUT,
	LAYER_PAD,
};

struct layer {
	enum layer_kind kind;
	const char *src, *dst;	/* addresses, MAC or IP, as text */
	__u16 sport, dport;	/* ports; ICMP: identifier and sequence */
	__u16 type;		/* ETH, VLAN: ethertype; IP, EXT: protocol; 0: by what follows */
	__u16 tag;		/* VLAN */
	__u16 frag;		/* IP4, EXT: the fragment word; routing EXT: type, segments left */
	__u8 ttl;		/* 0: 64 */
	__u8 tos;
	__u8 version;		/* IP: 0: the right one */
	__u8 words;		/* header length of IP4, TCP in words; 0: the right one */
	__u8 own;		/* EXT: which extension header; ICMP: its type */
	__u8 code;		/* ICMP */
	__u8 flags;		/* TCP: 0: ACK */
	__u32 seq, ack;
	size_t length;		/* total or payload length as stated; 0: the right one */
	bool expired;		/* IP: TTL or hop limit 0 */
	bool no_check;		/* UDP: checksum 0 */
	bool plain;		/* IP: identification or flow label 0; TCP: window 0 */
	__u16 id;		/* IP4: identification, if it is not 0 */
	__u32 label;		/* IP6: flow label, if it is not 0 */
	const char *data;	/* payload, or options: a multiple of four bytes */
	size_t n_data;
};

#define PKT(...)	((const struct layer[]){ __VA_ARGS__, { .kind = LAYER_END } })
#define ETH(...)	{ .kind = LAYER_ETH, __VA_ARGS__ }
#define VLAN(id, ...)	{ .kind = LAYER_VLAN, .tag = (id), __VA_ARGS__ }
#define IP4(s, d, ...)	{ .kind = LAYER_IP4, .src = (s), .dst = (d), __VA_ARGS__ }
#define IP6(s, d, ...)	{ .kind = LAYER_IP6, .src = (s), .dst = (d), __VA_ARGS__ }
#define TCP(s, d, ...)	{ .kind = LAYER_TCP, .sport = (s), .dport = (d), __VA_ARGS__ }
#define UDP(s, d, ...)	{ .kind = LAYER_UDP, .sport = (s), .dport = (d), __VA_ARGS__ }
#define ICMP(t, ...)	{ .kind = LAYER_ICMP, .own = (t), __VA_ARGS__ }
/* An extension header of eight bytes and, with .data, more: IPPROTO_HOPOPTS ... */
#define EXT(header, ...) { .kind = LAYER_EXT, .own = (header), __VA_ARGS__ }
#define BYTES(text)	.data = (text), .n_data = sizeof(text) - 1
#define DATA(text)	{ .kind = LAYER_DATA, BYTES(text) }
/* The last N bytes of what an ICMP error quotes are not there: in no length and checksum of
 * the layers up to the ICMP header, in all of those behind it. */
#define CUT(n)		{ .kind = LAYER_CUT, .n_data = (n) }
/* What Ethernet adds to short frames: the last layer, in no other layer's length. */
#define PAD(n)		{ .kind = LAYER_PAD, .n_data = (n) }

/* MAC addresses of a layer ETH() that names none. */
#define PACKET_MAC_SRC	"02:00:00:00:00:01"
#define PACKET_MAC_DST	"02:00:00:00:00:02"
/* clang-format on */

/* Write @layers into @buf, which is PACKET_MAX bytes; return the packet's length. */
size_t packet_build(void *buf, const struct layer *layers);

/* One's complement sum, folded, of @len bytes as big-endian words; continues @sum. */
__u16 packet_sum(const void *at, size_t len, __u32 sum);

void packet_print(const char *title, const void *buf, size_t len);

#endif /* TEST_PACKET_H */
