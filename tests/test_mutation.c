// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_mutation.c - good packets, cut short and damaged, through the whole chain.
 *
 * Whatever comes in: what is sent is consistent in itself, a checksum that was right is
 * right after, and the chain never finds a defect of its own (XDP_ABORTED).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "talk.h"

/* clang-format off */
#define MUTATIONS	3000	/* of each golden packet */
#define AFRESH		40	/* packets after which the flows are as at first */

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

/* The last packet of a conversation is the golden one. */
struct golden {
	struct talk talk;
	__u32 source;		/* of its backends' tunnels */
	bool answers;		/* nobody is sent to: we speak ourselves */
};

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

static const struct golden goldens[] = {
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

#define N_GOLDENS (sizeof(goldens) / sizeof(goldens[0]))

/* A packet, and what became of it. */
struct trial {
	__u8 in[PACKET_MAX];
	size_t len;
	struct run r;
};

static struct trial trial; /* large, and printed when something is wrong */
static const struct golden *about;

static __u32 random_below(__u32 n)
{
	static __u64 x = 0x5eed5eed5eed5eed; /* xorshift64: the same each time */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (x >> 32) % n;
}

/* ---- the world ---------------------------------------------------------------------- */

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

static const struct layer *begin(const struct golden *g)
{
	about = g;
	talk_begin(&g->talk);
	put_sources(g->source);
	forget_answers();
	return converse(&g->talk);
}

/* ---- the verdict on what came out ------------------------------------------------------- */

static void wrong(const char *what)
{
	packet_print("in", trial.in, trial.len);
	packet_print("out", trial.r.pkt, trial.r.len);
	fail_msg("%s; verdict %u", what, trial.r.verdict);
}

static bool is_changed(void)
{
	return trial.r.len != trial.len || memcmp(trial.r.pkt, trial.in, trial.len);
}

static void check_sums(const struct judgement *in, const struct judgement *out)
{
	if (in->header_right && !out->header_right)
		wrong("the IP header's checksum was right");
	if (!in->header_right || in->sum == SUM_UNKNOWN || in->sum == SUM_WRONG)
		return;
	if (out->sum != in->sum)
		wrong("the checksum was right");
}

/* In a tunnel: all of the packet that came, and a header that fits around it. */
static void check_tunnel(const struct judgement *in, const struct judgement *out,
			 const struct judgement *inner)
{
	size_t len = in->end - in->l3;

	if (inner->end - inner->l3 != len || out->end != inner->end ||
	    trial.r.len != out->end ||
	    memcmp(trial.r.pkt + inner->l3, trial.in + in->l3, len))
		wrong("it is not the same inside of the tunnel");
	if (!out->header_right)
		wrong("the outer IP header's checksum");
	if (in->header_right && in->sum == SUM_RIGHT && out->sum == SUM_WRONG)
		wrong("the outer checksum");
}

/* What an ICMP error quotes is as right as it was. */
static void check_quote(const struct judgement *in, const struct judgement *out)
{
	struct judgement was = judge_quote(trial.in, trial.len, in),
			 is = judge_quote(trial.r.pkt, trial.r.len, out);

	if (was.header_right && !is.header_right)
		wrong("the quoted header's checksum was right");
	if (was.header_right && was.sum == SUM_RIGHT && is.sum != SUM_RIGHT)
		wrong("the quoted checksum was right");
}

/* What we say ourselves is right, but for an echo of what was wrong. */
static void check_answer(const struct judgement *in, const struct judgement *out)
{
	if (in->header_right &&
	    (!out->header_right || (out->sum != SUM_RIGHT && in->sum != SUM_WRONG)))
		wrong("our answer has a wrong checksum");
}

static void check_sent(void)
{
	struct judgement in = judge(trial.in, trial.len);
	struct judgement out = judge(trial.r.pkt, trial.r.len), inner;

	if (!in.family || !in.fits)
		wrong("what is sent was no packet");
	if (!out.family || !out.fits)
		wrong("what is sent is no packet");
	inner = judge_inner(trial.r.pkt, trial.r.len, &out);
	if (about->answers) {
		check_answer(&in, &out);
	} else if (about->source) {
		check_tunnel(&in, &out, &inner);
	} else {
		if (trial.r.len != trial.len || out.end - out.l3 != in.end - in.l3)
			wrong("its length changed");
		check_sums(&in, &out);
		check_quote(&in, &out);
	}
}

static void run_trial(void)
{
	stage_run(talk_parse, trial.in, trial.len, hosts_back, &trial.r);
	switch (trial.r.verdict) {
	case XDP_TX:
	case XDP_REDIRECT:
		check_sent();
		break;
	case XDP_PASS:
		if (trial.r.n_meta || is_changed())
			check_sent();
		break;
	case XDP_DROP:
		break;
	default:
		wrong("neither sent, passed nor dropped");
	}
}

/* ---- damage ---------------------------------------------------------------------------- */

/* Most of it where the headers are, behind the MAC addresses. */
static void damage_byte(void)
{
	static const __u8 odd[] = { 0,	1,    4,    5,	  6,	17,  44,
				    58, 0x45, 0x60, 0x7f, 0x80, 0xff };
	size_t headers = trial.len < 100 ? trial.len : 100;
	__u8 *at = trial.in + 12 + random_below(headers - 12);

	switch (random_below(4)) {
	case 0:
		*at ^= 1 << random_below(8);
		break;
	case 1:
		*at = odd[random_below(sizeof(odd))];
		break;
	case 2:
		*at += random_below(2) ? 1 : -1;
		break;
	default:
		*at = random_below(256);
	}
}

/* A part of it again somewhere else: header behind header. */
static void damage_order(void)
{
	size_t n = 1 + random_below(40), from = random_below(trial.len),
	       to = random_below(trial.len);

	if (from + n <= trial.len && to + n <= trial.len)
		memmove(trial.in + to, trial.in + from, n);
}

static void damage_length(void)
{
	size_t n = random_below(trial.len < 200 ? 64 : 200);

	if (random_below(2)) {
		trial.len -= n < trial.len - 14 ? n : 0;
		return;
	}
	for (size_t i = 0; i < n; i++)
		trial.in[trial.len++] = random_below(256);
}

static void damage(void)
{
	for (__u32 i = random_below(4) + 1; i; i--)
		damage_byte();
	if (!random_below(8))
		damage_order();
	if (!random_below(8))
		damage_length();
	if (random_below(2))
		judge_repair(trial.in, trial.len);
}

/* ---- the tests -------------------------------------------------------------------------- */

/* What it is about: the golden packet goes somewhere. */
static void is_golden(void **state)
{
	const struct golden *g = *state;

	trial.len = packet_build(trial.in, begin(g));
	run_trial();
	if (trial.r.verdict == XDP_DROP ||
	    (trial.r.verdict == XDP_PASS && !trial.r.n_meta && !is_changed()))
		wrong("the golden packet was not sent");
}

static void truncated_at_every_length(void **state)
{
	const struct golden *g = *state;
	size_t len = packet_build(trial.in, begin(g));

	for (trial.len = 14; trial.len < len; trial.len++) {
		run_trial();
		if (trial.r.verdict != XDP_PASS && trial.r.verdict != XDP_DROP)
			wrong("it was sent although it is cut short");
		if (trial.r.verdict == XDP_PASS && is_changed())
			wrong("it was changed although it is cut short");
	}
}

static void damaged_at_random(void **state)
{
	const struct golden *g = *state;
	const struct layer *in = begin(g);

	for (int i = 0; i < MUTATIONS; i++) {
		if (i % AFRESH == AFRESH - 1) {
			flows_clear(&talk_stage);
			converse(&g->talk);
			forget_answers();
		}
		trial.len = packet_build(trial.in, in);
		damage();
		run_trial();
	}
	flows_check(&talk_stage);
}

int main(void)
{
	static void (*const tests[])(void **) = { is_golden, truncated_at_every_length,
						  damaged_at_random };
	struct CMUnitTest units[3 * N_GOLDENS];
	char names[3 * N_GOLDENS][96];
	static const char *const what[] = { "goes on", "cut at every length",
					    "damaged at random" };

	for (size_t i = 0; i < 3 * N_GOLDENS; i++) {
		snprintf(names[i], sizeof(names[i]), "%s: %s", goldens[i / 3].talk.name,
			 what[i % 3]);
		units[i] = (struct CMUnitTest){
			.name = names[i],
			.test_func = tests[i % 3],
			.initial_state = (void *)&goldens[i / 3],
		};
	}
	return cmocka_run_group_tests_name("mutation", units, talk_open, talk_close);
}
