// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_mss.c - SYNs of services with an MSS, as conversations.
 */
#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIP6	"2001:db8::20"
#define PORT	31337
#define NAT	20000
#define HOP	.ttl = 63
#define MSS	.mss = 1400	/* 0x578 */
#define EIGHT	"\x01\x01\x01\x01\x01\x01\x01\x01"
#define STAMPS	"\x01\x01\x08\x0a" "12345678"

/* A SYN with these options leaves with those. */
#define SYN_OPTIONS(before, after, ...)							\
	{ .services = { { ON(VIP, 80, TCP, FULLNAT, MSS), .nat = NAT,			\
			  BACKENDS({ BACKEND1, 8080 }) } },				\
	  .steps = { { .in = PKT(ETH(), IP4(CLIENT, VIP),				\
				 TCP(PORT, 80, SYN, BYTES(before))), NEW,		\
		       .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP),		\
				  TCP(NAT, 8080, SYN, BYTES(after))) } }, __VA_ARGS__ }
#define STAYS(options, ...) SYN_OPTIONS(options, options, __VA_ARGS__)

static const struct talk rows[] = {
	SYN_OPTIONS("\x02\x04\x05\xb4", "\x02\x04\x05\x78", .name = "1460 becomes 1400"),
	SYN_OPTIONS("\x02\x04\xff\xff", "\x02\x04\x05\x78", .name = "65535 becomes 1400"),
	SYN_OPTIONS("\x02\x04\x05\x79", "\x02\x04\x05\x78", .name = "1401 becomes 1400"),
	STAYS("\x02\x04\x05\x78", .name = "1400 stays"),
	STAYS("\x02\x04\x02\x18", .name = "536 stays"),
	STAYS("\x02\x04\x00\x00", .name = "0 stays"),
	SYN_OPTIONS("\x01\x02\x04\x05\xb4\x01\x01\x01", "\x01\x02\x04\x05\x78\x01\x01\x01",
		    .name = "at an odd offset"),
	SYN_OPTIONS("\x03\x03\x07\x02\x04\x05\xb4\x00", "\x03\x03\x07\x02\x04\x05\x78\x00",
		    .name = "at an odd offset, behind an option"),
	SYN_OPTIONS("\x01\x01\x02\x04\x05\xb4\x04\x02", "\x01\x01\x02\x04\x05\x78\x04\x02",
		    .name = "in two words"),
	SYN_OPTIONS(STAMPS "\x02\x04\x05\xb4", STAMPS "\x02\x04\x05\x78",
		    .name = "behind time stamps"),
	SYN_OPTIONS(EIGHT EIGHT EIGHT EIGHT "\x01\x01\x01\x01\x02\x04\x05\xb4",
		    EIGHT EIGHT EIGHT EIGHT "\x01\x01\x01\x01\x02\x04\x05\x78",
		    .name = "the last of 40 bytes"),
	SYN_OPTIONS("\x02\x04\x05\xb4\x02\x04\x05\xb0", "\x02\x04\x05\x78\x02\x04\x05\x78",
		    .name = "twice"),
	STAYS(EIGHT, .name = "no such option"),
	STAYS("", .name = "no options"),
	STAYS("\x00\x02\x04\x05\xb4\x00\x00\x00", .name = "behind the end of options"),
	STAYS("\x02\x03\x05\xb4", .name = "an MSS of one byte"),
	STAYS("\x02\x06\x05\xb4\x05\xb4\x00\x00", .name = "an MSS of four bytes"),
	STAYS("\x08\x00\x02\x04\x05\xb4\x00\x00", .name = "behind an option of no length"),
	STAYS("\x08\x01\x02\x04\x05\xb4\x00\x00", .name = "behind an option of length 1"),
	STAYS("\x08\x0a\x02\x04\x05\xb4\x00\x00", .name = "an option beyond the header"),
	STAYS("\x01\x01\x02\x04", .name = "an MSS that begins in the last two bytes"),
	STAYS("\x01\x01\x01\x02", .name = "an option of which there is one byte"),
	STAYS("\x08\x06\x02\x04\x05\xb4\x01\x01", .name = "inside another option"),

	/* What is behind and in front of the header. */
	{ .name = "options that the IP packet does not have",
	  .services = { { ON(VIP, 80, TCP, FULLNAT, MSS), .nat = NAT,
			  BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = { { .in = PKT(ETH(), IP4(CLIENT, VIP, .length = 40),
				 TCP(PORT, 80, SYN, .words = 6), DATA("\x02\x04\x05\xb4")), NEW,
		       .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, .length = 40, HOP),
				  TCP(NAT, 8080, SYN, .words = 6),
				  DATA("\x02\x04\x05\xb4")) } } },
	{ .name = "IP options and odd data",
	  .services = { { ON(VIP, 80, TCP, FULLNAT, MSS), .nat = NAT,
			  BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = { { .in = PKT(ETH(), IP4(CLIENT, VIP, BYTES(EIGHT)),
				 TCP(PORT, 80, SYN, BYTES("\x01\x02\x04\x05\xb4\x01\x01\x01")),
				 DATA("odd")), NEW,
		       .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP, BYTES(EIGHT)),
				  TCP(NAT, 8080, SYN, BYTES("\x01\x02\x04\x05\x78\x01\x01\x01")),
				  DATA("odd")) } } },
	{ .name = "extension headers",
	  .services = { { ON(VIP6, 80, TCP, FULLNAT, MSS), .nat = NAT,
			  BACKENDS({ BACKEND1_6, 8080 }) } },
	  .steps = { { .in = PKT(ETH(), IP6(CLIENT6, VIP6), EXT(IPPROTO_DSTOPTS, BYTES(EIGHT)),
				 TCP(PORT, 80, SYN, BYTES("\x02\x04\x05\xb4"))), NEW,
		       .out = PKT(TO(BACKEND1), IP6(VIP6, BACKEND1_6, HOP),
				  EXT(IPPROTO_DSTOPTS, BYTES(EIGHT)),
				  TCP(NAT, 8080, SYN, BYTES("\x02\x04\x05\x78"))) } } },

	/* Both ends, and nothing but SYNs. */
	{ .name = "both ends, full NAT",
	  .services = { { ON(VIP, 80, TCP, FULLNAT, MSS), .nat = NAT,
			  BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN, BYTES("\x02\x04\x05\xb4"))),
		  NEW, .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP),
				  TCP(NAT, 8080, SYN, BYTES("\x02\x04\x05\x78"))) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN, BYTES("\x02\x04\x05\xb4"))),
		  KNOWN, .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP),
				    TCP(NAT, 8080, SYN, BYTES("\x02\x04\x05\x78"))) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP),
			    TCP(8080, NAT, SYN_ACK, BYTES("\x02\x04\x05\xb4"))),
		  REPLY, .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP),
				    TCP(80, PORT, SYN_ACK, BYTES("\x02\x04\x05\x78"))) },
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, BYTES("\x02\x04\x05\xb4"))),
		  KNOWN, .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP),
				    TCP(NAT, 8080, BYTES("\x02\x04\x05\xb4"))) } } },
	{ .name = "both ends, nat over IPv6",
	  .services = { { ON(VIP6, 80, TCP, NAT, MSS), BACKENDS({ BACKEND1_6, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP6(CLIENT6, VIP6),
			    TCP(PORT, 80, SYN, BYTES("\x02\x04\x05\xb4"))),
		  NEW, .out = PKT(TO(BACKEND1), IP6(CLIENT6, BACKEND1_6, HOP),
				  TCP(PORT, 8080, SYN, BYTES("\x02\x04\x05\x78"))) },
		{ .in = PKT(ETH(), IP6(BACKEND1_6, CLIENT6),
			    TCP(8080, PORT, SYN_ACK, BYTES("\x02\x04\x05\xb4"))),
		  REPLY, .out = PKT(TO(CLIENT), IP6(VIP6, CLIENT6, HOP),
				    TCP(80, PORT, SYN_ACK, BYTES("\x02\x04\x05\x78"))) } } },
	{ .name = "both ends, any port, full NAT",
	  .services = { { ON(VIP, 0, TCP, FULLNAT, MSS, .last = 65535), .nat = NAT,
			  BACKENDS({ BACKEND1, 0 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN, BYTES("\x02\x04\x05\xb4"))),
		  NEW, .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP),
				  TCP(NAT, 80, SYN, BYTES("\x02\x04\x05\x78"))) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP),
			    TCP(80, NAT, SYN_ACK, BYTES("\x02\x04\x05\xb4"))),
		  REPLY, .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP),
				    TCP(80, PORT, SYN_ACK, BYTES("\x02\x04\x05\x78"))) } } },
	{ .name = "a service without an MSS",
	  .services = { { ON(VIP, 80, TCP, FULLNAT), .nat = NAT,
			  BACKENDS({ BACKEND1, 8080 }) } },
	  .steps = {
		{ .in = PKT(ETH(), IP4(CLIENT, VIP), TCP(PORT, 80, SYN, BYTES("\x02\x04\x05\xb4"))),
		  NEW, .out = PKT(TO(BACKEND1), IP4(VIP, BACKEND1, HOP),
				  TCP(NAT, 8080, SYN, BYTES("\x02\x04\x05\xb4"))) },
		{ .in = PKT(ETH(), IP4(BACKEND1, VIP),
			    TCP(8080, NAT, SYN_ACK, BYTES("\x02\x04\x05\xb4"))),
		  REPLY, .out = PKT(TO(CLIENT), IP4(VIP, CLIENT, HOP),
				    TCP(80, PORT, SYN_ACK, BYTES("\x02\x04\x05\xb4"))) } } },
};
/* clang-format on */

TALK_MAIN("mss", rows)
