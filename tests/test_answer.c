// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_answer.c - what the balancer says itself, as conversations.
 *
 * Services without a backend, and addresses whose pings it answers.
 */
#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIP6	"2001:db8::20"
#define PORT	31337
#define EIGHT	"12345678"
#define NONE	.flags = LB_SERVICE_F_PER_PACKET
#define PINGED	.flags = LB_SERVICE_F_ICMP_REPLY

/* Back where it came from, as a host of its own would say it. */
#define BACK	ETH(.dst = PACKET_MAC_SRC, .src = PACKET_MAC_DST)
#define OURS4	IP4(VIP, CLIENT, .tos = 0xc0, .frag = 0x4000, .plain = true)
#define OURS6	IP6(VIP6, CLIENT6, .tos = 0xc0, .plain = true)
#define TOLD	.reason = LB_REASON_NO_BACKEND
#define RST(...) TCP(80, PORT, .flags = TH_RST | TH_ACK, .plain = true, __VA_ARGS__)
#define RST_FOR_ACK(...) TCP(80, PORT, .flags = TH_RST, .plain = true, __VA_ARGS__)
#define PING4	ICMP(8, .sport = 7, .dport = 1)
#define PONG4	ICMP(0, .sport = 7, .dport = 1)
#define PING6	ICMP(128, .sport = 7, .dport = 1)
#define PONG6	ICMP(129, .sport = 7, .dport = 1)

static const struct talk rows[] = {
	{ .name = "resets",
	  .services = { { ON(VIP, 80, TCP, FULLNAT) } }, .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN, .seq = 7)), TOLD,
		  .out = PKT(BACK, OURS4, RST(.ack = 8)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN, .seq = 0xffffffff)), TOLD,
		  .out = PKT(BACK, OURS4, RST(.ack = 0)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN, .seq = 7,
			    BYTES("\x02\x04\x05\xb4" EIGHT)), DATA("hello")), TOLD,
		  .out = PKT(BACK, OURS4, RST(.ack = 13)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN, .seq = 7), PAD(6)), TOLD,
		  .out = PKT(BACK, OURS4, RST(.ack = 8)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, BYTES(EIGHT), .ttl = 1),
			    TCP(PORT, 80, SYN, .seq = 7), DATA("x")), TOLD,
		  .out = PKT(BACK, OURS4, RST(.ack = 9)) },
		{ .in = PKT(ETH(), VLAN(42), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), TOLD,
		  .out = PKT(BACK, VLAN(42), OURS4, RST(.ack = 1)) },
		{ .in = PKT(ETH(.type = 0x88a8), VLAN(1), VLAN(2), IP4(CLIENT, VIP),
			    TCP(PORT, 80, SYN), DATA("odd")), TOLD,
		  .out = PKT(ETH(.dst = PACKET_MAC_SRC, .src = PACKET_MAC_DST, .type = 0x88a8),
			     VLAN(1), VLAN(2), OURS4, RST(.ack = 4)) } } },
	{ .name = "resets over IPv6",
	  .services = { { ON(VIP6, 80, TCP, GUE) } }, .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(PORT, 80, SYN, .seq = 7)), TOLD,
		  .out = PKT(BACK, OURS6, RST(.ack = 8)) },
		{ .in = PKT(ETH(), VLAN(7), IP6(CLIENT6, VIP6), EXT(IPPROTO_HOPOPTS),
			    EXT(IPPROTO_DSTOPTS, BYTES(EIGHT)),
			    TCP(PORT, 80, SYN, .seq = 7), DATA("hello")), TOLD,
		  .out = PKT(BACK, VLAN(7), OURS6, RST(.ack = 13)) } } },
	{ .name = "resets of what has no connection",
	  .services = { { ON(VIP, 80, TCP, DSR, NONE) } }, .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, .seq = 7, .ack = 99),
			    DATA("x")), TOLD,
		  .out = PKT(BACK, OURS4, RST_FOR_ACK(.seq = 99)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN_ACK, .seq = 7, .ack = 9)),
		  TOLD, .out = PKT(BACK, OURS4, RST_FOR_ACK(.seq = 9)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, .flags = TH_FIN, .seq = 7),
			    DATA("abc")), TOLD,
		  .out = PKT(BACK, OURS4, RST(.ack = 11)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, .flags = TH_RST)),
		  DROP(EMPTY_DROP) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, .flags = TH_RST | TH_ACK)),
		  DROP(EMPTY_DROP) } } },
	{ .name = "port unreachable",
	  .services = { { ON(VIP, 53, UDP, NAT) } }, .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53), DATA("www")), TOLD,
		  .out = PKT(BACK, OURS4, ICMP(3, .code = 3),
			     IP4(CLIENT, VIP), UDP(PORT, 53), DATA("www")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53), PAD(18)), TOLD,
		  .out = PKT(BACK, OURS4, ICMP(3, .code = 3), IP4(CLIENT, VIP), UDP(PORT, 53)) },
		{ .in = PKT(ETH(), VLAN(1), VLAN(2), IP4(CLIENT, VIP, BYTES(EIGHT)),
			    UDP(PORT, 53), DATA("odd")), TOLD,
		  .out = PKT(BACK, VLAN(1), VLAN(2), OURS4, ICMP(3, .code = 3),
			     IP4(CLIENT, VIP, BYTES(EIGHT)), UDP(PORT, 53), DATA("odd")) } } },
	{ .name = "port unreachable over IPv6",
	  .services = { { ON(VIP6, 53, UDP, LOCAL) } }, .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53), DATA("w")), TOLD,
		  .out = PKT(BACK, OURS6, ICMP(1, .code = 4),
			     IP6(CLIENT6, VIP6), UDP(PORT, 53), DATA("w")) },
		{ .in = PKT(ETH(), VLAN(1), IP6(CLIENT6, VIP6), EXT(IPPROTO_HOPOPTS),
			    UDP(PORT, 53), DATA("ww")), TOLD,
		  .out = PKT(BACK, VLAN(1), OURS6, ICMP(1, .code = 4), IP6(CLIENT6, VIP6),
			     EXT(IPPROTO_HOPOPTS), UDP(PORT, 53), DATA("ww")) } } },
	{ .name = "a ping to a service without backends",
	  .services = { { ON(VIP, 0, ICMP, DSR) }, { ON(VIP6, 0, ICMPV6, FULLNAT) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), PING4, DATA("ping")), TOLD,
		  .out = PKT(BACK, OURS4, ICMP(3, .code = 3), IP4(CLIENT, VIP), PING4,
			     DATA("ping")) },
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), PING6, DATA("pin")), TOLD,
		  .out = PKT(BACK, OURS6, ICMP(1, .code = 4), IP6(CLIENT6, VIP6), PING6,
			     DATA("pin")) } } },
	{ .name = "any port, and fragments for it",
	  .services = { { ON(VIP, 0, UDP, DSR, .last = 65535), .promises = LB_PROMISE_ADDRESS } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 9), DATA("x")), TOLD,
		  .out = PKT(BACK, OURS4, ICMP(3, .code = 3),
			     IP4(CLIENT, VIP), UDP(PORT, 9), DATA("x")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = 0x2000), UDP(PORT, 9)),
		  .verdict = XDP_DROP } } },

	/* Who is told nothing. */
	{ .name = "what is not from one host, or not to one",
	  .services = { { ON(VIP, 53, UDP, NAT) }, { ON(VIP6, 53, UDP, NAT) },
			{ ON(VIP, 80, TCP, NAT) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4("224.0.0.1", VIP), UDP(PORT, 53)), DROP(EMPTY_DROP) },
		{ .in = PKT(ETH(), IP4("255.255.255.255", VIP), UDP(PORT, 53)), DROP(EMPTY_DROP) },
		{ .in = PKT(ETH(), IP4("0.0.0.0", VIP), UDP(PORT, 53)), DROP(EMPTY_DROP) },
		{ .in = PKT(ETH(), IP4("224.0.0.1", VIP), TCP(PORT, 80, SYN)), DROP(EMPTY_DROP) },
		{ .in = PKT(ETH(), IP6("ff02::1", VIP6), UDP(PORT, 53)), DROP(EMPTY_DROP) },
		{ .in = PKT(ETH(), IP6("::", VIP6), UDP(PORT, 53)), DROP(EMPTY_DROP) },
		{ .in = PKT(ETH(.dst = "ff:ff:ff:ff:ff:ff"), IP4(CLIENT, VIP), UDP(PORT, 53)),
		  DROP(EMPTY_DROP) },
		{ .in = PKT(ETH(.dst = "33:33:00:00:00:01"), IP6(CLIENT6, VIP6), UDP(PORT, 53)),
		  DROP(EMPTY_DROP) },
		{ .in = PKT(ETH(.src = "01:00:5e:00:00:01"), IP4(CLIENT, VIP), UDP(PORT, 53)),
		  DROP(EMPTY_DROP) } } },
	{ .name = "an ICMP error about a service without backends is not ours",
	  .services = { { ON(VIP, 53, UDP, NAT) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ICMP(3, .code = 3), IP4(VIP, CLIENT),
			    UDP(53, PORT)), PASS(NOT_OURS) } } },

	/* Pings. */
	{ .name = "echo replies",
	  .services = { { ON(VIP, 80, TCP, NAT, PINGED) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), PING4, DATA("ping")),
		  .reason = LB_REASON_ECHO,
		  .out = PKT(BACK, IP4(VIP, CLIENT), PONG4, DATA("ping")) },
		{ .in = PKT(ETH(), VLAN(42), IP4(CLIENT, VIP, .ttl = 1, .tos = 0xb8, BYTES(EIGHT)),
			    PING4, DATA("odd"), PAD(5)), .reason = LB_REASON_ECHO,
		  .out = PKT(BACK, VLAN(42), IP4(VIP, CLIENT, .tos = 0xb8, BYTES(EIGHT)),
			     PONG4, DATA("odd"), PAD(5)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .ttl = 255), PING4), .reason = LB_REASON_ECHO,
		  .out = PKT(BACK, IP4(VIP, CLIENT), PONG4) },
		/* A checksum that comes out as 0, and one byte from it. */
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), PING4, DATA("\xff\xf7")),
		  .reason = LB_REASON_ECHO,
		  .out = PKT(BACK, IP4(VIP, CLIENT), PONG4, DATA("\xff\xf7")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = 0x2000), PING4), PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4("224.0.0.1", VIP), PING4), DROP(ECHO) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), PONG4), PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4(CLIENT, "10.0.0.21"), PING4), PASS(NOT_OURS) } } },
	{ .name = "echo replies over IPv6",
	  .services = { { ON(VIP6, 80, TCP, NAT, PINGED) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), PING6, DATA("ping")),
		  .reason = LB_REASON_ECHO,
		  .out = PKT(BACK, IP6(VIP6, CLIENT6), PONG6, DATA("ping")) },
		{ .in = PKT(ETH(), VLAN(1), VLAN(2), IP6(CLIENT6, VIP6, .ttl = 2),
			    EXT(IPPROTO_DSTOPTS), PING6, DATA("odd")), .reason = LB_REASON_ECHO,
		  .out = PKT(BACK, VLAN(1), VLAN(2), IP6(VIP6, CLIENT6), EXT(IPPROTO_DSTOPTS),
			     PONG6, DATA("odd")) },
		{ .in = PKT(ETH(), IP6("ff02::1", VIP6), PING6), DROP(ECHO) } } },
};
/* clang-format on */

TALK_MAIN("answer", rows)
