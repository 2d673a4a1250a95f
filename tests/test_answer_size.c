// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_answer_size.c - ICMP errors of the balancer: how much they quote, and how many.
 *
 * lb_answer alone is told that a packet is too big; ports that nobody serves are asked
 * through the whole chain.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIP6	"2001:db8::20"
#define PORT	31337
#define MTU	1400
#define BACK	ETH(.dst = PACKET_MAC_SRC, .src = PACKET_MAC_DST)
#define OURS4	IP4(VIP, CLIENT, .tos = 0xc0, .frag = 0x4000, .plain = true)
#define OURS6	IP6(VIP6, CLIENT6, .tos = 0xc0, .plain = true)
#define FILL(n)	{ .kind = LAYER_DATA, .data = fill, .n_data = (n) }
#define OVER(have, most) ((have) > (most) ? (have) - (most) : 0)

/* What a quote may have of an IP packet: 576 or 1280 bytes less the headers before it. */
#define QUOTE4	548
#define QUOTE6	1232

static const struct talk world = {
	.services = { { ON(VIP, 53, UDP, NAT) }, { ON(VIP6, 53, UDP, NAT) },
		      { ON(VIP, 80, TCP, NAT) } },
};
/* clang-format on */

static char fill[PACKET_MAX];

static int open_world(void **state)
{
	for (size_t i = 0; i < sizeof(fill); i++)
		fill[i] = 1 + i * 37 % 251;
	return talk_open(state);
}

static int begin(void **state)
{
	(void)state;
	talk_begin(&world);
	return 0;
}

static void forget_answers(void)
{
	__u64 none = 0;

	for (__u32 id = 0; id < TALK_SERVICES; id++)
		world_put(&talk_stage, "lb_answers", id, &none);
}

static void ask(const struct layer *in, const struct layer *out, enum lb_reason reason)
{
	__u64 count = stage_reason(&talk_stage, reason);
	struct run r;

	stage_run_layers(talk_parse, in, hosts_back, &r);
	assert_int_equal(stage_reason(&talk_stage, reason), count + 1);
	assert_int_equal(r.verdict, out ? XDP_TX : XDP_DROP);
	if (out)
		stage_expect(&r, out);
}

/* Every length there is, up to what Ethernet carries: the sum is made of pieces. */
static void of_every_length(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 1452; n++) {
		forget_answers();
		ask(PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53), FILL(n)),
		    PKT(BACK, OURS4, ICMP(3, .code = 3), IP4(CLIENT, VIP), UDP(PORT, 53),
			FILL(n), CUT(OVER(28 + n, QUOTE4))),
		    LB_REASON_NO_BACKEND);
		ask(PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53), FILL(n)),
		    PKT(BACK, OURS6, ICMP(1, .code = 4), IP6(CLIENT6, VIP6),
			UDP(PORT, 53), FILL(n), CUT(OVER(48 + n, QUOTE6))),
		    LB_REASON_NO_BACKEND);
	}
}

/* A hundred a second of each service, by whoever asks. */
static void no_more_than_a_hundred_a_second(void **state)
{
	const struct layer *dns = PKT(ETH(), IP4(CLIENT, VIP), UDP(PORT, 53)),
			   *told = PKT(BACK, OURS4, ICMP(3, .code = 3), IP4(CLIENT, VIP),
				       UDP(PORT, 53)),
			   *syn = PKT(ETH(), IP4(CLIENT, VIP),
				      TCP(PORT, 80, .flags = TH_SYN)),
			   *reset = PKT(BACK, OURS4,
					TCP(80, PORT, .flags = TH_RST | TH_ACK, .ack = 1,
					    .plain = true));
	struct lb_count count = stage_service_count(&talk_stage, 0), after;
	__u64 word;
	__u32 id = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		ask(dns, told, LB_REASON_NO_BACKEND);
	for (int i = 0; i < 100; i++)
		ask(dns, NULL, LB_REASON_ANSWER_LIMIT);
	after = stage_service_count(&talk_stage, 0);
	assert_int_equal(after.drops - count.drops, 200);
	assert_int_equal(after.drop_reason, LB_REASON_ANSWER_LIMIT);
	assert_int_equal(after.packets, count.packets);

	ask(syn, reset, LB_REASON_NO_BACKEND); /* of another service */

	/* The second is over. */
	assert_return_code(bpf_map_lookup_elem(stage_map(&talk_stage, "lb_answers"), &id,
					       &word),
			   errno);
	assert_int_equal((__u32)word, 100);
	word -= (__u64)talk_stage.params.hz << 32;
	world_put(&talk_stage, "lb_answers", id, &word);
	for (int i = 0; i < 100; i++)
		ask(dns, told, LB_REASON_NO_BACKEND);
	ask(dns, NULL, LB_REASON_ANSWER_LIMIT);
}

static void pings_are_not_limited(void **state)
{
	(void)state;
	world_add(&talk_stage,
		  &(struct world_service){ .address = "10.0.0.21",
					   .port = 80,
					   .protocol = IPPROTO_TCP,
					   .flags = LB_SERVICE_F_ICMP_REPLY });
	for (int i = 0; i < 300; i++)
		ask(PKT(ETH(), IP4(CLIENT, "10.0.0.21"), ICMP(8, .sport = 1), FILL(1400)),
		    PKT(BACK, IP4("10.0.0.21", CLIENT), ICMP(0, .sport = 1), FILL(1400)),
		    LB_REASON_ECHO);
}

/* ---- too big ------------------------------------------------------------------------ */

struct too_big {
	const struct layer *in, *out; /* out NULL: dropped */
	int family;
	__u16 l3, l4;
	__u8 protocol, flags;
};

static void tell(const struct too_big *t)
{
	__u8 bytes[PACKET_MAX];
	size_t len = packet_build(bytes, t->in);
	enum lb_reason reason = t->out ? LB_REASON_TOO_BIG : LB_REASON_TOO_BIG_DROP;
	__u64 count = stage_reason(&talk_stage, reason);
	struct lb_pkt pkt = {
		.service = t->family == 4 ? 0 : 1,
		.backend = LB_NO_BACKEND,
		.now = stage_now(&talk_stage),
		.l3 = t->l3 ?: 14,
		.l4 = t->l4
			      ?: t->family == 4 ? 34
						: 54,
		.length = len,
		.mtu = MTU,
		.family = t->family,
		.protocol = t->protocol ?: IPPROTO_UDP,
		.flags = t->flags,
		.answer = LB_ANSWER_TOO_BIG,
		.reason = LB_REASON_TOO_BIG,
	};
	struct run r;

	forget_answers();
	stage_set_scratch(&talk_stage, &pkt);
	stage_run(stage_program(&talk_stage, "lb_answer"), bytes, len, hosts_back, &r);
	assert_int_equal(r.verdict, t->out ? XDP_TX : XDP_DROP);
	assert_int_equal(stage_reason(&talk_stage, reason), count + 1);
	stage_expect(&r, t->out ?: t->in);
}

#define TOO_BIG4 ICMP(3, .code = 4, .dport = MTU)
#define TOO_BIG6 ICMP(2, .dport = MTU)

static void too_big(void **state)
{
	/* clang-format off */
	const struct too_big rows[] = {
		{ .family = 4,
		  .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = 0x4000), UDP(PORT, 53), FILL(1472)),
		  .out = PKT(BACK, OURS4, TOO_BIG4, IP4(CLIENT, VIP, .frag = 0x4000),
			     UDP(PORT, 53), FILL(1472), CUT(1500 - QUOTE4)) },
		{ .family = 4, .protocol = IPPROTO_TCP, .l3 = 22, .l4 = 42,
		  .in = PKT(ETH(), VLAN(1), VLAN(2), IP4(CLIENT, VIP), TCP(PORT, 80), FILL(1460)),
		  .out = PKT(BACK, VLAN(1), VLAN(2), OURS4, TOO_BIG4, IP4(CLIENT, VIP),
			     TCP(PORT, 80), FILL(1460), CUT(1500 - QUOTE4)) },
		{ .family = 6,
		  .in = PKT(ETH(), IP6(CLIENT6, VIP6), UDP(PORT, 53), FILL(1452)),
		  .out = PKT(BACK, OURS6, TOO_BIG6, IP6(CLIENT6, VIP6), UDP(PORT, 53),
			     FILL(1452), CUT(1500 - QUOTE6)) },
		/* Fragments: of IPv4 the first alone, of IPv6 each. */
		{ .family = 4, .flags = LB_PKT_NO_PORTS,
		  .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = 0x6000), UDP(PORT, 53), FILL(100)),
		  .out = PKT(BACK, OURS4, TOO_BIG4, IP4(CLIENT, VIP, .frag = 0x6000),
			     UDP(PORT, 53), FILL(100)) },
		{ .family = 4, .flags = LB_PKT_NO_PORTS,
		  .in = PKT(ETH(), IP4(CLIENT, VIP, .frag = 0x4010), UDP(PORT, 53), FILL(100)) },
		{ .family = 6, .flags = LB_PKT_NO_PORTS, .l4 = 62,
		  .in = PKT(ETH(), IP6(CLIENT6, VIP6), EXT(IPPROTO_FRAGMENT, .frag = 1480),
			    UDP(PORT, 53), FILL(9)),
		  .out = PKT(BACK, OURS6, TOO_BIG6, IP6(CLIENT6, VIP6),
			     EXT(IPPROTO_FRAGMENT, .frag = 1480), UDP(PORT, 53), FILL(9)) },
		/* Never about an error. */
		{ .family = 4, .flags = LB_PKT_ERROR,
		  .in = PKT(ETH(), IP4(CLIENT, VIP), ICMP(3), IP4(VIP, CLIENT), UDP(53, PORT),
			    FILL(1400)) },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tell(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test_setup(of_every_length, begin),
		cmocka_unit_test_setup(no_more_than_a_hundred_a_second, begin),
		cmocka_unit_test_setup(pings_are_not_limited, begin),
		cmocka_unit_test_setup(too_big, begin),
	};
	return cmocka_run_group_tests_name("answer_size", units, open_world, talk_close);
}
