// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_unknown.c - TCP in the middle of a connection that nobody has a flow of.
 *
 * As conversations, with all that comes out; test_generation.c has which table is asked in
 * which case.
 */
#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIP6	"2001:db8::20"
#define OWN	"10.0.0.10"
#define OWN6	"2001:db8::10"
#define PORT	31337
#define NAT	20000
#define HOP	.ttl = 63
#define ANY	.last = 65535
#define GRACE	.grace = 900 * 250
#define CONSISTENT .promises = LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT
#define STAYS	.flags = LB_TABLE_F_ADMIT | LB_TABLE_F_CLIENT, .affinity = 9000
#define GET	DATA("GET / HTTP/1.1")

#define BACK	ETH(.dst = PACKET_MAC_SRC, .src = PACKET_MAC_DST)
#define OURS4	IP4(VIP, CLIENT, .tos = 0xc0, .frag = 0x4000, .plain = true)
#define OURS6	IP6(VIP6, CLIENT6, .tos = 0xc0, .plain = true)
#define RST(port, ...) TCP(port, PORT, .flags = TH_RST, .plain = true, __VA_ARGS__)
#define RESET	.reason = LB_REASON_UNKNOWN_RESET
#define FROM4	ETH(), IP4(CLIENT, VIP)
#define FROM6	ETH(), IP6(CLIENT6, VIP6)
#define ON_UNKNOWN(what) .on_unknown = LB_ON_UNKNOWN_##what

/*
 * A connection, with its flow lost in the middle: the same comes out before and after.
 * @from is how packets come, @to how they go to the second of two backends.
 */
#define LOST_AND_FOUND(title, on, backends, up, from, to, sport, dport)			\
	{ .name = title, .flows = 1,							\
	  .services = { { on, CONSISTENT, BACKENDS(backends), .nat = NAT } },			\
	  .steps = {									\
		{ .in = PKT(from, TCP(PORT, 80, SYN)), NEW##up, .pick = 2,		\
		  .out = PKT(to, TCP(sport, dport, SYN)) },				\
		{ .in = PKT(from, TCP(PORT, 80), GET), KNOWN##up,			\
		  .out = PKT(to, TCP(sport, dport), GET) },				\
		{ .in = PKT(from, TCP(PORT, 80), GET), FOUND##up, .forget = true,	\
		  .out = PKT(to, TCP(sport, dport), GET) },				\
		{ .in = PKT(from, TCP(PORT, 80), GET), KNOWN##up,			\
		  .out = PKT(to, TCP(sport, dport), GET) } } }
#define TWO4	{ BACKEND1, 8080 }, { BACKEND2, 8080 }
#define TWO6	{ BACKEND1_6, 8080 }, { BACKEND2_6, 8080 }
#define OWN_TWO4 { BACKEND1, 8080 }, { OWN, 8080 }
#define OWN_TWO6 { BACKEND1_6, 8080 }, { OWN6, 8080 }
#define FREE4	{ BACKEND1, 0 }, { BACKEND2, 0 }
#define FREE6	{ BACKEND1_6, 0 }, { BACKEND2_6, 0 }
#define TO_FULLNAT4	TO(BACKEND2), IP4(VIP, BACKEND2, HOP)
#define TO_FULLNAT6	TO(BACKEND2), IP6(VIP6, BACKEND2_6, HOP)
#define TO_NAT4		TO(BACKEND2), IP4(CLIENT, BACKEND2, HOP)
#define TO_NAT6		TO(BACKEND2), IP6(CLIENT6, BACKEND2_6, HOP)
#define TO_DSR4		TO(BACKEND2), IP4(CLIENT, VIP)
#define TO_DSR6		TO(BACKEND2), IP6(CLIENT6, VIP6)
#define TO_LOCAL4	ETH(), IP4(CLIENT, OWN)
#define TO_LOCAL6	ETH(), IP6(CLIENT6, OWN6)

static const struct talk rows[] = {
	LOST_AND_FOUND("full NAT: a lost flow is found", ON(VIP, 80, TCP, FULLNAT), TWO4, ,
		       FROM4, TO_FULLNAT4, NAT, 8080),
	LOST_AND_FOUND("full NAT over IPv6", ON(VIP6, 80, TCP, FULLNAT), TWO6, ,
		       FROM6, TO_FULLNAT6, NAT, 8080),
	LOST_AND_FOUND("full NAT, any port", ON(VIP, 0, TCP, FULLNAT, ANY), FREE4, ,
		       FROM4, TO_FULLNAT4, NAT, 80),
	LOST_AND_FOUND("nat", ON(VIP, 80, TCP, NAT), TWO4, , FROM4, TO_NAT4, PORT, 8080),
	LOST_AND_FOUND("nat over IPv6", ON(VIP6, 80, TCP, NAT), TWO6, ,
		       FROM6, TO_NAT6, PORT, 8080),
	LOST_AND_FOUND("nat, any port", ON(VIP, 0, TCP, NAT, ANY), FREE4, ,
		       FROM4, TO_NAT4, PORT, 80),
	LOST_AND_FOUND("dsr", ON(VIP, 80, TCP, DSR), TWO4, , FROM4, TO_DSR4, PORT, 80),
	LOST_AND_FOUND("dsr over IPv6", ON(VIP6, 80, TCP, DSR), TWO6, ,
		       FROM6, TO_DSR6, PORT, 80),
	LOST_AND_FOUND("dsr, any port, over IPv6", ON(VIP6, 0, TCP, DSR, ANY), FREE6, ,
		       FROM6, TO_DSR6, PORT, 80),
	LOST_AND_FOUND("local", ON(VIP, 80, TCP, LOCAL), OWN_TWO4, _UP,
		       FROM4, TO_LOCAL4, PORT, 8080),
	LOST_AND_FOUND("local over IPv6", ON(VIP6, 80, TCP, LOCAL), OWN_TWO6, _UP,
		       FROM6, TO_LOCAL6, PORT, 8080),

	/* Replies. */
	{ .name = "full NAT: once the client has sent, its backend's replies are known again",
	  .services = { { ON(VIP, 80, TCP, FULLNAT), CONSISTENT, BACKENDS({ BACKEND1, 8080 }),
			  .nat = NAT } },
	  .steps = {
		{ .in = PKT(FROM4, TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), TCP(NAT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), TCP(8080, NAT)), .forget = true,
		  DROP(UNKNOWN_REPLY) },
		{ .in = PKT(FROM4, TCP(PORT, 80)), FOUND,
		  .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP), TCP(NAT, 8080)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP), TCP(8080, NAT), GET), REPLY,
		  .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP), TCP(80, PORT), GET) } } },

	/* Persistence client: the policy is not the one who chose. */
	{ .name = "a client that stays: where it was, while the backend is there; then the policy",
	  .services = { { ON(VIP, 80, TCP, DSR), CONSISTENT, STAYS,
			  BACKENDS({ BACKEND1, 80 }, { BACKEND2, 80 }) } },
	  .flows = 1,
	  .steps = {
		{ .in = PKT(FROM4, TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)) },
		{ .in = PKT(FROM4, TCP(PORT, 80)), FOUND, .pick = 2, .forget = true,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), TCP(PORT, 80)) },
		{ .in = PKT(FROM4, TCP(PORT, 80)), FOUND, .drain = 1, .forget = true,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, VIP), TCP(PORT, 80)) },
		{ .in = PKT(FROM4, TCP(PORT, 80)), FOUND, .down = 1, .forget = true,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, VIP), TCP(PORT, 80)) } } },
	{ .name = "a client that stays, of any policy, over IPv6",
	  .services = { { ON(VIP6, 0, TCP, NAT, ANY), STAYS, BACKENDS(FREE6) } },
	  .steps = {
		{ .in = PKT(FROM6, TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), TCP(PORT, 80, SYN)) },
		{ .in = PKT(FROM6, TCP(PORT, 80)), FOUND, .pick = 2, .forget = true,
		  .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP), TCP(PORT, 80)) },
		{ .in = PKT(ETH(), IP6(FAR_CLIENT6, VIP6), TCP(PORT, 80)), RESET,
		  .out = PKT(BACK, IP6(VIP6, FAR_CLIENT6, .tos = 0xc0, .plain = true), RST(80)) },
		{ .in = PKT(FROM6, TCP(PORT, 80, .ack = 9)), RESET, .gone = 1,
		  .out = PKT(BACK, OURS6, RST(80, .seq = 9)) },
		{ .in = PKT(FROM6, TCP(PORT, 80, .ack = 9)), RESET, .reborn = 1,
		  .out = PKT(BACK, OURS6, RST(80, .seq = 9)) } } },
	{ .name = "a client whose time is over",
	  .services = { { ON(VIP, 80, TCP, NAT), .affinity = 1,
			  .flags = LB_TABLE_F_ADMIT | LB_TABLE_F_CLIENT,
			  BACKENDS({ BACKEND1, 80 }) } },
	  .steps = {
		{ .in = PKT(FROM4, TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, HOP), TCP(PORT, 80, SYN)) },
		{ .in = PKT(FROM4, TCP(PORT, 80, .ack = 9)), RESET, .forget = true,
		  .out = PKT(BACK, OURS4, RST(80, .seq = 9)), .pause_ms = 50 } } },

	/* Nobody knows: on-unknown. */
	{ .name = "reset: as a host without the connection would",
	  .services = { { ON(VIP, 80, TCP, FULLNAT), BACKENDS({ BACKEND1, 8080 }) },
			{ ON(VIP6, 80, TCP, NAT), BACKENDS({ BACKEND1_6, 8080 }) },
			{ ON(VIP, 81, TCP, LOCAL), BACKENDS({ OWN, 8080 }) },
			{ ON(VIP6, 82, TCP, DSR, ON_UNKNOWN(RESET)),
			  BACKENDS({ BACKEND1_6, 82 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(FROM4, TCP(PORT, 80, .seq = 7, .ack = 99), GET), RESET,
		  .out = PKT(BACK, OURS4, RST(80, .seq = 99)) },
		{ .in = PKT(FROM6, TCP(PORT, 80, .seq = 7, .ack = 99), GET), RESET,
		  .out = PKT(BACK, OURS6, RST(80, .seq = 99)) },
		{ .in = PKT(FROM4, TCP(PORT, 81, .flags = TH_FIN | TH_ACK, .ack = 99)), RESET,
		  .out = PKT(BACK, OURS4, RST(81, .seq = 99)) },
		{ .in = PKT(FROM6, TCP(PORT, 82, .seq = 7, .ack = 99), GET), RESET,
		  .out = PKT(BACK, OURS6, RST(82, .seq = 99)) },
		{ .in = PKT(FROM4, TCP(PORT, 80, SYN_ACK, .ack = 5)), RESET,
		  .out = PKT(BACK, OURS4, RST(80, .seq = 5)) },
		{ .in = PKT(FROM4, TCP(PORT, 80, .flags = TH_RST)), DROP(UNKNOWN_FLOW) } } },
	{ .name = "drop",
	  .services = { { ON(VIP, 80, TCP, FULLNAT, ON_UNKNOWN(DROP)), BACKENDS(TWO4) },
			{ ON(VIP6, 80, TCP, GUE), BACKENDS({ BACKEND1_6, 80 }) },
			{ ON(VIP, 81, TCP, IPIP), BACKENDS({ BACKEND1, 81 }) },
			{ ON(VIP, 82, TCP, DSR), BACKENDS({ BACKEND1, 82 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(FROM4, TCP(PORT, 80)), DROP(UNKNOWN_FLOW) },
		{ .in = PKT(FROM6, TCP(PORT, 80)), DROP(UNKNOWN_FLOW) },
		{ .in = PKT(FROM4, TCP(PORT, 81)), DROP(UNKNOWN_FLOW) },
		{ .in = PKT(FROM4, TCP(PORT, 82)), DROP(UNKNOWN_FLOW) } } },
	{ .name = "select: a new flow like any other, of what goes on",
	  .services = { { ON(VIP, 80, TCP, DSR, ON_UNKNOWN(SELECT)),
			  BACKENDS({ BACKEND1, 80 }, { BACKEND2, 80 }) },
			{ ON(VIP, 81, TCP, DSR, ON_UNKNOWN(SELECT)) } },
	  .flows = 1,
	  .steps = {
		{ .in = PKT(FROM4, TCP(PORT, 80), GET), NEW, .pick = 2,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, VIP), TCP(PORT, 80), GET) },
		{ .in = PKT(FROM4, TCP(PORT, 80), GET), KNOWN, .pick = 1,
		  .out = PKT(TO(BACKEND2), IP4(CLIENT, VIP), TCP(PORT, 80), GET) },
		{ .in = PKT(FROM4, TCP(9, 80, .flags = TH_RST)), DROP(UNKNOWN_FLOW) },
		{ .in = PKT(FROM4, TCP(PORT, 81, .ack = 99)), .reason = LB_REASON_NO_BACKEND,
		  .out = PKT(BACK, OURS4, RST(81, .seq = 99)) } } },
	{ .name = "a consistent policy is not asked whose SYN-ACK it is",
	  .services = { { ON(VIP, 80, TCP, NAT), CONSISTENT, BACKENDS(TWO4) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(FROM4, TCP(PORT, 80, SYN_ACK, .ack = 5)), RESET,
		  .out = PKT(BACK, OURS4, RST(80, .seq = 5)) } } },
	{ .name = "no backend: told the same way, or left to the host",
	  .services = { { ON(VIP, 80, TCP, NAT), CONSISTENT },
			{ ON(VIP, 81, TCP, NAT, .on_empty = LB_ON_EMPTY_PASS), CONSISTENT } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(FROM4, TCP(PORT, 80, .ack = 99)), RESET,
		  .out = PKT(BACK, OURS4, RST(80, .seq = 99)) },
		{ .in = PKT(FROM4, TCP(PORT, 81)), PASS(EMPTY_PASS) } } },
};

/* clang-format on */

TALK_MAIN("unknown", rows)
