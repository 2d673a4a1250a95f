// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_match_local.c - one port of this host to several by a tag in the payload, byte by
 * byte: the policy match in mode local, through the whole chain.
 */
#include "match.h"
#include "talk.h"

/* clang-format off */
#define OWN	"10.0.0.10"
#define OWN6	"2001:db8::10"
#define DEVICE	31337
#define NONE	.flags = LB_SERVICE_F_PER_PACKET

#define DOTS20	"...................."
#define DOTS100 DOTS20 DOTS20 DOTS20 DOTS20 DOTS20
#define DOTS266 DOTS100 DOTS100 DOTS20 DOTS20 DOTS20 "......"

/* 289 bytes and as many as @more, with @tag at 20. */
#define TELEGRAM(tag, more) DATA(DOTS20 tag DOTS266 more)

static const struct lb_match_rules tags = {
	.n = 3,
	.rule = { RULE(290, 294, 20, "600", 1), RULE(290, 294, 20, "601", 2),
		  RULE(290, 294, 20, "602", 3) },
};

#define SEGMENT(to, ...) \
	PKT(ETH(), IP4(CLIENT, OWN), TCP(DEVICE, to, .seq = 77, .flags = TH_PSH | TH_ACK), \
	    __VA_ARGS__)
#define DATAGRAM(to, ...) PKT(ETH(), IP4(CLIENT, OWN), UDP(DEVICE, to), __VA_ARGS__)
#define DATAGRAM6(to, ...) PKT(ETH(), IP6(CLIENT6, OWN6), UDP(DEVICE, to), __VA_ARGS__)

static const struct talk rows[] = {
	{ .name = "TCP: each segment by its tag",
	  .services = { { ON(OWN, 5000, TCP, LOCAL, NONE), .rules = &tags,
			  BACKENDS({ OWN, 5001 }, { OWN, 5002 }, { OWN, 5003 }) } },
	  .flows = 3,
	  .steps = {
		{ .in = SEGMENT(5000, TELEGRAM("600", ".")), NEW_UP,
		  .out = SEGMENT(5001, TELEGRAM("600", ".")) },
		{ .in = SEGMENT(5000, TELEGRAM("601", "..")), NEW_UP,
		  .out = SEGMENT(5002, TELEGRAM("601", "..")) },
		{ .in = SEGMENT(5000, TELEGRAM("602", ".....")), NEW_UP,
		  .out = SEGMENT(5003, TELEGRAM("602", ".....")) },
		{ .in = SEGMENT(5000, TELEGRAM("600", ".....")), KNOWN_UP,
		  .out = SEGMENT(5001, TELEGRAM("600", ".....")) },
		{ .in = SEGMENT(5000, TELEGRAM("602", ".")), KNOWN_UP,
		  .out = SEGMENT(5003, TELEGRAM("602", ".")) } } },
	{ .name = "TCP: other lengths and tags are dropped",
	  .services = { { ON(OWN, 5000, TCP, LOCAL, NONE), .rules = &tags,
			  BACKENDS({ OWN, 5001 }, { OWN, 5002 }, { OWN, 5003 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = SEGMENT(5000, TELEGRAM("600", "")), DROP(POLICY_DROP) },
		{ .in = SEGMENT(5000, TELEGRAM("600", "......")), DROP(POLICY_DROP) },
		{ .in = SEGMENT(5000, TELEGRAM("603", ".")), DROP(POLICY_DROP) },
		{ .in = SEGMENT(5000, TELEGRAM("60.", ".....")), DROP(POLICY_DROP) },
		{ .in = SEGMENT(5000, DATA("600")), DROP(POLICY_DROP) },
		{ .in = SEGMENT(5000, TELEGRAM("600", ""), PAD(1)), DROP(POLICY_DROP) } } },
	{ .name = "TCP: a connection that says what the first rule wants",
	  .services = { { ON(OWN, 5000, TCP, LOCAL, NONE), .rules = &tags,
			  BACKENDS({ OWN, 5001 }, { OWN, 5002 }, { OWN, 5003 }) } },
	  .flows = 1,
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), TCP(DEVICE, 5000, SYN)), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), TCP(DEVICE, 5001, SYN)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), TCP(5001, DEVICE, SYN_ACK)), REPLY_OUT,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), TCP(5000, DEVICE, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), TCP(DEVICE, 5000)), KNOWN_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), TCP(DEVICE, 5001)) },
		{ .in = SEGMENT(5000, TELEGRAM("600", ".")), KNOWN_UP,
		  .out = SEGMENT(5001, TELEGRAM("600", ".")) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), TCP(5001, DEVICE)), REPLY_OUT,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), TCP(5000, DEVICE)) },
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), TCP(DEVICE, 5000, .flags = TH_FIN | TH_ACK)),
		  KNOWN_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN),
			     TCP(DEVICE, 5001, .flags = TH_FIN | TH_ACK)) } } },
	{ .name = "UDP: answers of all come from the port that was asked",
	  .services = { { ON(OWN, 5000, UDP, LOCAL, NONE), .rules = &tags,
			  BACKENDS({ OWN, 5001 }, { OWN, 5002 }, { OWN, 5003 }) } },
	  .flows = 2,
	  .steps = {
		{ .in = DATAGRAM(5000, TELEGRAM("600", ".")), NEW_UP,
		  .out = DATAGRAM(5001, TELEGRAM("600", ".")) },
		{ .in = DATAGRAM(5000, TELEGRAM("602", ".")), NEW_UP,
		  .out = DATAGRAM(5003, TELEGRAM("602", ".")) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(5003, DEVICE), DATA("3")), REPLY_OUT,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), UDP(5000, DEVICE), DATA("3")) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(5001, DEVICE), DATA("1")), REPLY_OUT,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), UDP(5000, DEVICE), DATA("1")) },
		{ .in = DATAGRAM(5000, TELEGRAM("600", "")), DROP(POLICY_DROP) },
		{ .in = DATAGRAM(5000, DATA("")), DROP(POLICY_DROP) } } },
	{ .name = "UDP over IPv6",
	  .services = { { ON(OWN6, 5000, UDP, LOCAL, NONE), .rules = &tags,
			  BACKENDS({ OWN6, 5001 }, { OWN6, 5002 }, { OWN6, 5003 }) } },
	  .flows = 1,
	  .steps = {
		{ .in = DATAGRAM6(5000, TELEGRAM("601", ".....")), NEW_UP,
		  .out = DATAGRAM6(5002, TELEGRAM("601", ".....")) },
		{ .in = PKT(ETH(), IP6(OWN6, CLIENT6), UDP(5002, DEVICE), DATA("2")), REPLY_OUT,
		  .out = PKT(ETH(), IP6(OWN6, CLIENT6), UDP(5000, DEVICE), DATA("2")) },
		{ .in = DATAGRAM6(5000, TELEGRAM("601", "......")), DROP(POLICY_DROP) } } },
};
/* clang-format on */

TALK_MAIN("match_local", rows)
