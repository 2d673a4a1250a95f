// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_per_packet.c - services with persistence none, as conversations.
 *
 * Each packet chooses anew.  Modes whose replies come through us keep a flow for each
 * backend that a client's packets went to, the others none.
 */
#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIP6	"2001:db8::20"
#define OWN	"10.0.0.10"
#define PORT	31337
#define NAT	20000
#define HOP	.ttl = 63
#define NONE	.flags = LB_SERVICE_F_PER_PACKET

#define ECHO		ICMP(8, .sport = 7, .dport = 1)
#define ECHO_REPLY	ICMP(0, .sport = 7, .dport = 1)

static const struct talk rows[] = {
	{ .name = "dsr keeps no flow",
	  .services = { { ON(VIP, 53, UDP, DSR, NONE),
			  BACKENDS({ BACKEND1, 53 }, { BACKEND2, 53 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), UDP(PORT, 53)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, VIP), UDP(PORT, 53)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), DROP(EMPTY_DROP),
		  .down = 2 } } },
	{ .name = "dsr keeps no flow of tcp either",
	  .services = { { ON(VIP6, 80, TCP, DSR, NONE), BACKENDS({ BACKEND1_6, 80 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), TCP(PORT, 80), DATA("x")), NEW,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, VIP6), TCP(PORT, 80), DATA("x")) } } },
	{ .name = "dsr, ping",
	  .services = { { ON(VIP, 0, ICMP, DSR, NONE),
			  BACKENDS({ BACKEND1, 0 }, { BACKEND2, 0 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), ECHO) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, VIP), ECHO) } } },
	{ .name = "full NAT: replies find their client",
	  .services = { { ON(VIP, 53, UDP, FULLNAT, NONE), .nat = NAT,
			  BACKENDS({ BACKEND1, 5353 }, { BACKEND2, 5353 }) } },
	  .flows = 2,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53), DATA("1")), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), UDP(NAT, 5353), DATA("1")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53), DATA("2")), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(VIP, BACKEND2, HOP), UDP(NAT, 5353), DATA("2")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53), DATA("3")), KNOWN, .pick = 1,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), UDP(NAT, 5353), DATA("3")) },
		{ .in = PKT(ETH(), IP4(BACKEND2, VIP), UDP(5353, NAT), DATA("two")), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(53, PORT), DATA("two")) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), UDP(5353, NAT), DATA("one")), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(53, PORT), DATA("one")) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), UDP(5353, NAT + 1)),
		  DROP(UNKNOWN_REPLY) } } },
	{ .name = "full NAT over IPv6: replies find their client",
	  .services = { { ON(VIP6, 53, UDP, FULLNAT, NONE), .nat = NAT,
			  BACKENDS({ BACKEND1_6, 5353 }, { BACKEND2_6, 5353 }) } },
	  .flows = 2,
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53), DATA("1")), NEW,
		  .out = PKT(TO(BACKEND1), IP6(VIP6, BACKEND1_6, HOP), UDP(NAT, 5353),
			     DATA("1")) },
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53), DATA("2")), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP6(VIP6, BACKEND2_6, HOP), UDP(NAT, 5353),
			     DATA("2")) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, VIP6), UDP(5353, NAT), DATA("one")), REPLY,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), UDP(53, PORT), DATA("one")) },
		{ .in = PKT(ETH(), IP6(BACKEND2_6, VIP6), UDP(5353, NAT), DATA("two")), REPLY,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), UDP(53, PORT),
			     DATA("two")) } } },
	{ .name = "full NAT, ping",
	  .services = { { ON(VIP, 0, ICMP, FULLNAT, NONE), .nat = NAT,
			  BACKENDS({ BACKEND1, 0 }, { BACKEND2, 0 }) } },
	  .flows = 2,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO, DATA("x")), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP),
			     ICMP(8, .sport = NAT, .dport = 1), DATA("x")) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO, DATA("x")), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(VIP, BACKEND2, HOP),
			     ICMP(8, .sport = NAT, .dport = 1), DATA("x")) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), ICMP(0, .sport = NAT, .dport = 1)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), ECHO_REPLY) },
		{ .in = PKT(ETH(), IP4(BACKEND2, VIP), ICMP(0, .sport = NAT, .dport = 1)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), ECHO_REPLY) } } },
	{ .name = "nat: replies of each backend",
	  .services = { { ON(VIP, 53, UDP, NAT, NONE),
			  BACKENDS({ BACKEND1, 5353 }, { BACKEND2, 5353 }) } },
	  .flows = 2,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(PORT, 5353)) },
		{ .in = PKT(ETH(), IP4(BACKEND2, CLIENT), UDP(5353, PORT)), PASS(NOT_OURS) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, BACKEND2, HOP), UDP(PORT, 5353)) },
		{ .in = PKT(ETH(), IP4(BACKEND2, CLIENT), UDP(5353, PORT)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(53, PORT)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), UDP(5353, PORT)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(53, PORT)) } } },
	{ .name = "nat over IPv6: replies of each backend",
	  .services = { { ON(VIP6, 53, UDP, NAT, NONE),
			  BACKENDS({ BACKEND1_6, 5353 }, { BACKEND2_6, 5353 }) } },
	  .flows = 2,
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), UDP(PORT, 5353)) },
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP6(CLIENT6, BACKEND2_6, HOP), UDP(PORT, 5353)) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, CLIENT6), UDP(5353, PORT)), REPLY,
		  .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP), UDP(53, PORT)) } } },
	{ .name = "local, one port to several",
	  .services = { { ON(OWN, 9875, UDP, LOCAL, NONE),
			  BACKENDS({ OWN, 9876 }, { OWN, 9877 }, { OWN, 9878 }) } },
	  .flows = 3,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9875)), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9876)) },
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9875)), NEW_UP, .pick = 2,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9877)) },
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9875)), NEW_UP, .pick = 3,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9878)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(9878, PORT)), REPLY_UP,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), UDP(9875, PORT)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(9876, PORT)), REPLY_UP,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), UDP(9875, PORT)) } } },
	{ .name = "local, segments of one connection to several ports",
	  .services = { { ON(OWN, 5000, TCP, LOCAL, NONE),
			  BACKENDS({ OWN, 5001 }, { OWN, 5002 }) } },
	  .flows = 2,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), TCP(PORT, 5000), DATA("1")), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), TCP(PORT, 5001), DATA("1")) },
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), TCP(PORT, 5000), DATA("2")), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), TCP(PORT, 5002), DATA("2")), .pick = 2 },
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), TCP(PORT, 5000), DATA("3")), KNOWN_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), TCP(PORT, 5001), DATA("3")), .pick = 1 },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), TCP(5002, PORT), DATA("4")), REPLY_UP,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), TCP(5000, PORT), DATA("4")) } } },
	{ .name = "nat of any port, each packet anew",
	  .services = { { ON(VIP, 0, UDP, NAT, NONE, .last = 65535),
			  BACKENDS({ BACKEND1, 0 }, { BACKEND2, 0 }) } },
	  .flows = 3,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 1)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(PORT, 1)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 2)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(PORT, 2)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 2)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, BACKEND2, HOP), UDP(PORT, 2)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), UDP(2, PORT)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(2, PORT)) } } },
	{ .name = "full NAT of any port, each packet anew",
	  .services = { { ON(VIP, 0, UDP, FULLNAT, NONE, .last = 65535), .nat = NAT,
			  BACKENDS({ BACKEND1, 0 }, { BACKEND2, 0 }) } },
	  .flows = 3,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 1)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), UDP(NAT, 1)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 2)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), UDP(NAT, 2)) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 2)), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(VIP, BACKEND2, HOP), UDP(NAT, 2)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), UDP(2, NAT)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(2, PORT)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), UDP(1, NAT)), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), UDP(1, PORT)) } } },
	{ .name = "nat of a prefix: a reply could be of either address, so one has to wait",
	  .services = { { ON("10.0.0.32/28", 53, UDP, NAT, NONE), BACKENDS({ BACKEND1, 53 }) } },
	  .flows = 1,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, "10.0.0.33"), UDP(PORT, 53)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(PORT, 53)) },
		{ .in = PKT(ETH(), IP4(CLIENT, "10.0.0.34"), UDP(PORT, 53)), DROP(NO_PORT) },
		{ .in = PKT(ETH(), IP4(CLIENT, "10.0.0.33"), UDP(PORT, 53)), KNOWN,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), UDP(PORT, 53)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), UDP(53, PORT)), REPLY,
		  .out = PKT(TO(CLIENT), IP4("10.0.0.33", CLIENT, HOP), UDP(53, PORT)) } } },
};
/* clang-format on */

TALK_MAIN("per_packet", rows)
