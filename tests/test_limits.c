// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_limits.c - max-flows and persistence client with real flows, as conversations.
 *
 * Each service's table has one backend at a time (.pick), so that the policy has no say.
 */
#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIPS	"10.0.0.32/28"
#define VIP2	"10.0.0.33"
#define VIP6	"2001:db8::20"
#define OWN	"10.0.0.10"
#define NAT	20000
#define HOP	.ttl = 63
#define MF	0x2000		/* the first of several fragments */
#define LATER	0x0010		/* one without ports */
#define RST	.flags = TH_RST
#define FIN	.flags = TH_FIN | TH_ACK

#define ONE	.flags = LB_TABLE_F_ADMIT, .max_flows = 1
#define TWO	.flags = LB_TABLE_F_ADMIT, .max_flows = 2
#define STAYS	.flags = LB_TABLE_F_ADMIT | LB_TABLE_F_CLIENT, .affinity = 9000

/* The answer to a SYN that comes too many. */
#define BACK	ETH(.dst = PACKET_MAC_SRC, .src = PACKET_MAC_DST)
#define REFUSED(port)	TCP(80, port, .flags = TH_RST | TH_ACK, .plain = true, .ack = 8)
#define REFUSES(port)									\
	{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(port, 80, SYN, .seq = 7)),		\
	  .reason = LB_REASON_FULL,							\
	  .out = PKT(BACK, IP4(VIP, CLIENT, .tos = 0xc0, .frag = 0x4000, .plain = true),	\
		     REFUSED(port)) }
#define REFUSES6(port)									\
	{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(port, 80, SYN, .seq = 7)),		\
	  .reason = LB_REASON_FULL,							\
	  .out = PKT(BACK, IP6(VIP6, CLIENT6, .tos = 0xc0, .plain = true), REFUSED(port)) }

/* A packet of CLIENT that leaves as it came, for the first backend: dsr. */
#define SENT(why, ...)								\
	{ .in = PKT(ETH(), IP4(CLIENT, VIP), __VA_ARGS__), why,				\
	  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), __VA_ARGS__) }

/* The same translated: nat; full NAT, from the one port that there is. */
#define NATS(why, port, ...)								\
	{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(port, 80, __VA_ARGS__)), why,		\
	  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(port, 80, __VA_ARGS__)) }
#define NATS6(why, port, ...)								\
	{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(port, 80, __VA_ARGS__)), why,	\
	  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), TCP(port, 80, __VA_ARGS__)) }
#define FULLNATS(why, port, ...)							\
	{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(port, 80, __VA_ARGS__)), why,		\
	  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), TCP(NAT, 8080, __VA_ARGS__)) }

static const struct talk rows[] = {
	/* max-flows. */
	{ .name = "a flow too many is refused until one ends, nat",
	  .services = { { ON(VIP, 80, TCP, NAT), TWO, BACKENDS({ BACKEND1, 80 }) } },
	  .flows = 3,
	  .steps = { NATS(NEW, 1, SYN), NATS(NEW, 2, SYN), REFUSES(3), NATS(KNOWN, 1, SYN),
		     NATS(KNOWN, 1), REFUSES(3), NATS(KNOWN, 1, RST), NATS(NEW, 3, SYN),
		     REFUSES(4) } },
	{ .name = "a flow too many is refused until one ends, full NAT",
	  .services = { { ON(VIP, 80, TCP, FULLNAT), ONE, .nat = NAT,
			  BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = { FULLNATS(NEW, 1, SYN), REFUSES(2), FULLNATS(KNOWN, 1, RST),
		     FULLNATS(NEW, 2, SYN), REFUSES(3) } },
	{ .name = "a flow too many is refused until one ends, nat over IPv6",
	  .services = { { ON(VIP6, 80, TCP, NAT), ONE, BACKENDS({ BACKEND1_6, 80 }) } },
	  .flows = 2,
	  .steps = { NATS6(NEW, 1, SYN), REFUSES6(2), NATS6(KNOWN, 1), NATS6(KNOWN, 1, FIN),
		     REFUSES6(2),
		     { .in = PKT(ETH(), IP6(BACKEND1_6, CLIENT6), TCP(80, 1, FIN)), REPLY,
		       .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), TCP(80, 1, FIN)) },
		     NATS6(NEW, 2, SYN), REFUSES6(3) } },
	{ .name = "a flow too many goes to another backend that is chosen",
	  .services = { { ON(VIP, 80, TCP, DSR), ONE,
			  BACKENDS({ BACKEND1, 80 }, { BACKEND2, 80 }) } },
	  .flows = 2,
	  .steps = {
		SENT(NEW, TCP(1, 80, SYN)),
		REFUSES(2),
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(2, 80, SYN)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, VIP), TCP(2, 80, SYN)) },
		REFUSES(3),
		SENT(KNOWN, TCP(1, 80)) } },
	{ .name = "a flow too many, on-empty drop",
	  .services = { { ON(VIP, 53, UDP, DSR, .on_empty = LB_ON_EMPTY_DROP), ONE,
			  BACKENDS({ BACKEND1, 53 }) } },
	  .flows = 1,
	  .steps = {
		SENT(NEW, UDP(1, 53)),
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(2, 53)), DROP(FULL_DROP) },
		SENT(KNOWN, UDP(1, 53)) } },
	{ .name = "a flow too many of a service of any port, local",
	  .services = { { ON(OWN, 5000, UDP, LOCAL, .last = 5999), ONE,
			  BACKENDS({ OWN, 7000 }) } },
	  .flows = 1,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), UDP(1, 5000)), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), UDP(1, 7000)) },
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), UDP(2, 5001)), .reason = LB_REASON_FULL,
		  .out = PKT(BACK, IP4(OWN, CLIENT, .tos = 0xc0, .frag = 0x4000, .plain = true),
			     ICMP(3, .code = 3), IP4(CLIENT, OWN), UDP(2, 5001)) },
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), UDP(1, 5000)), KNOWN_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), UDP(1, 7000)) } } },
	{ .name = "with persistence none flows are not counted",
	  .services = { { ON(VIP, 53, UDP, NAT, .flags = LB_SERVICE_F_PER_PACKET), ONE,
			  BACKENDS({ BACKEND1, 53 }) } },
	  .flows = 2,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(1, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(1, 53)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(1, 53)), KNOWN,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(1, 53)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(2, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(2, 53)) } } },

	/* persistence client. */
	{ .name = "a client comes back, others go where the policy says",
	  .services = { { ON(VIP, 80, TCP, DSR), STAYS,
			  BACKENDS({ BACKEND1, 80 }, { BACKEND2, 80 }) } },
	  .flows = 4,
	  .steps = {
		SENT(NEW, TCP(1, 80, SYN)),
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(2, 80, SYN)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), TCP(2, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(FAR_CLIENT, VIP), TCP(2, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND2), IP4(FAR_CLIENT, VIP), TCP(2, 80, SYN)) },
		SENT(KNOWN, TCP(2, 80)),
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(3, 80, SYN)), NEW, .down = 1,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, VIP), TCP(3, 80, SYN)) } } },
	{ .name = "a client comes back over IPv6, translated, with its MSS clamped",
	  .services = { { ON(VIP6, 80, TCP, NAT, .mss = 1400), STAYS,
			  BACKENDS({ BACKEND1_6, 80 }, { BACKEND2_6, 80 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(1, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), TCP(1, 80, SYN)) },
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(2, 80, SYN, BYTES("\x02\x04\x05\xb4"))),
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP),
			     TCP(2, 80, SYN, BYTES("\x02\x04\x05\x78"))), NEW, .pick = 2 },
		{ .in = PKT(ETH(), IP6(FAR_CLIENT6, VIP6), TCP(2, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND2), IP6(FAR_CLIENT6, BACKEND2_6, HOP),
			     TCP(2, 80, SYN)) } } },
	{ .name = "all ports and addresses of a service, and fragments, are one to a client",
	  .services = { { ON(VIPS, 0, UDP, DSR, .last = 65535), STAYS,
			  .promises = LB_PROMISE_ADDRESS,
			  BACKENDS({ BACKEND1, 0 }, { BACKEND2, 0 }) } },
	  .flows = 3,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2), UDP(1, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP2), UDP(1, 53)) },
		{ .in = PKT(ETH(), IP4(CLIENT, "10.0.0.34"), UDP(1, 54)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, "10.0.0.34"), UDP(1, 54)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2, .frag = MF), UDP(1, 53), DATA("12345678")),
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP2, .frag = MF), UDP(1, 53),
			     DATA("12345678")), NEW },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP2, .frag = LATER, .type = IPPROTO_UDP),
			    DATA("12")), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP2, .frag = LATER, .type = IPPROTO_UDP),
			     DATA("12")) },
		{ .in = PKT(ETH(), IP4(FAR_CLIENT, VIP2), UDP(1, 53)), NEW,
		  .out = PKT(TO(BACKEND2), IP4(FAR_CLIENT, VIP2), UDP(1, 53)) } } },
	{ .name = "a fragment comes first: the flow follows it",
	  .services = { { ON(VIP, 0, UDP, DSR, .last = 65535), STAYS,
			  .promises = LB_PROMISE_ADDRESS,
			  BACKENDS({ BACKEND1, 0 }, { BACKEND2, 0 }) } },
	  .flows = 1,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = LATER, .type = IPPROTO_UDP),
			    DATA("12")), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP, .frag = LATER, .type = IPPROTO_UDP),
			     DATA("12")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(1, 53)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), UDP(1, 53)) } } },
};
/* clang-format on */

TALK_MAIN("limits", rows)
