// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_icmp_quote.c - which ICMP errors are about a flow of ours, as conversations.
 *
 * test_icmp.c has what becomes of those that are.
 */
#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.32"
#define VIP2	"10.0.0.33"
#define VIPS	"10.0.0.32/28"
#define VIP6	"2001:db8::a0"
#define VIPS6	"2001:db8::a0/124"
#define ROUTER	"10.0.0.254"
#define ROUTER6	"2001:db8::fe"
#define PORT	31337
#define NAT	20000
#define HOP	.ttl = 63
#define ANY	.last = 65535
#define NONE	.flags = LB_SERVICE_F_PER_PACKET
#define EIGHT	"12345678"
#define PORT4	ICMP(3, .code = 3)	/* unreachable */
#define PORT6	ICMP(1, .code = 4)
#define TOLD	.reason = LB_REASON_ICMP_ERROR
#define FOREIGN	PASS(NOT_OURS)

/* A service that asks a backend, and a first question. */
#define DNS_WORLD	{ ON(VIP, 53, UDP, FULLNAT), .nat = NAT, BACKENDS({ BACKEND1, 5353 }) }
#define DNS_FLOW									\
	{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), NEW,			\
	  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), UDP(NAT, 5353)) }
#define DNS6_WORLD	{ ON(VIP6, 53, UDP, FULLNAT), .nat = NAT, BACKENDS({ BACKEND1_6, 5353 }) }
#define DNS6_FLOW									\
	{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53)), NEW,			\
	  .out = PKT(TO(BACKEND1), IP6(VIP6, BACKEND1_6, HOP), UDP(NAT, 5353)) }

/* The client complains; a packet that is not ours is not changed. */
#define ABOUT(...)  { .in = PKT(ETH(), IP4(CLIENT, VIP), PORT4, __VA_ARGS__), FOREIGN }
#define ABOUT6(...) { .in = PKT(ETH(), IP6(CLIENT6, VIP6), PORT6, __VA_ARGS__), FOREIGN }

static const struct talk rows[] = {
	/* About nothing of ours. */
	{ .name = "about other ends than the flow's",
	  .services = { DNS_WORLD }, .flows = 1,
	  .steps = { DNS_FLOW,
		ABOUT(IP4(VIP, CLIENT), UDP(53, PORT + 1)),
		ABOUT(IP4(VIP, CLIENT), UDP(54, PORT)),
		ABOUT(IP4(VIP, CLIENT), TCP(53, PORT)),
		ABOUT(IP4(VIP, BACKEND2), UDP(53, PORT)),
		ABOUT(IP4(CLIENT, VIP), UDP(PORT, 53)),
		ABOUT(IP4(VIP, BACKEND1), UDP(NAT + 1, 5353)),
		ABOUT(IP4(VIP, BACKEND2), UDP(NAT, 5353)),
		ABOUT(IP4(VIP, BACKEND1), UDP(NAT, 5354)) } },
	{ .name = "to others than who sent what is quoted",
	  .services = { DNS_WORLD },
	  .steps = { DNS_FLOW,
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), PORT4, IP4(VIP, CLIENT), UDP(53, PORT)),
		  FOREIGN },
		{ .in = PKT(ETH(), IP4(ROUTER, BACKEND1), PORT4, IP4(VIP, BACKEND1),
			    UDP(NAT, 5353)), FOREIGN } } },
	{ .name = "quotes of what we do not know",
	  .services = { DNS_WORLD },
	  .steps = { DNS_FLOW,
		ABOUT(IP4(VIP, CLIENT, .type = 47), UDP(53, PORT)),
		ABOUT(IP4(VIP, CLIENT), ICMP(3), IP4(CLIENT, VIP), UDP(PORT, 53)),
		ABOUT(IP4(VIP, CLIENT, .type = IPPROTO_ICMPV6), ICMP(128, .sport = PORT)),
		ABOUT(IP4(VIP, CLIENT, .frag = 0x0010), UDP(53, PORT)),
		ABOUT(IP4(VIP, CLIENT, .version = 5), UDP(53, PORT)),
		ABOUT(IP4(VIP, CLIENT, .words = 4), UDP(53, PORT)),
		ABOUT(IP4(VIP, CLIENT, .words = 15), UDP(53, PORT)),
		ABOUT(IP6(VIP6, CLIENT6), UDP(53, PORT)) } },
	{ .name = "quotes that are too short",
	  .services = { DNS_WORLD },
	  .steps = { DNS_FLOW,
		ABOUT(IP4(VIP, CLIENT), UDP(53, PORT), CUT(1)),
		ABOUT(IP4(VIP, CLIENT), UDP(53, PORT), CUT(1), PAD(9)),
		ABOUT(IP4(VIP, CLIENT), UDP(53, PORT), CUT(8)),
		ABOUT(IP4(VIP, CLIENT), UDP(53, PORT), CUT(9)),
		ABOUT(DATA("")) } },
	{ .name = "messages that are no errors",
	  .services = { DNS_WORLD },
	  .steps = { DNS_FLOW,
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ICMP(5), IP4(VIP, CLIENT), UDP(53, PORT)),
		  FOREIGN },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ICMP(4), IP4(VIP, CLIENT), UDP(53, PORT)),
		  FOREIGN } } },
	{ .name = "quotes of IPv6 that we do not know",
	  .services = { DNS6_WORLD },
	  .steps = { DNS6_FLOW,
		ABOUT6(IP6(VIP6, CLIENT6), EXT(IPPROTO_FRAGMENT, .frag = 8), UDP(53, PORT)),
		ABOUT6(IP6(VIP6, CLIENT6), EXT(IPPROTO_ROUTING, .frag = 1), UDP(53, PORT)),
		ABOUT6(IP6(VIP6, CLIENT6), EXT(IPPROTO_HOPOPTS), EXT(IPPROTO_DSTOPTS),
		       EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS),
		       EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS), UDP(53, PORT)),
		ABOUT6(IP6(VIP6, CLIENT6), UDP(53, PORT), CUT(1)),
		ABOUT6(IP6(VIP6, CLIENT6), EXT(IPPROTO_DSTOPTS), UDP(53, PORT), CUT(9)),
		ABOUT6(IP6(VIP6, CLIENT6, .type = IPPROTO_ICMP), ICMP(0, .sport = PORT)),
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), ICMP(137), IP6(VIP6, CLIENT6),
			    UDP(53, PORT)), FOREIGN } } },
	{ .name = "nothing is remembered of who was asked: persistence none",
	  .services = { { ON(VIP, 53, UDP, DSR, NONE), BACKENDS({ BACKEND1, 53 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), UDP(PORT, 53)) },
		ABOUT(IP4(VIP, CLIENT), UDP(53, PORT)) } },

	/* About ours, in unusual shapes. */
	{ .name = "the first of several fragments",
	  .services = { DNS_WORLD },
	  .steps = { DNS_FLOW,
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ICMP(11, .code = 1),
			    IP4(VIP, CLIENT, .frag = 0x2000), UDP(53, PORT)), TOLD,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), ICMP(11, .code = 1),
			     IP4(BACKEND1, VIP, .frag = 0x2000), UDP(5353, NAT)) } } },
	{ .name = "something behind the quote (RFC 4884), and Ethernet's own",
	  .services = { DNS_WORLD },
	  .steps = { DNS_FLOW,
		{ .in = PKT(ETH(), IP4(ROUTER, VIP), ICMP(11, .sport = 17),
			    IP4(VIP, BACKEND1, .length = 28), UDP(NAT, 5353, .length = 8),
			    DATA(EIGHT EIGHT EIGHT EIGHT EIGHT "\x20\x00\x00\x00"), PAD(3)), TOLD,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), ICMP(11, .sport = 17),
			     IP4(CLIENT, VIP, .length = 28), UDP(PORT, 53, .length = 8),
			     DATA(EIGHT EIGHT EIGHT EIGHT EIGHT "\x20\x00\x00\x00"),
			     PAD(3)) } } },
	{ .name = "no checksum in the quote, and Ethernet's bytes where it would be",
	  .services = { { ON(VIP, 80, TCP, FULLNAT), .nat = NAT, BACKENDS({ BACKEND1, 80 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), TCP(NAT, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), PORT4, IP4(VIP, CLIENT), TCP(80, PORT),
			    CUT(12), PAD(12)), TOLD,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), PORT4, IP4(BACKEND1, VIP),
			     TCP(80, NAT), CUT(12), PAD(12)) } } },
	{ .name = "options and extension headers on both sides",
	  .services = { DNS_WORLD, DNS6_WORLD },
	  .steps = { DNS_FLOW, DNS6_FLOW,
		{ .in = PKT(ETH(), IP4(ROUTER, VIP, BYTES(EIGHT)), PORT4,
			    IP4(VIP, BACKEND1, BYTES(EIGHT EIGHT EIGHT EIGHT EIGHT)),
			    UDP(NAT, 5353), DATA("x")), TOLD,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP, BYTES(EIGHT)), PORT4,
			     IP4(CLIENT, VIP, BYTES(EIGHT EIGHT EIGHT EIGHT EIGHT)),
			     UDP(PORT, 53), DATA("x")) },
		{ .in = PKT(ETH(), IP6(ROUTER6, VIP6), EXT(IPPROTO_HOPOPTS), PORT6,
			    IP6(VIP6, BACKEND1_6), EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS),
			    EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS),
			    EXT(IPPROTO_FRAGMENT), UDP(NAT, 5353)), TOLD,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), EXT(IPPROTO_HOPOPTS), PORT6,
			     IP6(CLIENT6, VIP6), EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS),
			     EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS),
			     EXT(IPPROTO_FRAGMENT), UDP(PORT, 53)) } } },

	/* The way. */
	{ .name = "the last hop",
	  .services = { DNS_WORLD, DNS6_WORLD },
	  .steps = { DNS_FLOW, DNS6_FLOW,
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .ttl = 1), PORT4, IP4(VIP, CLIENT),
			    UDP(53, PORT)), DROP(TTL_EXPIRED) },
		{ .in = PKT(ETH(), IP6(ROUTER6, VIP6, .ttl = 1), PORT6, IP6(VIP6, BACKEND1_6),
			    UDP(NAT, 5353)), DROP(TTL_EXPIRED) } } },
	{ .name = "a backend that is down",
	  .services = { { ON(VIP, 80, TCP, FULLNAT), .nat = NAT, BACKENDS({ BACKEND1, 80 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), TCP(NAT, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), PORT4, IP4(VIP, CLIENT), TCP(80, PORT)),
		  .down = 1, DROP(BACKEND_DOWN) },
		{ .in = PKT(ETH(), IP4(ROUTER, VIP), PORT4, IP4(VIP, BACKEND1), TCP(NAT, 80)),
		  DROP(BACKEND_DOWN) } } },
	{ .name = "to a client on another interface",
	  .services = { DNS_WORLD },
	  .steps = {
		{ .in = PKT(ETH(), IP4(FAR_CLIENT, VIP), UDP(PORT, 53)), NEW, .front = true,
		  .verdict = XDP_REDIRECT,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), UDP(NAT, 5353)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), PORT4, IP4(VIP, BACKEND1), UDP(NAT, 5353)),
		  TOLD, .verdict = XDP_REDIRECT,
		  .out = PKT(ETH(.dst = FAR_CLIENT_MAC, .src = FRONT_MAC),
			     IP4(VIP, FAR_CLIENT, HOP), PORT4, IP4(FAR_CLIENT, VIP),
			     UDP(PORT, 53)) } } },
	{ .name = "to a client whose MAC is not known",
	  .services = { DNS_WORLD },
	  .steps = {
		{ .in = PKT(ETH(), IP4(SILENT, VIP), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), UDP(NAT, 5353)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), PORT4, IP4(VIP, BACKEND1), UDP(NAT, 5353)),
		  PASS(RESOLVING), .mark = true,
		  .out = PKT(ETH(), IP4(VIP, SILENT, HOP), PORT4, IP4(SILENT, VIP),
			     UDP(PORT, 53)) } } },

	/* Services of several addresses or ports, and flows that share a backend. */
	{ .name = "any port of a prefix, full NAT",
	  .services = { { ON(VIPS, 0, UDP, FULLNAT, ANY), .nat = NAT, BACKENDS({ BACKEND1, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), UDP(PORT, 99)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP2, BACKEND1, HOP), UDP(NAT, 99)) },
		{ .in = PKT(ETH(), IP4(ROUTER, VIP2), PORT4, IP4(VIP2, BACKEND1), UDP(NAT, 99)),
		  TOLD,
		  .out = PKT(TO(CLIENT), IP4(VIP2, CLIENT, HOP), PORT4, IP4(CLIENT, VIP2),
			     UDP(PORT, 99)) },
		{ .in = PKT(ETH(), IP4(ROUTER, VIP2), PORT4, IP4(VIP2, CLIENT), UDP(99, PORT)),
		  TOLD,
		  .out = PKT(TO(BACKEND1), IP4(VIP2, BACKEND1, HOP), PORT4, IP4(BACKEND1, VIP2),
			     UDP(99, NAT)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), PORT4, IP4(VIP2, CLIENT), UDP(98, PORT)),
		  FOREIGN },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), PORT4, IP4(VIP, CLIENT), UDP(99, PORT)),
		  FOREIGN },
		{ .in = PKT(ETH(), IP4(ROUTER, VIP2), PORT4, IP4(VIP2, BACKEND1), UDP(NAT, 98)),
		  FOREIGN } } },
	{ .name = "a range, nat over IPv6",
	  .services = { { ON(VIPS6, 90, UDP, NAT, .last = 99), BACKENDS({ BACKEND1_6, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 99)), NEW,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), UDP(PORT, 99)) },
		{ .in = PKT(ETH(), IP6(ROUTER6, CLIENT6), PORT6, IP6(CLIENT6, BACKEND1_6),
			    UDP(PORT, 99)), TOLD,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), PORT6, IP6(CLIENT6, VIP6),
			     UDP(PORT, 99)) },
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), PORT6, IP6(VIP6, CLIENT6), UDP(99, PORT)),
		  TOLD,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), PORT6,
			     IP6(BACKEND1_6, CLIENT6), UDP(99, PORT)) } } },
	{ .name = "any port, dsr",
	  .services = { { ON(VIP, 0, TCP, DSR, ANY), BACKENDS({ BACKEND1, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 22, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), TCP(PORT, 22, SYN)) },
		{ .in = PKT(ETH(), IP4(ROUTER, VIP, .ttl = 1), ICMP(3, .code = 4, .dport = 1400),
			    IP4(VIP, CLIENT), TCP(22, PORT), DATA("abcd"), CUT(16)), TOLD,
		  .out = PKT(TO(BACKEND1), IP4(ROUTER, VIP, .ttl = 1),
			     ICMP(3, .code = 4, .dport = 1400),
			     IP4(VIP, CLIENT), TCP(22, PORT), DATA("abcd"), CUT(16)) },
		ABOUT(IP4(VIP, CLIENT), TCP(23, PORT)) } },
	{ .name = "persistence none, full NAT: the client learns what a backend says",
	  .services = { { ON(VIP, 53, UDP, FULLNAT, NONE), .nat = NAT,
			  BACKENDS({ BACKEND1, 5353 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), UDP(NAT, 5353)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), PORT4, IP4(VIP, BACKEND1),
			    UDP(NAT, 5353)), TOLD,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), PORT4, IP4(CLIENT, VIP),
			     UDP(PORT, 53)) },
		ABOUT(IP4(VIP, CLIENT), UDP(53, PORT)) } },
	{ .name = "two services with the same backend, nat",
	  .services = { { ON(VIP, 53, UDP, NAT), BACKENDS({ BACKEND1, 5353 }) },
			{ ON(VIP2, 53, UDP, NAT), BACKENDS({ BACKEND1, 5353 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(PORT, 5353)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT + 1, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(PORT + 1, 5353)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), PORT4, IP4(CLIENT, BACKEND1),
			    UDP(PORT, 5353)), TOLD,
		  .out = PKT(TO(CLIENT), IP4(VIP2, CLIENT, HOP), PORT4, IP4(CLIENT, VIP2),
			     UDP(PORT, 53)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), PORT4, IP4(CLIENT, BACKEND1),
			    UDP(PORT + 1, 5353)), TOLD,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), PORT4, IP4(CLIENT, VIP),
			     UDP(PORT + 1, 53)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), PORT4, IP4(CLIENT, BACKEND1),
			    UDP(PORT + 2, 5353)), FOREIGN } } },
};
/* clang-format on */

TALK_MAIN("icmp_quote", rows)
