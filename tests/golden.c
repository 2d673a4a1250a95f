// SPDX-License-Identifier: GPL-2.0-only
/*
 * golden.c - the golden packets: each mode, family and protocol, and the odd shapes.
 */
#include "golden.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIP6	"2001:db8::20"
#define OWN	"10.0.0.10"
#define OWN6	"2001:db8::10"
#define PORT	31337
#define NAT_PORT 20000
#define SRC4	1	/* indices in lb_sources */
#define SRC6	2
#define EIGHT	"12345678"
#define MSS	BYTES("\x02\x04\x05\xb4")
#define PING	ICMP(8, .sport = 7)
#define PING6	ICMP(128, .sport = 7)

/* A first packet and a later one of each protocol, as goldens of their own. */
#define GOLDEN(what, vip, proto, mode, server, ...)					\
	{ .talk = { .name = what, .services = { { ON(vip, server, proto, mode),		\
						  BACKENDS(__VA_ARGS__) } }
#define STEPS(...) .steps = { __VA_ARGS__ } }
#define IN(...)	{ .in = PKT(ETH(), __VA_ARGS__) }
#define TCP4	IP4(CLIENT, VIP), TCP(PORT, 80, SYN, MSS)
#define TCP4_ON	IP4(CLIENT, VIP), TCP(PORT, 80), DATA("GET / HTTP/1.1")
#define UDP4	IP4(CLIENT, VIP), UDP(PORT, 53), DATA("www?")
#define TCP6	IP6(CLIENT6, VIP6), TCP(PORT, 80, SYN, MSS)
#define TCP6_ON	IP6(CLIENT6, VIP6), TCP(PORT, 80), DATA("GET / HTTP/1.1")
#define UDP6	IP6(CLIENT6, VIP6), UDP(PORT, 53), DATA("www?")

/* Each mode whose packets go one way: the families' and protocols' packets. */
#define ONE_WAY(mode, to4, to6, ...)							\
	GOLDEN(#mode " tcp", VIP, TCP, mode, 80, { to4, 80 }),				\
	  STEPS(IN(TCP4), IN(TCP4_ON)), __VA_ARGS__ },					\
	GOLDEN(#mode " udp", VIP, UDP, mode, 53, { to4, 53 }),				\
	  STEPS(IN(UDP4)), __VA_ARGS__ },						\
	GOLDEN(#mode " ping", VIP, ICMP, mode, 0, { to4, 0 }),				\
	  STEPS(IN(IP4(CLIENT, VIP), PING, DATA("ping"))), __VA_ARGS__ },		\
	GOLDEN(#mode " tcp6", VIP6, TCP, mode, 80, { to6, 80 }),			\
	  STEPS(IN(TCP6), IN(TCP6_ON)), __VA_ARGS__ },					\
	GOLDEN(#mode " udp6", VIP6, UDP, mode, 53, { to6, 53 }),			\
	  STEPS(IN(UDP6)), __VA_ARGS__ },						\
	GOLDEN(#mode " ping6", VIP6, ICMPV6, mode, 0, { to6, 0 }),			\
	  STEPS(IN(IP6(CLIENT6, VIP6), PING6, DATA("ping"))), __VA_ARGS__ }

/* Each mode whose replies come through us, to @at4 or @at6; replies go to @client. */
#define TWO_WAYS(mode, at4, at6)							\
	ONE_WAY(mode, at4, at6),							\
	GOLDEN(#mode " tcp reply", VIP, TCP, mode, 80, { at4, 8080 }),			\
	  STEPS(IN(TCP4), IN(IP4(at4, CLIENT), TCP(8080, PORT, SYN_ACK, MSS))) },	\
	GOLDEN(#mode " udp reply", VIP, UDP, mode, 53, { at4, 5353 }),			\
	  STEPS(IN(UDP4), IN(IP4(at4, CLIENT), UDP(5353, PORT), DATA("odd"))) },	\
	GOLDEN(#mode " tcp6 reply", VIP6, TCP, mode, 80, { at6, 8080 }),		\
	  STEPS(IN(TCP6), IN(IP6(at6, CLIENT6), TCP(8080, PORT), DATA("odd"))) },	\
	GOLDEN(#mode " udp6 reply", VIP6, UDP, mode, 53, { at6, 5353 }),		\
	  STEPS(IN(UDP6), IN(IP6(at6, CLIENT6), UDP(5353, PORT), DATA("12345"))) },	\
	GOLDEN(#mode " ping6 reply", VIP6, ICMPV6, mode, 0, { at6, 0 }),		\
	  STEPS(IN(IP6(CLIENT6, VIP6), PING6),						\
		IN(IP6(at6, CLIENT6), ICMP(129, .sport = 7), DATA("x"))) }

const struct golden goldens[] = {
	ONE_WAY(FULLNAT, BACKEND1, BACKEND1_6),
	TWO_WAYS(NAT, BACKEND1, BACKEND1_6),
	TWO_WAYS(LOCAL, OWN, OWN6),
	ONE_WAY(DSR, BACKEND1, BACKEND1_6),
	ONE_WAY(IPIP, BACKEND1, BACKEND1, .source = SRC4),
	ONE_WAY(IPIP, BACKEND1_6, BACKEND1_6, .source = SRC6),
	ONE_WAY(GUE, BACKEND1, BACKEND1, .source = SRC4),
	ONE_WAY(GUE, BACKEND1_6, BACKEND1_6, .source = SRC6),

	{ .talk = { .name = "full NAT replies",
		    .services = { { ON(VIP, 80, TCP, FULLNAT), BACKENDS({ BACKEND1, 8080 }),
				    .nat = NAT_PORT } },
		    STEPS(IN(TCP4), IN(IP4(BACKEND1, VIP), TCP(8080, NAT_PORT), DATA("odd"))) },
	{ .talk = { .name = "full NAT replies over IPv6",
		    .services = { { ON(VIP6, 53, UDP, FULLNAT), BACKENDS({ BACKEND1_6, 53 }),
				    .nat = NAT_PORT } },
		    STEPS(IN(UDP6), IN(IP6(BACKEND1_6, VIP6), UDP(53, NAT_PORT), DATA("odd"))) },
	{ .talk = { .name = "full NAT ping replies",
		    .services = { { ON(VIP, 0, ICMP, FULLNAT), BACKENDS({ BACKEND1, 0 }),
				    .nat = NAT_PORT } },
		    STEPS(IN(IP4(CLIENT, VIP), PING),
			  IN(IP4(BACKEND1, VIP), ICMP(0, .sport = NAT_PORT), DATA("x"))) },
	{ .talk = { .name = "any port of a prefix, full NAT, with tags and options",
		    .services = { { ON("10.0.0.16/28", 0, TCP, FULLNAT, .last = 65535),
				    BACKENDS({ BACKEND1, 0 }) } },
		    STEPS({ .in = PKT(ETH(.type = 0x88a8), VLAN(1), VLAN(2),
				      IP4(CLIENT, VIP, BYTES(EIGHT)), TCP(PORT, 80, SYN)) }) },
	{ .talk = { .name = "any port over IPv6, nat, with extension headers",
		    .services = { { ON("2001:db8::20/124", 0, UDP, NAT, .last = 65535),
				    BACKENDS({ BACKEND1_6, 0 }) } },
		    STEPS(IN(IP6(CLIENT6, VIP6), EXT(IPPROTO_HOPOPTS),
			     EXT(IPPROTO_DSTOPTS, BYTES(EIGHT)), UDP(PORT, 53), DATA("?"))) },
	{ .talk = { .name = "any port, persistence none, replies",
		    .services = { { ON(VIP, 0, UDP, FULLNAT, .last = 65535,
				       .flags = LB_SERVICE_F_PER_PACKET),
				    BACKENDS({ BACKEND1, 0 }), .nat = NAT_PORT } },
		    STEPS(IN(UDP4), IN(IP4(BACKEND1, VIP), UDP(53, NAT_PORT), DATA("odd"))) },
	{ .talk = { .name = "fragments, dsr",
		    .services = { { ON(VIP, 0, UDP, DSR, .last = 65535),
				    BACKENDS({ BACKEND1, 0 }), .promises = LB_PROMISE_ADDRESS } },
		    STEPS(IN(IP4(CLIENT, VIP, .frag = 0x2000), UDP(PORT, 53), DATA(EIGHT))) },
	{ .talk = { .name = "fragments in a tunnel",
		    .services = { { ON(VIP6, 0, UDP, GUE, .last = 65535),
				    BACKENDS({ BACKEND1_6, 0 }),
				    .promises = LB_PROMISE_ADDRESS } },
		    STEPS(IN(IP6(CLIENT6, VIP6), EXT(IPPROTO_FRAGMENT, .frag = 1),
			     UDP(PORT, 53), DATA(EIGHT))), .source = SRC6 },
	{ .talk = { .name = "without a checksum",
		    .services = { { ON(VIP, 53, UDP, NAT), BACKENDS({ BACKEND1, 5353 }) } },
		    STEPS(IN(IP4(CLIENT, VIP), UDP(PORT, 53, .no_check = true), DATA("?"))) },
	{ .talk = { .name = "an MSS",
		    .services = { { ON(VIP, 80, TCP, FULLNAT, .mss = 1400),
				    BACKENDS({ BACKEND1, 8080 }) } },
		    STEPS(IN(IP4(CLIENT, VIP), TCP(PORT, 80, SYN, BYTES("\x01\x02\x04\x05\xb4"
									"\x04\x02\x00")))) },
	{ .talk = { .name = "a reply with an MSS",
		    .services = { { ON(VIP6, 80, TCP, NAT, .mss = 1220),
				    BACKENDS({ BACKEND1_6, 8080 }) } },
		    STEPS(IN(TCP6), IN(IP6(BACKEND1_6, CLIENT6),
				       TCP(8080, PORT, SYN_ACK, BYTES("\x02\x04\x05\xa0")))) },
	{ .talk = { .name = "nobody to choose", .services = { { ON(VIP, 80, TCP, NAT) } },
		    STEPS(IN(TCP4)), .answers = true },
	{ .talk = { .name = "nobody to choose, udp over IPv6",
		    .services = { { ON(VIP6, 53, UDP, DSR) } }, STEPS(IN(UDP6)), .answers = true },
	{ .talk = { .name = "a ping that we answer",
		    .services = { { ON(VIP, 80, TCP, NAT, .flags = LB_SERVICE_F_ICMP_REPLY) } },
		    STEPS(IN(IP4(CLIENT, VIP), PING, DATA("ping"))), .answers = true },

	/* ICMP errors: what they are about is quoted, and translated too. */
	{ .talk = { .name = "unreachable, about a packet to a nat backend",
		    .services = { { ON(VIP, 80, TCP, NAT), BACKENDS({ BACKEND1, 8080 }) } },
		    STEPS(IN(TCP4), IN(IP4(BACKEND1, CLIENT), ICMP(3, .code = 3),
				       IP4(CLIENT, BACKEND1), TCP(PORT, 8080), DATA("x"))) },
	{ .talk = { .name = "too big, about a reply of full NAT",
		    .services = { { ON(VIP, 53, UDP, FULLNAT), BACKENDS({ BACKEND1, 53 }),
				    .nat = NAT_PORT } },
		    STEPS(IN(UDP4), IN(IP4(CLIENT, VIP), ICMP(3, .code = 4, .dport = 1400),
				       IP4(VIP, CLIENT, BYTES(EIGHT)), UDP(53, PORT),
				       DATA("12345678"))) },
	{ .talk = { .name = "time exceeded, about a packet to a full NAT backend over IPv6",
		    .services = { { ON(VIP6, 80, TCP, FULLNAT), BACKENDS({ BACKEND1_6, 8080 }),
				    .nat = NAT_PORT } },
		    STEPS(IN(TCP6), IN(IP6("2001:db8::3", VIP6), ICMP(3),
				       IP6(VIP6, BACKEND1_6), TCP(NAT_PORT, 8080))) },
	{ .talk = { .name = "too big over IPv6, about a reply in nat",
		    .services = { { ON(VIP6, 53, UDP, NAT), BACKENDS({ BACKEND1_6, 5353 }) } },
		    STEPS(IN(UDP6), IN(IP6(CLIENT6, VIP6), ICMP(2, .dport = 1280),
				       IP6(VIP6, CLIENT6), UDP(53, PORT), DATA("1234567"))) },
	{ .talk = { .name = "unreachable, to a dsr backend",
		    .services = { { ON(VIP, 80, TCP, DSR), BACKENDS({ BACKEND1, 80 }) } },
		    STEPS(IN(TCP4), IN(IP4(CLIENT, VIP), ICMP(3, .code = 1), IP4(VIP, CLIENT),
				       TCP(80, PORT))) },
	{ .talk = { .name = "unreachable, into a tunnel",
		    .services = { { ON(VIP6, 80, TCP, GUE), BACKENDS({ BACKEND1_6, 80 }) } },
		    STEPS(IN(TCP6), IN(IP6(CLIENT6, VIP6), ICMP(1), IP6(VIP6, CLIENT6),
				       TCP(80, PORT))), .source = SRC6 },
};
/* clang-format on */

const size_t n_goldens = sizeof(goldens) / sizeof(goldens[0]);

static void put_sources(__u32 source)
{
	struct lb_source from[] = { { .family = 4, .prefix = 32 },
				    { .family = 6, .prefix = 64 } };
	struct lb_backend backend;

	world_address(OWN, from[0].address);
	world_address("2001:db8:50::", from[1].address);
	world_put(&talk_stage, "lb_sources", SRC4, &from[0]);
	world_put(&talk_stage, "lb_sources", SRC6, &from[1]);
	for (__u32 id = 1; source && id <= talk_stage.n_backends; id++) {
		backend = world_backend(&talk_stage, id);
		backend.source = source;
		world_put(&talk_stage, "lb_backends", id, &backend);
	}
}

/* No second passes between jiffies as the test has them. */
static void forget_answers(void)
{
	__u64 none = 0;

	world_put(&talk_stage, "lb_answers", 0, &none);
}

/* The conversation so far, without its last packet; that is returned. */
static const struct layer *converse(const struct talk *t)
{
	struct run r;
	int i;

	for (i = 0; i + 1 < TALK_STEPS && t->steps[i + 1].in; i++)
		stage_run_layers(talk_parse, t->steps[i].in, hosts_back, &r);
	return t->steps[i].in;
}

const struct layer *golden_begin(const struct golden *g)
{
	talk_begin(&g->talk);
	put_sources(g->source);
	forget_answers();
	return converse(&g->talk);
}

void golden_again(const struct golden *g)
{
	flows_clear(&talk_stage);
	forget_answers();
	converse(&g->talk);
}
