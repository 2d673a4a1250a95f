// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_tunnel.c - what goes to backends as it is and is of no flow by itself: ICMP errors
 * about one, and fragments.
 *
 * Of outer headers only ipip over IPv4 around a packet with DF is known beforehand to the
 * last bit; test_encap.c has the others.
 */
#include <string.h>

#include "talk.h"

/* clang-format off */
#define VIP		"10.9.0.1"
#define VIP6		"2001:db8:9::1"
#define VIPS		"10.9.0.0/28"
#define VIPS6		"2001:db8:9::/64"
#define PORT		31337
#define ROUTER		"198.51.100.1"
#define ROUTER6		"2001:db8:f::1"
#define DF		0x4000
#define MF		0x2000
#define LATER		0x0003
#define ANY		.last = 65535

#define OUTER		IP4(WORLD_TUNNEL4, BACKEND1, .frag = DF, .plain = true)
#define UDP4		IP4(CLIENT, VIP, .frag = DF), UDP(PORT, 53), DATA("www?")
#define UDP6		IP6(CLIENT6, VIP6), UDP(PORT, 53), DATA("www?")
#define PING4		IP4(CLIENT, VIP, .frag = DF), ICMP(8, .sport = PORT), DATA("x")

/* What somebody on the way says of a reply that the backend sent in the service's name. */
#define ERROR4(t, c, ...)								\
	IP4(ROUTER, VIP, .frag = DF), ICMP(t, .code = (c)), IP4(VIP, CLIENT), __VA_ARGS__
#define ERROR6(t, c, ...)								\
	IP6(ROUTER6, VIP6), ICMP(t, .code = (c)), IP6(VIP6, CLIENT6), __VA_ARGS__
#define ANSWER		UDP(53, PORT), DATA("12345678")

#define AS_IT_IS(...)	.in = PKT(ETH(), __VA_ARGS__),					\
			.out = PKT(TO(BACKEND1), __VA_ARGS__)
#define INSIDE(...)	.in = PKT(ETH(), __VA_ARGS__),					\
			.out = PKT(TO(BACKEND1), OUTER, __VA_ARGS__)
#define ERROR		.reason = LB_REASON_ICMP_ERROR

static const struct talk rows[] = {
	/* An error goes to the backend of the flow that it is about, unchanged. */
	{ .name = "errors, ipip 4 in 4",
	  .services = { { ON(VIP, 53, UDP, IPIP), BACKENDS({ BACKEND1, 53 }) } },
	  .flows = 1,
	  .steps = {
		{ INSIDE(UDP4), NEW },
		{ INSIDE(ERROR4(3, 4, ANSWER)), ERROR },
		{ INSIDE(ERROR4(11, 0, ANSWER)), ERROR },
		{ INSIDE(ERROR4(3, 3, ANSWER), CUT(8)), ERROR } } },
	{ .name = "errors, ipip 6 in 4",
	  .services = { { ON(VIP6, 53, UDP, IPIP), BACKENDS({ BACKEND1, 53 }) } },
	  .flows = 1,
	  .steps = {
		{ INSIDE(UDP6), NEW },
		{ INSIDE(ERROR6(2, 0, ANSWER)), ERROR },
		{ INSIDE(ERROR6(1, 4, ANSWER), CUT(8)), ERROR } } },
	{ .name = "errors, dsr",
	  .services = { { ON(VIP, 53, UDP, DSR), BACKENDS({ BACKEND1, 53 }) } },
	  .flows = 1,
	  .steps = {
		{ AS_IT_IS(UDP4), NEW },
		{ AS_IT_IS(ERROR4(3, 4, ANSWER)), ERROR } } },
	{ .name = "errors, dsr over IPv6",
	  .services = { { ON(VIP6, 53, UDP, DSR), BACKENDS({ BACKEND1_6, 53 }) } },
	  .flows = 1,
	  .steps = {
		{ AS_IT_IS(UDP6), NEW },
		{ AS_IT_IS(ERROR6(2, 0, ANSWER)), ERROR } } },
	{ .name = "errors about echo replies, ipip",
	  .services = { { ON(VIP, 0, ICMP, IPIP), BACKENDS({ BACKEND1, 0 }) } },
	  .flows = 1,
	  .steps = {
		{ INSIDE(PING4), NEW },
		{ INSIDE(ERROR4(11, 0, ICMP(0, .sport = PORT), DATA("x"))), ERROR } } },
	{ .name = "errors about no flow, ipip",
	  .services = { { ON(VIP, 53, UDP, IPIP), BACKENDS({ BACKEND1, 53 }) } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ .in = PKT(ETH(), ERROR4(3, 4, ANSWER)), PASS(NOT_OURS) } } },

	/* Fragments of a datagram, also without ports. */
	{ .name = "fragments, ipip 4 in 4",
	  .services = { { ON(VIPS, 0, UDP, IPIP, ANY), BACKENDS({ BACKEND1, 0 }),
			  .promises = LB_PROMISE_ADDRESS } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ INSIDE(IP4(CLIENT, VIP, .frag = DF | MF), UDP(PORT, 53), DATA("12345678")),
		  NEW },
		{ INSIDE(IP4(CLIENT, VIP, .frag = DF | LATER, .type = IPPROTO_UDP),
			 DATA("12")), NEW } } },
	{ .name = "fragments, ipip 6 in 4",
	  .services = { { ON(VIPS6, 0, TCP, IPIP, ANY), BACKENDS({ BACKEND1, 0 }),
			  .promises = LB_PROMISE_ADDRESS } },
	  .flows = NO_FLOWS,
	  .steps = {
		{ INSIDE(IP6(CLIENT6, VIP6), EXT(IPPROTO_FRAGMENT, .frag = 1), TCP(PORT, 80)),
		  NEW },
		{ INSIDE(IP6(CLIENT6, VIP6),
			 EXT(IPPROTO_FRAGMENT, .frag = 8, .type = IPPROTO_TCP),
			 DATA("12")), NEW } } },
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Does @in come out in IPv6 and GUE?  The checksum is @summed, or not there. */
static void expect_gue6(const struct layer *in, bool summed)
{
	__u8 inner[PACKET_MAX];
	size_t len = packet_build(inner, in) - 14;
	struct run r;

	stage_run_layers(talk_parse, in, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
	assert_int_equal(r.len, 14 + 40 + 8 + len);
	assert_memory_equal(r.pkt + 14 + 48, inner + 14, len);
	if (!summed) {
		assert_memory_equal(r.pkt + 14 + 46, "\0\0", 2);
		return;
	}
	assert_int_equal(packet_sum(r.pkt + 14 + 8, 32 + 8 + len,
				    IPPROTO_UDP + 8 + (__u32)len),
			 0xffff);
}

/* An error has a checksum of its own; a fragment has a part of one. */
static void checksums_of_gue_over_ip6(void **state)
{
	static const struct talk errors = {
		.name = "errors",
		.services = { { ON(VIP, 53, UDP, GUE), BACKENDS({ BACKEND1_6, 53 }) },
			      { ON(VIP6, 53, UDP, GUE), BACKENDS({ BACKEND1_6, 53 }) } },
	}, fragments = {
		.name = "fragments",
		.services = { { ON(VIPS, 0, UDP, GUE, ANY), BACKENDS({ BACKEND1_6, 0 }),
				.promises = LB_PROMISE_ADDRESS },
			      { ON(VIPS6, 0, UDP, GUE, ANY), BACKENDS({ BACKEND1_6, 0 }),
				.promises = LB_PROMISE_ADDRESS } },
	};

	(void)state;
	talk_begin(&errors);
	expect_gue6(PKT(ETH(), UDP4), true);
	expect_gue6(PKT(ETH(), ERROR4(3, 4, ANSWER)), true);
	expect_gue6(PKT(ETH(), ERROR4(3, 4, ANSWER), CUT(8)), true);
	expect_gue6(PKT(ETH(), UDP6), true);
	expect_gue6(PKT(ETH(), ERROR6(2, 0, ANSWER)), true);

	talk_begin(&fragments);
	expect_gue6(PKT(ETH(), IP4(CLIENT, VIP, .frag = MF), UDP(PORT, 53), DATA("1234")),
		    false);
	expect_gue6(PKT(ETH(), IP4(CLIENT, VIP, .frag = LATER, .type = IPPROTO_UDP),
			DATA("12345678")),
		    false);
	expect_gue6(PKT(ETH(), IP6(CLIENT6, VIP6), EXT(IPPROTO_FRAGMENT, .frag = 1),
			UDP(PORT, 53)),
		    false);
}

/* There is no error about an error, nor about a later fragment: too big, they are dropped. */
static void too_big_and_nobody_is_told(void **state)
{
	static const struct talk world = {
		.name = "errors and fragments",
		.services = { { ON(VIP, 53, UDP, IPIP), BACKENDS({ BACKEND1, 53 }) },
			      { ON(VIPS, 0, UDP, IPIP, ANY), BACKENDS({ BACKEND1, 0 }),
				.promises = LB_PROMISE_ADDRESS } },
	};
	const struct layer *dropped[] = {
		PKT(ETH(), ERROR4(3, 4, ANSWER)),
		PKT(ETH(),
		    IP4(CLIENT, "10.9.0.2", .frag = DF | LATER, .type = IPPROTO_UDP),
		    DATA("12345678")),
	};
	__u64 before;
	struct lb_hop hop;
	struct run r;

	(void)state;
	talk_begin(&world);
	stage_run_layers(talk_parse, PKT(ETH(), UDP4), hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
	stage_run_layers(talk_parse, dropped[1], hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
	for (__u32 id = 1; id <= 2; id++) {
		world_get(&talk_stage, "lb_hops", id, &hop);
		hop.mtu = 40;
		world_put(&talk_stage, "lb_hops", id, &hop);
		before = stage_reason(&talk_stage, LB_REASON_TOO_BIG_DROP);
		stage_run_layers(talk_parse, dropped[id - 1], hosts_back, &r);
		assert_int_equal(r.verdict, XDP_DROP);
		stage_expect(&r, dropped[id - 1]);
		assert_int_equal(stage_reason(&talk_stage, LB_REASON_TOO_BIG_DROP),
				 before + 1);
	}
}

int main(void)
{
	struct CMUnitTest units[N_ROWS + 2] = {
		[N_ROWS] = cmocka_unit_test(checksums_of_gue_over_ip6),
		[N_ROWS + 1] = cmocka_unit_test(too_big_and_nobody_is_told),
	};

	for (size_t i = 0; i < N_ROWS; i++)
		units[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = talk_run,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests_name("tunnel", units, talk_open, talk_close);
}
