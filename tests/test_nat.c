// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_nat.c - the modes whose replies come through us, as conversations: nat, local, and
 * pings in full NAT.
 */
#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIP2	"10.0.0.21"
#define VIP6	"2001:db8::20"
#define VIP6_2	"2001:db8::21"
#define OWN	"10.0.0.10"	/* where local backends listen */
#define OWN6	"2001:db8::10"
#define PORT	31337		/* the client's */
#define NAT	20000

#define ECHO		ICMP(8, .sport = 7, .dport = 1)
#define ECHO_REPLY	ICMP(0, .sport = 7, .dport = 1)
#define ECHO6		ICMP(128, .sport = 7, .dport = 1)
#define ECHO6_REPLY	ICMP(129, .sport = 7, .dport = 1)
#define HOP		.ttl = 63

static const struct talk rows[] = {
	/* nat: the destination only, and back. */
	{ .name = "nat, tcp",
	  .services = { { ON(VIP, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(PORT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, PORT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(80, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80), DATA("GET /")), KNOWN,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(PORT, 8080),
			     DATA("GET /")) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, PORT), DATA("odd")), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(80, PORT), DATA("odd")) } } },
	{ .name = "nat, udp",
	  .services = { { ON(VIP, 53, UDP, NAT), BACKENDS({ BACKEND1, 5353 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53), DATA("www?")), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(PORT, 5353),
			     DATA("www?")) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), UDP(5353, PORT), DATA("odd")), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(53, PORT), DATA("odd")) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), UDP(5353, PORT, .no_check = true)),
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(53, PORT, .no_check = true)),
		  REPLY } } },
	{ .name = "nat, ping",
	  .services = { { ON(VIP, 0, ICMP, NAT), BACKENDS({ BACKEND1, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO, DATA("ping")), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), ECHO, DATA("ping")) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), ECHO_REPLY, DATA("ping")), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), ECHO_REPLY, DATA("ping")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO, DATA("again")), KNOWN,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), ECHO, DATA("again")) } } },
	{ .name = "nat, tcp over IPv6",
	  .services = { { ON(VIP6, 80, TCP, NAT), BACKENDS({ BACKEND1_6, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), TCP(PORT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, CLIENT6), TCP(8080, PORT), DATA("x")), REPLY,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), TCP(80, PORT), DATA("x")) } } },
	{ .name = "nat, udp over IPv6",
	  .services = { { ON(VIP6, 53, UDP, NAT), BACKENDS({ BACKEND1_6, 5353 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53), DATA("www?")), NEW,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), UDP(PORT, 5353),
			     DATA("www?")) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, CLIENT6), UDP(5353, PORT), DATA("odd")), REPLY,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), UDP(53, PORT), DATA("odd")) } } },
	{ .name = "nat, ping over IPv6",
	  .services = { { ON(VIP6, 0, ICMPV6, NAT), BACKENDS({ BACKEND1_6, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), ECHO6, DATA("ping")), NEW,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), ECHO6, DATA("ping")) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, CLIENT6), ECHO6_REPLY, DATA("ping")), REPLY,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), ECHO6_REPLY,
			     DATA("ping")) } } },

	/* local: the same, but up the own stack and without a hop. */
	{ .name = "local, tcp",
	  .services = { { ON(VIP, 80, TCP, LOCAL), BACKENDS({ OWN, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .ttl = 1), TCP(PORT, 80, SYN)), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN, .ttl = 1), TCP(PORT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), TCP(8080, PORT, SYN_ACK)), REPLY_UP,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), TCP(80, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80), DATA("GET /")), KNOWN_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), TCP(PORT, 8080), DATA("GET /")) } } },
	{ .name = "local, udp, another port of the same address",
	  .services = { { ON(OWN, 9875, UDP, LOCAL), BACKENDS({ OWN, 9876 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9875), DATA("hello")), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9876), DATA("hello")) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(9876, PORT), DATA("hi")), REPLY_UP,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), UDP(9875, PORT), DATA("hi")) } } },
	{ .name = "local, udp on loopback",
	  .services = { { ON("127.0.0.1", 9875, UDP, LOCAL), BACKENDS({ "127.0.0.1", 9876 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4("127.0.0.1", "127.0.0.1"), UDP(PORT, 9875)), NEW_UP,
		  .out = PKT(ETH(), IP4("127.0.0.1", "127.0.0.1"), UDP(PORT, 9876)) },
		{ .in = PKT(ETH(), IP4("127.0.0.1", "127.0.0.1"), UDP(9876, PORT)), REPLY_UP,
		  .out = PKT(ETH(), IP4("127.0.0.1", "127.0.0.1"), UDP(9875, PORT)) } } },
	{ .name = "local, ping",
	  .services = { { ON(VIP, 0, ICMP, LOCAL), BACKENDS({ OWN, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), ECHO) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), ECHO_REPLY), REPLY_UP,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), ECHO_REPLY) } } },
	{ .name = "local, tcp over IPv6",
	  .services = { { ON(VIP6, 80, TCP, LOCAL), BACKENDS({ OWN6, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(PORT, 80, SYN)), NEW_UP,
		  .out = PKT(ETH(), IP6(CLIENT6, OWN6), TCP(PORT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP6(OWN6, CLIENT6), TCP(8080, PORT, SYN_ACK)), REPLY_UP,
		  .out = PKT(ETH(), IP6(VIP6, CLIENT6), TCP(80, PORT, SYN_ACK)) } } },
	{ .name = "local, udp over IPv6",
	  .services = { { ON(VIP6, 53, UDP, LOCAL), BACKENDS({ OWN6, 5353 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53)), NEW_UP,
		  .out = PKT(ETH(), IP6(CLIENT6, OWN6), UDP(PORT, 5353)) },
		{ .in = PKT(ETH(), IP6(OWN6, CLIENT6), UDP(5353, PORT), DATA("x")), REPLY_UP,
		  .out = PKT(ETH(), IP6(VIP6, CLIENT6), UDP(53, PORT), DATA("x")) } } },
	{ .name = "local, ping over IPv6",
	  .services = { { ON(VIP6, 0, ICMPV6, LOCAL), BACKENDS({ OWN6, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), ECHO6), NEW_UP,
		  .out = PKT(ETH(), IP6(CLIENT6, OWN6), ECHO6) },
		{ .in = PKT(ETH(), IP6(OWN6, CLIENT6), ECHO6_REPLY), REPLY_UP,
		  .out = PKT(ETH(), IP6(VIP6, CLIENT6), ECHO6_REPLY) } } },

	/* Pings in full NAT: the identifier is what ports are. */
	{ .name = "full NAT, ping",
	  .services = { { ON(VIP, 0, ICMP, FULLNAT), BACKENDS({ BACKEND1, 0 }), .nat = NAT } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO, DATA("ping")), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP),
			     ICMP(8, .sport = NAT, .dport = 1), DATA("ping")) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), ICMP(0, .sport = NAT, .dport = 1),
			    DATA("ping")), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), ECHO_REPLY, DATA("ping")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO), KNOWN,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP),
			     ICMP(8, .sport = NAT, .dport = 1)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), ICMP(0, .sport = NAT + 1)),
		  PASS(NOT_OURS) } } },
	{ .name = "full NAT, ping over IPv6",
	  .services = { { ON(VIP6, 0, ICMPV6, FULLNAT), BACKENDS({ BACKEND1_6, 0 }),
			  .nat = NAT } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), ECHO6, DATA("ping")), NEW,
		  .out = PKT(TO(BACKEND1), IP6(VIP6, BACKEND1_6, HOP),
			     ICMP(128, .sport = NAT, .dport = 1), DATA("ping")) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, VIP6), ICMP(129, .sport = NAT, .dport = 1),
			    DATA("ping")), REPLY,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), ECHO6_REPLY,
			     DATA("ping")) } } },
	{ .name = "dsr, ping",
	  .services = { { ON(VIP, 0, ICMP, DSR), BACKENDS({ BACKEND1, 0 }, { BACKEND2, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO, DATA("ping")), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), ECHO, DATA("ping")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO), KNOWN, .pick = 2,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), ECHO) } } },
	{ .name = "a ping goes elsewhere when its backend is down",
	  .services = { { ON(VIP, 0, ICMP, NAT), BACKENDS({ BACKEND1, 0 }, { BACKEND2, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), ECHO) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO), NEW, .down = 1, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, BACKEND2, HOP), ECHO) } } },

	/* Which flow a reply is of. */
	{ .name = "services that share a backend: the one with the flow is meant",
	  .services = { { ON(VIP, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) },
			{ ON(VIP2, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) },
			{ ON(VIP, 81, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(1001, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(1001, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), TCP(1002, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(1002, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(1003, 81, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(1003, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, 1001, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(80, 1001, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, 1002, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP2, CLIENT, HOP), TCP(80, 1002, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, 1003, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(81, 1003, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, 1004, SYN_ACK)),
		  PASS(NOT_OURS) } } },
	{ .name = "services that share a backend: a client's port is one's at a time",
	  .services = { { ON(VIP, 80, UDP, NAT), BACKENDS({ BACKEND1, 8080 }) },
			{ ON(VIP2, 80, UDP, NAT), BACKENDS({ BACKEND1, 8080 }, { BACKEND2, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(1001, 80)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(1001, 8080)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), UDP(1001, 80)), DROP(NO_PORT) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), UDP(1002, 80)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(1002, 8080)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), UDP(1001, 80)), NEW, .pick = 3,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, BACKEND2, HOP), UDP(1001, 8080)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), UDP(8080, 1001)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(80, 1001)) },
		{ .in = PKT(ETH(), IP4(BACKEND2, CLIENT), UDP(8080, 1001)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP2, CLIENT, HOP), UDP(80, 1001)) } },
	  .flows = 3 },
	{ .name = "services that share a backend: a closed connection's port is free",
	  .services = { { ON(VIP, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) },
			{ ON(VIP2, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(1001, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(1001, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), TCP(1001, 80, SYN)), DROP(NO_PORT) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(1001, 80, .flags = TH_RST)), KNOWN,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP),
			     TCP(1001, 8080, .flags = TH_RST)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), TCP(1001, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(1001, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, 1001, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP2, CLIENT, HOP), TCP(80, 1001, SYN_ACK)) } } },
	{ .name = "nat and full NAT share a backend",
	  .services = { { ON(VIP, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) },
			{ ON(VIP2, 80, TCP, FULLNAT), BACKENDS({ BACKEND1, 8080 }), .nat = NAT } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(1001, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(1001, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), TCP(1001, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP2, BACKEND1, HOP), TCP(NAT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, 1001, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(80, 1001, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP2), TCP(8080, NAT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP2, CLIENT, HOP), TCP(80, 1001, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP2), TCP(8080, NAT + 1)),
		  DROP(UNKNOWN_REPLY) } } },
	{ .name = "a backend is a client of another service, from its own service's port",
	  .services = { { ON(VIP, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) },
			{ ON(VIP2, 80, TCP, FULLNAT), BACKENDS({ BACKEND2, 8080 }), .nat = NAT } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP2), TCP(8080, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND2), IP4(VIP2, BACKEND2, HOP), TCP(NAT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND2, VIP2), TCP(8080, NAT, SYN_ACK)), REPLY,
		  .out = PKT(TO(BACKEND1), IP4(VIP2, BACKEND1, HOP), TCP(80, 8080, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP2), TCP(8080, 80)), KNOWN,
		  .out = PKT(TO(BACKEND2), IP4(VIP2, BACKEND2, HOP), TCP(NAT, 8080)) } } },
	{ .name = "a backend sends us fragments, to a port that we translate to elsewhere",
	  .services = { { ON(VIP, 80, UDP, NAT), BACKENDS({ BACKEND1, 8080 }) },
			{ ON(OWN, 80, UDP, FULLNAT), BACKENDS({ BACKEND2, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(BACKEND1, OWN, .frag = 0x2000), UDP(8080, 9100)),
		  PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4(BACKEND2, OWN, .frag = 0x2000), UDP(8080, 9100)),
		  DROP(FRAGMENT) } } },
	{ .name = "a backend is a client of its own service in nat mode",
	  .services = { { ON(VIP, 80, TCP, NAT),
			  BACKENDS({ BACKEND1, 80 }, { BACKEND2, 80 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), TCP(80, 80, SYN)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(BACKEND1, BACKEND2, HOP), TCP(80, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND2, BACKEND1), TCP(80, 80, SYN_ACK)), REPLY,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), TCP(80, 80, SYN_ACK)) } } },
	{ .name = "from a nat backend, to nobody that we know",
	  .services = { { ON(VIP, 80, TCP, NAT, .on_unknown = LB_ON_UNKNOWN_DROP), BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, PORT)), PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), TCP(8080, 80)), DROP(UNKNOWN_FLOW) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), UDP(8080, PORT)), PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80)), DROP(UNKNOWN_FLOW) } } },
	{ .name = "a reply from a backend that the flow is not with",
	  .services = { { ON(VIP, 80, TCP, NAT),
			  BACKENDS({ BACKEND1, 8080 }, { BACKEND2, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(PORT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND2, CLIENT), TCP(8080, PORT, SYN_ACK)),
		  PASS(NOT_OURS) } } },
	{ .name = "nat to a client behind a router, by another interface",
	  .services = { { ON(VIP, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(REMOTE_CLIENT, VIP), TCP(PORT, 80, SYN)), NEW, .front = true,
		  .out = PKT(TO(BACKEND1), IP4(REMOTE_CLIENT, BACKEND1, HOP),
			     TCP(PORT, 8080, SYN)), .verdict = XDP_REDIRECT },
		{ .in = PKT(ETH(), IP4(BACKEND1, REMOTE_CLIENT), TCP(8080, PORT, SYN_ACK)), REPLY,
		  .out = PKT(ETH(.dst = ROUTER_MAC, .src = FRONT_MAC),
			     IP4(VIP, REMOTE_CLIENT, HOP), TCP(80, PORT, SYN_ACK)),
		  .verdict = XDP_REDIRECT } } },
	{ .name = "time runs out on the way, in nat as in full NAT",
	  .services = { { ON(VIP, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .ttl = 1), TCP(PORT, 80, SYN)),
		  DROP(TTL_EXPIRED) } } },
};
/* clang-format on */

TALK_MAIN("nat", rows)
