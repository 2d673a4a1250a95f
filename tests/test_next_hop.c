// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_next_hop.c - where lb_rewrite sends, and what it does when the kernel does not know.
 */
#include <bpf/bpf.h>
#include <netinet/in.h>

#include "rewrite.h"

static const struct layer *const ack = PKT(ETH(), IN4, TCP(PORT, HTTP));

/* Run @ack of a known flow. */
static __u32 run_ack(struct run *r)
{
	struct lb_pkt pkt;

	flows_clear(&rewrite_stage);
	pkt = rewrite_parsed(ack, NULL, PORT, NAT, false);
	rewrite_run(&pkt, ack, hosts_back, r);
	return r->verdict;
}

static struct lb_hop hop_of(__u32 backend)
{
	struct lb_hop hop;

	world_get(&rewrite_stage, "lb_hops", backend, &hop);
	return hop;
}

static void set_hop(__u32 backend, struct lb_hop hop)
{
	world_put(&rewrite_stage, "lb_hops", backend, &hop);
}

static void a_next_hop_is_kept_and_learnt_anew(void **state)
{
	struct lb_hop hop;
	struct run r;

	(void)state;
	rewrite_afresh();
	assert_int_equal(run_ack(&r), XDP_TX);
	hop = hop_of(1);
	assert_true(hop.to == LB_HOP(0x020000000002, 1));
	assert_in_range(hop.expires - stage_now(&rewrite_stage), 1,
			rewrite_stage.params.hz);

	hosts_run("ip neigh change " BACKEND1
		  " lladdr 02:00:00:00:99:02 dev back nud permanent");
	assert_int_equal(run_ack(&r), XDP_TX);
	assert_int_equal(r.pkt[4], 0x00);
	hop.expires = stage_now(&rewrite_stage) - 1;
	set_hop(1, hop);
	assert_int_equal(run_ack(&r), XDP_TX);
	assert_int_equal(r.pkt[4], 0x99);

	/* Jiffies have gone half round since it was used. */
	hop = hop_of(1);
	hop.to = LB_HOP(0x020000000002, 1);
	hop.expires = stage_now(&rewrite_stage) + 0x7fff0000;
	set_hop(1, hop);
	assert_int_equal(run_ack(&r), XDP_TX);
	assert_int_equal(r.pkt[4], 0x99);
	hosts_run("ip neigh change " BACKEND1 " lladdr " BACKEND1_MAC
		  " dev back nud permanent");
}

/* What XDP sends does not refresh the kernel's entry. */
static void one_packet_a_second_goes_the_kernels_way(void **state)
{
	int probes = stage_map(&rewrite_stage, "lb_probes");
	__u64 before = stage_reason(&rewrite_stage, LB_REASON_REFRESH);
	__u32 long_ago, n = 0;
	struct run r;

	(void)state;
	rewrite_afresh();
	long_ago = stage_now(&rewrite_stage) - rewrite_stage.params.hz - 1;
	while (!bpf_map_update_elem(probes, &n, &long_ago, BPF_EXIST))
		n++;
	assert_true(n > 0);

	assert_int_equal(run_ack(&r), XDP_PASS);
	rewrite_expect_mark(&r, true);
	stage_expect(&r, PKT(ETH(), OUT4, TCP(NAT, SERVER)));
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_REFRESH), before + 1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(run_ack(&r), XDP_TX);
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_REFRESH), before + 1);
}

/* Silence for three seconds, and packets are dropped, but for one a second that asks. */
static void a_backend_that_does_not_answer(void **state)
{
	struct lb_hop hop;
	__u64 passed, dropped;
	struct run r;
	__u32 now;

	(void)state;
	rewrite_afresh();
	hosts_run("ip neigh del " BACKEND1 " dev back");
	assert_int_equal(run_ack(&r), XDP_PASS);
	assert_true(stage_reason(&rewrite_stage, LB_REASON_RESOLVING) > 0);
	stage_expect(&r, PKT(ETH(), OUT4, TCP(NAT, SERVER)));
	rewrite_expect_mark(&r, true);

	hop = hop_of(1);
	assert_true(hop.to == 0);
	assert_true(hop.unresolved != 0);
	now = stage_now(&rewrite_stage);
	hop.unresolved = (now - 4 * rewrite_stage.params.hz) | 1;
	hop.expires = now - 1;
	set_hop(1, hop);
	passed = stage_reason(&rewrite_stage, LB_REASON_RESOLVING);
	dropped = stage_reason(&rewrite_stage, LB_REASON_NO_NEIGHBOUR);
	for (int i = 0; i < 10; i++)
		run_ack(&r);
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_RESOLVING), passed + 1);
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_NO_NEIGHBOUR),
			 dropped + 9);

	/* After a pause it has three seconds again, also from an even jiffy on, which
	 * cannot be written down as it is. */
	while ((now = stage_now(&rewrite_stage)) % 2)
		;
	hop.unresolved = (now - 9 * rewrite_stage.params.hz) | 1;
	hop.expires = now - 5 * rewrite_stage.params.hz;
	set_hop(1, hop);
	for (int i = 0; i < 10; i++)
		assert_int_equal(run_ack(&r), XDP_PASS);

	hosts_run("ip neigh replace " BACKEND1 " lladdr " BACKEND1_MAC
		  " dev back nud permanent");
	assert_int_equal(run_ack(&r), XDP_TX);
	assert_int_equal(hop_of(1).unresolved, 0);
}

/* What leaves by a narrower link than it came by; nobody answers here, so it is a drop. */
static void a_backend_behind_a_narrower_link(void **state)
{
	static const char filler[1361];
	struct layer in[] = { ETH(),
			      IP4(CLIENT, SERVICE, .frag = 0x4000),
			      TCP(PORT, HTTP),
			      { .kind = LAYER_DATA, .data = filler, .n_data = 1360 },
			      { .kind = LAYER_END } };
	__u64 told = stage_reason(&rewrite_stage, LB_REASON_TOO_BIG),
	      dropped = stage_reason(&rewrite_stage, LB_REASON_TOO_BIG_DROP);
	struct lb_pkt pkt;
	struct run r;

	(void)state;
	rewrite_afresh();
	hosts_run("ip route replace " BACKEND1 " dev back mtu lock 1400");
	/* It fits; one more, with DF and without. */
	for (int i = 0; i < 3; i++) {
		in[1].frag = i < 2 ? 0x4000 : 0;
		in[3].n_data = i ? 1361 : 1360;
		flows_clear(&rewrite_stage);
		pkt = rewrite_parsed(in, NULL, PORT, NAT, false);
		rewrite_run(&pkt, in, hosts_back, &r);
		assert_int_equal(r.verdict, i ? XDP_DROP : XDP_TX);
		if (i)
			stage_expect(&r, in);
	}
	hosts_run("ip route del " BACKEND1 " dev back");
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_TOO_BIG), told + 1);
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_TOO_BIG_DROP),
			 dropped + 1);
}

static void forwarding_switched_off(void **state)
{
	__u64 before = stage_reason(&rewrite_stage, LB_REASON_FORWARDING_OFF);
	struct run r;

	(void)state;
	rewrite_afresh();
	hosts_run("echo 0 >/proc/sys/net/ipv4/conf/lo/forwarding");
	assert_int_equal(run_ack(&r), XDP_DROP);
	hosts_run("echo 1 >/proc/sys/net/ipv4/conf/lo/forwarding");
	stage_expect(&r, ack);
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_FORWARDING_OFF),
			 before + 1);
	assert_int_equal(run_ack(&r), XDP_TX);
}

static void the_way_out_has_no_chain(void **state)
{
	int slots = stage_map(&rewrite_stage, "lb_device_slots"),
	    egress = stage_map(&rewrite_stage, "lb_egress");
	__u64 before = stage_reason(&rewrite_stage, LB_REASON_NO_DEVICE);
	struct lb_pkt pkt;
	__u32 slot = 1;
	struct run r;

	(void)state;
	rewrite_afresh();
	assert_int_equal(bpf_map_delete_elem(slots, &hosts_back), 0);
	assert_int_equal(run_ack(&r), XDP_DROP);
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_NO_DEVICE), before + 1);
	stage_expect(&r, ack);
	/* Nor does the kernel send there what XDP could not go on with. */
	hosts_run("ip neigh del " BACKEND1 " dev back");
	assert_int_equal(run_ack(&r), XDP_DROP);
	hosts_run("ip neigh replace " BACKEND1 " lladdr " BACKEND1_MAC
		  " dev back nud permanent");
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_NO_DEVICE), before + 2);
	assert_int_equal(bpf_map_update_elem(slots, &hosts_back, &slot, 0), 0);
	assert_int_equal(run_ack(&r), XDP_TX);

	/* Known as a device, but gone from the way out: in by the other one. */
	assert_int_equal(bpf_map_delete_elem(egress, &slot), 0);
	flows_clear(&rewrite_stage);
	pkt = rewrite_parsed(ack, NULL, PORT, NAT, false);
	rewrite_run(&pkt, ack, hosts_front, &r);
	assert_int_equal(r.verdict, XDP_DROP);
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_NO_DEVICE), before + 3);
	assert_int_equal(bpf_map_update_elem(egress, &slot, &hosts_back, 0), 0);
}

static void a_removed_backend_takes_no_new_flow(void **state)
{
	const struct layer *syn = PKT(ETH(), IN4, TCP(PORT, HTTP, SYN));
	__u64 before = stage_reason(&rewrite_stage, LB_REASON_EMPTY_DROP);
	struct lb_pkt pkt;
	struct flow f;
	struct run r;

	(void)state;
	rewrite_afresh();
	pkt = rewrite_parsed(syn, NULL, PORT, NAT, true);
	world_set_incarnation(&rewrite_stage, 1, 0);
	rewrite_run(&pkt, syn, hosts_back, &r);
	world_set_incarnation(&rewrite_stage, 1, 1);
	assert_int_equal(r.verdict, XDP_DROP);
	assert_int_equal(stage_reason(&rewrite_stage, LB_REASON_EMPTY_DROP), before + 1);
	assert_false(flows_find(&rewrite_stage, WEB, CLIENT, PORT, &f));
	stage_expect(&r, syn);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(a_next_hop_is_kept_and_learnt_anew),
		cmocka_unit_test(one_packet_a_second_goes_the_kernels_way),
		cmocka_unit_test(a_backend_that_does_not_answer),
		cmocka_unit_test(a_backend_behind_a_narrower_link),
		cmocka_unit_test(forwarding_switched_off),
		cmocka_unit_test(the_way_out_has_no_chain),
		cmocka_unit_test(a_removed_backend_takes_no_new_flow),
	};
	return cmocka_run_group_tests_name("next hop", units, rewrite_open,
					   rewrite_close);
}
