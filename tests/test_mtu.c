// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_mtu.c - packets that fit the way to their backend exactly, and that do not.
 */
#include <stdio.h>
#include <string.h>

#include "one_way.h"

#define MTU 1500 /* of the devices */

static const char filler[MTU];

/* A datagram whose inner IP packet is @len bytes, for the service of @way. */
static const struct layer *datagram(enum way way, bool ip6, size_t len, __u16 frag,
				    struct layer layers[6])
{
	static const char *const at4[] = { NULL, AT_IPIP4, AT_IPIP6, AT_GUE4, AT_GUE6 },
				 *const at6[] = { NULL, AT_IPIP4_6, AT_IPIP6_6, AT_GUE4_6,
						  AT_GUE6_6 };

	layers[0] = (struct layer)ETH();
	layers[1] = ip6 ? (struct layer)IP6(CLIENT6, at6[way])
			: (struct layer)IP4(CLIENT, at4[way], .frag = frag);
	layers[2] = (struct layer)UDP(PORT, DNS);
	layers[3] = (struct layer){ .kind = LAYER_DATA,
				    .data = filler,
				    .n_data = len - (ip6 ? 48 : 28) };
	layers[4] = (struct layer){ .kind = LAYER_END };
	return layers;
}

/* It fits exactly; one more does not, and the sender is told what does. */
static void exactly_what_fits(void **state)
{
	static const size_t overhead[N_WAYS] = { 0, 20, 40, 28, 48 };
	struct layer in[6];
	struct run r;

	(void)state;
	for (int i = 0; i < 2 * (N_WAYS - 1); i++) {
		enum way way = IPIP4 + i / 2;
		size_t fits = MTU - overhead[way];

		one_way_afresh();
		datagram(way, i % 2, fits, 0x4000, in);
		stage_run_layers(one_way_parse, in, hosts_back, &r);
		assert_int_equal(r.verdict, XDP_TX);
		assert_int_equal(r.len, 14 + MTU);

		datagram(way, i % 2, fits + 1, 0x4000, in);
		stage_run_layers(one_way_parse, in, hosts_back, &r);
		assert_int_equal(r.verdict, REACHED_STAGE + LB_STAGE_ANSWER);
		stage_expect(&r, in);
		assert_int_equal(stage_scratch(&one_way_stage).mtu, fits);
		assert_int_equal(stage_scratch(&one_way_stage).answer, LB_ANSWER_TOO_BIG);
		assert_int_equal(stage_scratch(&one_way_stage).reason, LB_REASON_TOO_BIG);
	}
}

/* Who allows fragments would not listen. */
static void too_big_without_df_is_dropped(void **state)
{
	__u64 before = stage_reason(&one_way_stage, LB_REASON_TOO_BIG_DROP);
	struct layer in[6];
	struct run r;

	(void)state;
	one_way_afresh();
	datagram(GUE4, false, MTU - 27, 0, in);
	stage_run_layers(one_way_parse, in, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_DROP);
	stage_expect(&r, in);
	assert_int_equal(stage_reason(&one_way_stage, LB_REASON_TOO_BIG_DROP),
			 before + 1);
}

/* Of a route, and never less than what all senders can do. */
static void the_routes_mtu(void **state)
{
	static const struct {
		const char *mtu;
		bool ip6;
		size_t fits;
		__u16 told;
	} cases[] = {
		{ "1400", false, 1380, 1380 },
		{ "1400", true, 1380, 1380 },
		{ "1290", true, 1270, 1280 }, /* RFC 8200: nobody sends less */
		{ "80", false, 60, 68 },      /* RFC 791 */
	};
	struct layer in[6];
	char command[128];
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		one_way_afresh();
		snprintf(command, sizeof(command),
			 "ip route replace " BACKEND1 " dev back mtu lock %s",
			 cases[i].mtu);
		hosts_run(command);
		datagram(IPIP4, cases[i].ip6, cases[i].fits, 0x4000, in);
		stage_run_layers(one_way_parse, in, hosts_back, &r);
		assert_int_equal(r.verdict, XDP_TX);
		datagram(IPIP4, cases[i].ip6, cases[i].fits + 1, 0x4000, in);
		stage_run_layers(one_way_parse, in, hosts_back, &r);
		assert_int_equal(r.verdict, REACHED_STAGE + LB_STAGE_ANSWER);
		assert_int_equal(stage_scratch(&one_way_stage).mtu, cases[i].told);
	}
	hosts_run("ip route del " BACKEND1 " dev back");
}

/* dsr adds nothing.  In skb mode nothing is judged: it may be several packets yet. */
static void dsr_to_a_link_that_is_narrower(void **state)
{
	static const struct layer in[] = {
		ETH(),
		IP4(CLIENT, AT_DSR, DF),
		UDP(PORT, DNS),
		{ .kind = LAYER_DATA, .data = filler, .n_data = 1372 },
		{ .kind = LAYER_END }
	};
	struct lb_device dev;
	struct layer longer[5];
	struct run r;

	(void)state;
	one_way_afresh();
	hosts_run("ip route replace " BACKEND1 " dev back mtu lock 1400");
	stage_run_layers(one_way_parse, in, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
	memcpy(longer, in, sizeof(longer));
	longer[3].n_data++;
	stage_run_layers(one_way_parse, longer, hosts_back, &r);
	assert_int_equal(r.verdict, REACHED_STAGE + LB_STAGE_ANSWER);
	stage_expect(&r, longer);
	assert_int_equal(stage_scratch(&one_way_stage).mtu, 1400);
	longer[1].frag = 0;
	stage_run_layers(one_way_parse, longer, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_DROP);

	world_get(&one_way_stage, "lb_devices", 1, &dev);
	dev.mode = LB_MODE_SKB;
	world_put(&one_way_stage, "lb_devices", 1, &dev);
	stage_run_layers(one_way_parse, longer, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
	dev.mode = LB_MODE_NATIVE;
	world_put(&one_way_stage, "lb_devices", 1, &dev);
	hosts_run("ip route del " BACKEND1 " dev back");
}

/* Where no neighbour is known, some kernels do not tell it: nothing is too big then. */
static void an_unknown_mtu_lets_everything_pass(void **state)
{
	struct lb_hop hop;
	struct layer in[6];
	__u32 id;
	struct run r;

	(void)state;
	one_way_afresh();
	datagram(GUE6, true, 1452, 0, in);
	id = one_way_service(in) + 1;
	stage_run_layers(one_way_parse, in, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
	world_get(&one_way_stage, "lb_hops", id, &hop);
	assert_int_equal(hop.mtu, MTU);
	hop.mtu = 0;
	world_put(&one_way_stage, "lb_hops", id, &hop);
	datagram(GUE6, true, 1453, 0, in);
	stage_run_layers(one_way_parse, in, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
}

int main(void)
{
	static const struct CMUnitTest units[] = {
		cmocka_unit_test(exactly_what_fits),
		cmocka_unit_test(too_big_without_df_is_dropped),
		cmocka_unit_test(the_routes_mtu),
		cmocka_unit_test(dsr_to_a_link_that_is_narrower),
		cmocka_unit_test(an_unknown_mtu_lets_everything_pass),
	};

	return cmocka_run_group_tests_name("mtu", units, one_way_open, one_way_close);
}
