// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_wide.c - services of any port, of ranges and of prefixes, as conversations.
 */
#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.32"
#define VIP2	"10.0.0.33"
#define VIPS	"10.0.0.32/28"
#define VIP6	"2001:db8::a0"
#define VIP6_2	"2001:db8::a1"
#define VIPS6	"2001:db8::a0/124"
#define OWN	"10.0.0.10"
#define PORT	31337
#define NAT	20000
#define HOP	.ttl = 63
#define ANY	.last = 65535
#define MF	0x2000		/* the first of several fragments */
#define LATER	0x0010		/* one without ports */

#define ECHO		ICMP(8, .sport = 7, .dport = 1)
#define ECHO_REPLY	ICMP(0, .sport = 7, .dport = 1)

/* A SYN to @number of @vip goes to that backend, by its MAC. */
#define LANDS(vip, number, host)							\
	{ .in = PKT(ETH(), IP4(CLIENT, vip), TCP(PORT, number, SYN)), NEW,		\
	  .out = PKT(ETH(.dst = host##_MAC, .src = BACK_MAC), IP4(CLIENT, vip), TCP(PORT, number, SYN)) }
#define LANDS6(vip, number, host)							\
	{ .in = PKT(ETH(), IP6(CLIENT6, vip), TCP(PORT, number, SYN)), NEW,		\
	  .out = PKT(ETH(.dst = host##_MAC, .src = BACK_MAC), IP6(CLIENT6, vip), TCP(PORT, number, SYN)) }

static const struct talk rows[] = {
	/* Which service: the most specific. */
	{ .name = "an exact service, then a range, then any port",
	  .services = { { ON(VIP, 0, TCP, DSR, ANY), BACKENDS({ BACKEND1, 0 }) },
			{ ON(VIP, 8000, TCP, DSR, .last = 8010), BACKENDS({ BACKEND2, 0 }) },
			{ ON(VIP, 8005, TCP, DSR), BACKENDS({ BACKEND3, 8005 }) } },
	  .steps = { LANDS(VIP, 8005, BACKEND3), LANDS(VIP, 8000, BACKEND2),
		     LANDS(VIP, 8010, BACKEND2), LANDS(VIP, 7999, BACKEND1),
		     LANDS(VIP, 8011, BACKEND1), LANDS(VIP, 65535, BACKEND1),
		     { .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 8005)), PASS(NOT_OURS) },
		     { .in = PKT(ETH(), IP4(CLIENT, VIP2), TCP(PORT, 8005, SYN)),
		       PASS(NOT_OURS) } } },
	{ .name = "an address, then a longer prefix, then a shorter one",
	  .services = { { ON("10.0.0.0/24", 80, TCP, DSR), BACKENDS({ BACKEND1, 80 }) },
			{ ON(VIPS, 80, TCP, DSR), BACKENDS({ BACKEND2, 80 }) },
			{ ON(VIP, 80, TCP, DSR), BACKENDS({ BACKEND3, 80 }) } },
	  .steps = { LANDS(VIP, 80, BACKEND3), LANDS(VIP2, 80, BACKEND2),
		     LANDS("10.0.0.47", 80, BACKEND2), LANDS("10.0.0.48", 80, BACKEND1),
		     { .in = PKT(ETH(), IP4(CLIENT, VIP2), TCP(PORT, 81, SYN)), PASS(NOT_OURS) },
		     { .in = PKT(ETH(), IP4(CLIENT, "10.0.1.1"), TCP(PORT, 80, SYN)),
		       PASS(NOT_OURS) } } },
	{ .name = "a longer prefix comes before a narrower range",
	  .services = { { ON("10.0.0.0/24", 80, TCP, DSR), BACKENDS({ BACKEND1, 80 }) },
			{ ON(VIPS, 0, TCP, DSR, ANY), BACKENDS({ BACKEND2, 0 }) },
			{ ON(VIPS, 90, TCP, DSR, .last = 99), BACKENDS({ BACKEND3, 0 }) } },
	  .steps = { LANDS(VIP, 80, BACKEND2), LANDS(VIP, 90, BACKEND3),
		     LANDS("10.0.0.99", 80, BACKEND1),
		     { .in = PKT(ETH(), IP4(CLIENT, "10.0.0.99"), TCP(PORT, 90, SYN)),
		       PASS(NOT_OURS) } } },
	{ .name = "a longer prefix has other ports: the shorter one's are still found",
	  .services = { { ON("10.0.0.0/24", 80, TCP, DSR), BACKENDS({ BACKEND1, 80 }) },
			{ ON(VIPS, 90, TCP, DSR), BACKENDS({ BACKEND2, 90 }) } },
	  .steps = { LANDS(VIP, 80, BACKEND1), LANDS(VIP, 90, BACKEND2) } },
	{ .name = "the same over IPv6",
	  .services = { { ON("2001:db8::/64", 0, TCP, DSR, ANY), BACKENDS({ BACKEND1_6, 0 }) },
			{ ON(VIPS6, 80, TCP, DSR, .last = 89), BACKENDS({ BACKEND2_6, 0 }) },
			{ ON(VIP6, 80, TCP, DSR), BACKENDS({ BACKEND3_6, 80 }) } },
	  .steps = { LANDS6(VIP6, 80, BACKEND3), LANDS6(VIP6, 81, BACKEND2),
		     LANDS6(VIP6_2, 80, BACKEND2), LANDS6(VIP6_2, 90, BACKEND1),
		     LANDS6("2001:db8::b0", 80, BACKEND1),
		     { .in = PKT(ETH(), IP6(CLIENT6, "2001:db8:1::1"), TCP(PORT, 80, SYN)),
		       PASS(NOT_OURS) } } },

	/* Flows: each of its own address and port. */
	{ .name = "one client port to two ports and two addresses, dsr",
	  .services = { { ON(VIPS, 0, UDP, DSR, ANY),
			  BACKENDS({ BACKEND1, 0 }, { BACKEND2, 0 }, { BACKEND3, 0 }) } },
	  .flows = 3,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 1)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), UDP(PORT, 1)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 2)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, VIP), UDP(PORT, 2)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), UDP(PORT, 1)), NEW, .pick = 3,
		  .out = PKT(TO(BACKEND3), IP4(CLIENT, VIP2), UDP(PORT, 1)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 1)), KNOWN,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), UDP(PORT, 1)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 2)), KNOWN,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, VIP), UDP(PORT, 2)) } } },
	{ .name = "any port, full NAT: replies come from where the client sent to",
	  .services = { { ON(VIPS, 0, TCP, FULLNAT, ANY), .nat = NAT,
			  BACKENDS({ BACKEND1, 0 }) } },
	  .flows = 3,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), TCP(NAT, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 81, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), TCP(NAT, 81, SYN)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP2, BACKEND1, HOP), TCP(NAT, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), TCP(81, NAT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(81, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), TCP(80, NAT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(80, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP2), TCP(80, NAT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP2, CLIENT, HOP), TCP(80, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), TCP(PORT, 80)), KNOWN,
		  .out = PKT(TO(BACKEND1), IP4(VIP2, BACKEND1, HOP), TCP(NAT, 80)) } } },
	{ .name = "a range, full NAT to one port over IPv6",
	  .services = { { ON(VIP6, 8000, TCP, FULLNAT, .last = 8009), .nat = NAT,
			  BACKENDS({ BACKEND1_6, 80 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(PORT, 8003, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP6(VIP6, BACKEND1_6, HOP), TCP(NAT, 80, SYN)) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, VIP6), TCP(80, NAT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), TCP(8003, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(PORT, 8003)), KNOWN,
		  .out = PKT(TO(BACKEND1), IP6(VIP6, BACKEND1_6, HOP), TCP(NAT, 80)) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, VIP6), TCP(80, NAT + 1)),
		  DROP(UNKNOWN_REPLY) } } },
	{ .name = "a translated port that is an exact service's too",
	  .services = { { ON(VIP, 0, TCP, FULLNAT, ANY), .nat = NAT, BACKENDS({ BACKEND1, 0 }) },
			{ ON(VIP, NAT, TCP, FULLNAT), BACKENDS({ BACKEND2, 80 }), .nat = 999 } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 22, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), TCP(NAT, 22, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), TCP(22, NAT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(22, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, NAT, SYN)), NEW,
		  .out = PKT(TO(BACKEND2), IP4(VIP, BACKEND2, HOP), TCP(999, 80, SYN)) } } },
	{ .name = "any port, nat",
	  .services = { { ON(VIP, 0, TCP, NAT, ANY), BACKENDS({ BACKEND1, 0 }) } },
	  .flows = 2,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(PORT, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 81, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(PORT, 81, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(81, PORT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(81, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(80, PORT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(80, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(82, PORT)), PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4(BACKEND1, "10.0.0.99"), TCP(80, PORT)),
		  PASS(NOT_OURS) } } },
	{ .name = "any port, nat over IPv6",
	  .services = { { ON(VIPS6, 0, UDP, NAT, ANY), BACKENDS({ BACKEND1_6, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6_2), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), UDP(PORT, 53)) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, CLIENT6), UDP(53, PORT)), REPLY,
		  .out = PKT(TO(CLIENT), IP6(VIP6_2, CLIENT6, HOP), UDP(53, PORT)) } } },
	{ .name = "nat of a prefix: a reply could be of either address, so one has to wait",
	  .services = { { ON(VIPS, 53, UDP, NAT), BACKENDS({ BACKEND1, 53 }) } },
	  .flows = 1,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(PORT, 53)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), UDP(PORT, 53)), DROP(NO_PORT) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), UDP(53, PORT)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(53, PORT)) } } },
	{ .name = "any port, local",
	  .services = { { ON(VIP, 0, UDP, LOCAL, ANY), BACKENDS({ OWN, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 53)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(53, PORT)), REPLY_UP,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), UDP(53, PORT)) } } },
	{ .name = "a backend's reply, when its own address is a service's too",
	  .services = { { ON(VIP, 0, TCP, NAT, ANY), BACKENDS({ BACKEND1, 0 }) },
			{ ON(CLIENT, 0, TCP, DSR, ANY), BACKENDS({ BACKEND2, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(PORT, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(80, PORT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(80, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(81, PORT, SYN)), NEW,
		  .out = PKT(TO(BACKEND2), IP4(BACKEND1, CLIENT), TCP(81, PORT, SYN)) } } },
	{ .name = "ping of a prefix, nat and full NAT",
	  .services = { { ON(VIPS, 0, ICMP, FULLNAT), BACKENDS({ BACKEND1, 0 }), .nat = NAT },
			{ ON("10.0.0.48/28", 0, ICMP, NAT), BACKENDS({ BACKEND2, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), ECHO), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP2, BACKEND1, HOP),
			     ICMP(8, .sport = NAT, .dport = 1)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP2), ICMP(0, .sport = NAT, .dport = 1)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP2, CLIENT, HOP), ECHO_REPLY) },
		{ .in = PKT(ETH(), IP4(CLIENT, "10.0.0.49"), ECHO), NEW,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, BACKEND2, HOP), ECHO) },
		{ .in = PKT(ETH(), IP4(BACKEND2, CLIENT), ECHO_REPLY), REPLY,
		  .out = PKT(TO(CLIENT), IP4("10.0.0.49", CLIENT, HOP), ECHO_REPLY) } } },
	{ .name = "a connection's port is used again for another address",
	  .services = { { ON(VIPS, 80, TCP, NAT), BACKENDS({ BACKEND1, 80 }) } },
	  .flows = 1,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(PORT, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(80, PORT, .flags = TH_RST)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(80, PORT, .flags = TH_RST)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(PORT, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(80, PORT, SYN_ACK)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP2, CLIENT, HOP), TCP(80, PORT, SYN_ACK)) } } },
	{ .name = "without a flow: tcp in the middle, replies nobody asked for",
	  .services = { { ON(VIP, 0, TCP, FULLNAT, ANY, .on_unknown = LB_ON_UNKNOWN_DROP), BACKENDS({ BACKEND1, 0 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80)), DROP(UNKNOWN_FLOW) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), TCP(80, NAT, SYN_ACK)),
		  DROP(UNKNOWN_FLOW) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(80, NAT, SYN_ACK)),
		  PASS(NOT_OURS) } } },

	{ .name = "a nat backend of any port asks us something on a port that we translate to",
	  .services = { { ON(VIP, 0, TCP, NAT, ANY), BACKENDS({ BACKEND1, 0 }) },
			{ ON(OWN, 80, TCP, FULLNAT), BACKENDS({ BACKEND2, 80 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(BACKEND1, OWN), TCP(PORT, 9100, SYN)), PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4(BACKEND2, OWN), TCP(80, 9100, SYN_ACK)),
		  DROP(UNKNOWN_REPLY) } } },

	{ .name = "the first fragment of a stray reply, while there are wide services",
	  .services = { { ON(VIP, 80, UDP, FULLNAT), BACKENDS({ BACKEND1, 80 }) },
			{ ON(VIP2, 0, UDP, DSR, ANY), BACKENDS({ BACKEND2, 0 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP, .frag = MF), UDP(80, 9100)),
		  DROP(FRAGMENT) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP, .frag = MF), UDP(81, 9100)),
		  PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP, .frag = LATER, .type = IPPROTO_UDP),
			    DATA("12")), PASS(NOT_OURS) } } },

	/* Fragments: only an address, so all of a datagram go where that says. */
	{ .name = "fragments for any port by a policy of addresses",
	  .services = { { ON(VIPS, 0, UDP, DSR, ANY), BACKENDS({ BACKEND1, 0 }),
			  .promises = LB_PROMISE_ADDRESS } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = MF), UDP(PORT, 53), DATA("12345678")),
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP, .frag = MF), UDP(PORT, 53),
			     DATA("12345678")), NEW },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = LATER, .type = IPPROTO_UDP),
			    DATA("12")), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP, .frag = LATER, .type = IPPROTO_UDP),
			     DATA("12")) } } },
	{ .name = "fragments over IPv6 for any port by a policy of addresses",
	  .services = { { ON(VIPS6, 0, TCP, DSR, ANY), BACKENDS({ BACKEND1_6, 0 }),
			  .promises = LB_PROMISE_ADDRESS } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6),
			    EXT(IPPROTO_FRAGMENT, .frag = LATER, .type = IPPROTO_TCP), DATA("12")),
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, VIP6),
			     EXT(IPPROTO_FRAGMENT, .frag = LATER, .type = IPPROTO_TCP), DATA("12")),
		  NEW } } },
	{ .name = "fragments for any port by a policy that looks at ports",
	  .services = { { ON(VIPS, 0, UDP, DSR, ANY), BACKENDS({ BACKEND1, 0 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = MF), UDP(PORT, 53)), DROP(FRAGMENT) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = LATER, .type = IPPROTO_UDP),
			    DATA("12")), DROP(FRAGMENT) } } },
	{ .name = "fragments for any port in a mode that needs the ports",
	  .services = { { ON(VIPS, 0, UDP, NAT, ANY), BACKENDS({ BACKEND1, 0 }),
			  .promises = LB_PROMISE_ADDRESS } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = MF), UDP(PORT, 53)), DROP(FRAGMENT) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = LATER, .type = IPPROTO_UDP),
			    DATA("12")), DROP(FRAGMENT) } } },
	{ .name = "fragments for a range of ports",
	  .services = { { ON(VIP, 50, UDP, DSR, .last = 60), BACKENDS({ BACKEND1, 0 }),
			  .promises = LB_PROMISE_ADDRESS } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = MF), UDP(PORT, 53)), DROP(FRAGMENT) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = MF), UDP(PORT, 61)),
		  PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = LATER, .type = IPPROTO_UDP),
			    DATA("12")), PASS(NOT_OURS) } } },
	{ .name = "fragments for an exact service inside a prefix of any port",
	  .services = { { ON(VIPS, 0, UDP, DSR, ANY), BACKENDS({ BACKEND1, 0 }),
			  .promises = LB_PROMISE_ADDRESS },
			{ ON(VIP, 53, UDP, DSR), BACKENDS({ BACKEND2, 53 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = MF), UDP(PORT, 53)),
		  DROP(FRAGMENT) } } },
};
/* clang-format on */

TALK_MAIN("wide", rows)
