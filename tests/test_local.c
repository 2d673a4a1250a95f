// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_local.c - replies of local sockets, as lb_local sees them leave.
 *
 * The request comes in through the chain; what the own stack says to it goes out through
 * lb_local, as conversations here, and from real sockets in test_local_sockets.c.
 */
#include <linux/pkt_cls.h>

#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIP6	"2001:db8::20"
#define OWN	"10.0.0.10"
#define OWN6	"2001:db8::10"
#define PORT	31337
#define SHOT	.verdict = TC_ACT_SHOT

#define ECHO		ICMP(8, .sport = 7, .dport = 1)
#define ECHO_REPLY	ICMP(0, .sport = 7, .dport = 1)
#define ECHO6		ICMP(128, .sport = 7, .dport = 1)
#define ECHO6_REPLY	ICMP(129, .sport = 7, .dport = 1)

/* A client's packet came in, to port @from of @vip, and went up to @to of OWN. */
#define CAME(proto, from, to)								\
	{ .in = PKT(ETH(), IP4(CLIENT, VIP), proto(PORT, from)), NEW_UP,		\
	  .out = PKT(ETH(), IP4(CLIENT, OWN), proto(PORT, to)) }
#define CAME6(proto, from, to)								\
	{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), proto(PORT, from)), NEW_UP,		\
	  .out = PKT(ETH(), IP6(CLIENT6, OWN6), proto(PORT, to)) }
#define TCP_SYN(s, d)	TCP(s, d, SYN)

/* The host's own: nobody listens there. */
#define CLOSED		ICMP(3, .code = 3)
#define CLOSED6		ICMP(1, .code = 4)
#define ERROR_OUT	.reason = LB_REASON_ICMP_ERROR, .egress = true

static const struct talk rows[] = {
	{ .name = "tcp", .flows = 1,
	  .services = { { ON(VIP, 80, TCP, LOCAL), BACKENDS({ OWN, 8080 }) } },
	  .steps = {
		CAME(TCP_SYN, 80, 8080),
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), TCP(8080, PORT, SYN_ACK)), REPLY_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), TCP(80, PORT, SYN_ACK)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), TCP(8080, PORT), DATA("odd")), REPLY_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), TCP(80, PORT), DATA("odd")) },
		{ .in = PKT(ETH(), VLAN(5), IP4(OWN, CLIENT, BYTES("\1\1\1\0")), TCP(8080, PORT)),
		  .out = PKT(ETH(), VLAN(5), IP4(VIP, CLIENT, BYTES("\1\1\1\0")), TCP(80, PORT)),
		  REPLY_OUT } } },
	{ .name = "udp",
	  .services = { { ON(VIP, 53, UDP, LOCAL), BACKENDS({ OWN, 5353 }) } },
	  .steps = {
		CAME(UDP, 53, 5353),
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(5353, PORT), DATA("x")), REPLY_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), UDP(53, PORT), DATA("x")) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(5353, PORT, .no_check = true)),
		  .out = PKT(ETH(), IP4(VIP, CLIENT), UDP(53, PORT, .no_check = true)),
		  REPLY_OUT } } },
	{ .name = "tcp over IPv6",
	  .services = { { ON(VIP6, 80, TCP, LOCAL), BACKENDS({ OWN6, 8080 }) } },
	  .steps = {
		CAME6(TCP_SYN, 80, 8080),
		{ .in = PKT(ETH(), IP6(OWN6, CLIENT6), TCP(8080, PORT, SYN_ACK)), REPLY_OUT,
		  .out = PKT(ETH(), IP6(VIP6, CLIENT6), TCP(80, PORT, SYN_ACK)) } } },
	{ .name = "udp over IPv6, behind an extension header",
	  .services = { { ON(VIP6, 53, UDP, LOCAL), BACKENDS({ OWN6, 5353 }) } },
	  .steps = {
		CAME6(UDP, 53, 5353),
		{ .in = PKT(ETH(), IP6(OWN6, CLIENT6), EXT(IPPROTO_DSTOPTS), UDP(5353, PORT)),
		  .out = PKT(ETH(), IP6(VIP6, CLIENT6), EXT(IPPROTO_DSTOPTS), UDP(53, PORT)),
		  REPLY_OUT } } },
	{ .name = "ping",
	  .services = { { ON(VIP, 0, ICMP, LOCAL), BACKENDS({ OWN, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), ECHO) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), ECHO_REPLY, DATA("ping")), REPLY_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), ECHO_REPLY, DATA("ping")) } } },
	{ .name = "ping over IPv6",
	  .services = { { ON(VIP6, 0, ICMPV6, LOCAL), BACKENDS({ OWN6, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6), ECHO6), NEW_UP,
		  .out = PKT(ETH(), IP6(CLIENT6, OWN6), ECHO6) },
		{ .in = PKT(ETH(), IP6(OWN6, CLIENT6), ECHO6_REPLY, DATA("ping")), REPLY_OUT,
		  .out = PKT(ETH(), IP6(VIP6, CLIENT6), ECHO6_REPLY, DATA("ping")) } } },
	{ .name = "another port of the same address",
	  .services = { { ON(OWN, 9875, UDP, LOCAL), BACKENDS({ OWN, 9876 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9875)), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9876)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(9876, PORT)), REPLY_OUT,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), UDP(9875, PORT)) },
		/* Fragments: the first has the port, and that is all that changes. */
		{ .in = PKT(ETH(), IP4(OWN, CLIENT, .frag = 0x2000), UDP(9876, PORT)), REPLY_OUT,
		  .out = PKT(ETH(), IP4(OWN, CLIENT, .frag = 0x2000), UDP(9875, PORT)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT, .frag = 3, .type = IPPROTO_UDP), DATA("12")),
		  LEFT_ALONE } } },
	{ .name = "fragments whose address would have to change",
	  .services = { { ON(VIP, 53, UDP, LOCAL), BACKENDS({ OWN, 53 }) } },
	  .steps = {
		CAME(UDP, 53, 53),
		{ .in = PKT(ETH(), IP4(OWN, CLIENT, .frag = 0x2000), UDP(53, PORT)),
		  LEFT_ALONE } } },
	{ .name = "any port",
	  .services = { { ON("10.0.0.16/28", 0, UDP, LOCAL, .last = 65535),
			  BACKENDS({ OWN, 0 }) } },
	  .steps = {
		CAME(UDP, 53, 53),
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(53, PORT)), REPLY_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), UDP(53, PORT)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(54, PORT)), LEFT_ALONE } } },
	{ .name = "a socket of one service by name, and of others by any port",
	  .services = { { ON(VIP, 9875, UDP, LOCAL), BACKENDS({ OWN, 53 }) },
			{ ON("10.0.0.16/28", 0, UDP, LOCAL, .last = 65535),
			  BACKENDS({ OWN, 0 }) } },
	  .steps = {
		CAME(UDP, 53, 53),
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(53, PORT)), REPLY_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), UDP(53, PORT)) } } },
	{ .name = "persistence none, one port to several",
	  .services = { { ON(VIP, 9875, UDP, LOCAL, .flags = LB_SERVICE_F_PER_PACKET),
			  BACKENDS({ OWN, 9876 }, { OWN, 9877 }) } },
	  .steps = {
		CAME(UDP, 9875, 9876),
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(9877, PORT)), LEFT_ALONE },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 9875)), NEW_UP, .pick = 2,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), UDP(PORT, 9877)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(9877, PORT)), REPLY_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), UDP(9875, PORT)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(9876, PORT)), REPLY_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), UDP(9875, PORT)) } } },
	{ .name = "a closed port of the host",
	  .services = { { ON(VIP, 53, UDP, LOCAL), BACKENDS({ OWN, 5353 }) } },
	  .steps = {
		CAME(UDP, 53, 5353),
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN, .ttl = 60),
			    UDP(PORT, 5353), DATA("odd")), ERROR_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), CLOSED, IP4(CLIENT, VIP, .ttl = 60),
			     UDP(PORT, 53), DATA("odd")) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN, BYTES("\1\1\1\0")),
			    UDP(PORT, 5353, .no_check = true), DATA("x")), ERROR_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), CLOSED, IP4(CLIENT, VIP, BYTES("\1\1\1\0")),
			     UDP(PORT, 53, .no_check = true), DATA("x")) },
		/* By another address of the host, in a VLAN; not all is quoted. */
		{ .in = PKT(ETH(), VLAN(5), IP4("10.0.0.11", CLIENT), CLOSED, IP4(CLIENT, OWN),
			    UDP(PORT, 5353), DATA("0123456789"), CUT(10)), ERROR_OUT,
		  .out = PKT(ETH(), VLAN(5), IP4("10.0.0.11", CLIENT), CLOSED, IP4(CLIENT, VIP),
			     UDP(PORT, 53), DATA("0123456789"), CUT(10)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN),
			    UDP(PORT, 5353), CUT(1)), LEFT_ALONE },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN), UDP(PORT, 5354)),
		  LEFT_ALONE },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN), UDP(PORT + 1, 5353)),
		  LEFT_ALONE },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN, .frag = 3),
			    UDP(PORT, 5353)), LEFT_ALONE } } },
	{ .name = "a closed port of the host, of a connection",
	  .services = { { ON(OWN, 80, TCP, LOCAL), BACKENDS({ OWN, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, OWN), TCP(PORT, 80, SYN)), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), TCP(PORT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN),
			    TCP(PORT, 8080, SYN)), ERROR_OUT,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN),
			     TCP(PORT, 80, SYN)) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN),
			    TCP(PORT, 8080, SYN), CUT(12)), ERROR_OUT,
		  .out = PKT(ETH(), IP4(OWN, CLIENT), CLOSED, IP4(CLIENT, OWN),
			     TCP(PORT, 80, SYN), CUT(12)) } } },
	{ .name = "a closed port of the host, over IPv6",
	  .services = { { ON(VIP6, 53, UDP, LOCAL), BACKENDS({ OWN6, 5353 }) } },
	  .steps = {
		CAME6(UDP, 53, 5353),
		{ .in = PKT(ETH(), IP6(OWN6, CLIENT6), CLOSED6, IP6(CLIENT6, OWN6),
			    UDP(PORT, 5353), DATA("odd")), ERROR_OUT,
		  .out = PKT(ETH(), IP6(VIP6, CLIENT6), CLOSED6, IP6(CLIENT6, VIP6),
			     UDP(PORT, 53), DATA("odd")) },
		{ .in = PKT(ETH(), IP6("2001:db8::11", CLIENT6), CLOSED6, IP6(CLIENT6, OWN6),
			    EXT(IPPROTO_DSTOPTS), UDP(PORT, 5353)), ERROR_OUT,
		  .out = PKT(ETH(), IP6("2001:db8::11", CLIENT6), CLOSED6, IP6(CLIENT6, VIP6),
			     EXT(IPPROTO_DSTOPTS), UDP(PORT, 53)) } } },
	{ .name = "a ping that the host refuses",
	  .services = { { ON(VIP, 0, ICMP, LOCAL), BACKENDS({ OWN, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), ECHO), NEW_UP,
		  .out = PKT(ETH(), IP4(CLIENT, OWN), ECHO) },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), ICMP(3, .code = 10), IP4(CLIENT, OWN), ECHO),
		  ERROR_OUT,
		  .out = PKT(ETH(), IP4(VIP, CLIENT), ICMP(3, .code = 10), IP4(CLIENT, VIP),
			     ECHO) } } },
	{ .name = "what is no reply",
	  .services = { { ON(VIP, 80, TCP, LOCAL), BACKENDS({ OWN, 8080 }) } },
	  .steps = {
		CAME(TCP_SYN, 80, 8080),
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), TCP(8080, PORT + 1)), LEFT_ALONE },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), TCP(8081, PORT)), LEFT_ALONE },
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), UDP(8080, PORT)), LEFT_ALONE },
		{ .in = PKT(ETH(), IP4(OWN, FAR_CLIENT), TCP(8080, PORT)), LEFT_ALONE },
		{ .in = PKT(ETH(.type = 0x0806), DATA("0123456789012345678901234567")),
		  LEFT_ALONE } } },
	{ .name = "a reply of nat that the kernel forwards is not lb_local's",
	  .services = { { ON(VIP, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)), NEW,
		  .out = PKT(TO(BACKEND1), IP4(CLIENT, BACKEND1, .ttl = 63),
			     TCP(PORT, 8080, SYN)) },
		{ .in = PKT(ETH(), IP4(BACKEND1, CLIENT), TCP(8080, PORT, SYN_ACK)),
		  LEFT_ALONE } } },
	{ .name = "a backend that is down",
	  .services = { { ON(VIP, 80, TCP, LOCAL), BACKENDS({ OWN, 8080 }) } },
	  .steps = {
		CAME(TCP_SYN, 80, 8080),
		{ .in = PKT(ETH(), IP4(OWN, CLIENT), TCP(8080, PORT)), .down = 1, .egress = true,
		  .reason = LB_REASON_BACKEND_DOWN, SHOT } } },
};
/* clang-format on */

TALK_MAIN("local", rows)
