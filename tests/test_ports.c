// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_ports.c - translated ports: each to one flow, until it is over.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>

#include "chain.h"

#define TIMEOUT 10000 /* jiffies: 40 s; no test takes so long */
#define BUCKETS 64

static struct chain chain;
static struct stage *const stage = &chain.stage;

static int open_chain(void **state)
{
	(void)state;
	chain_open(&chain, BUCKETS, 1 << 14);
	chain_set_timeout(&chain, TIMEOUT);
	return 0;
}

static int close_chain(void **state)
{
	(void)state;
	chain_close(&chain);
	return 0;
}

static int start_afresh(void **state)
{
	(void)state;
	flows_clear(stage);
	for (enum chain_service i = 0; i < CHAIN_SERVICES; i++) {
		world_set_ports(stage, i, 1024, 32767);
		chain_set_policy(&chain, i, ROUND_ROBIN);
	}
	return 0;
}

static int nothing_is_broken(void **state)
{
	(void)state;
	flows_check(stage);
	return 0;
}

#define LOW 20000

/* WEB has only one backend and these ports. */
static void range(__u16 low, __u16 high)
{
	struct lb_table head = { .policy = ROUND_ROBIN };
	__u16 slot = chain_first_backend(WEB);

	world_set_ports(stage, WEB, low, high);
	world_set_table(stage, WEB, &head, &slot, 1);
}

static void narrow(void)
{
	range(LOW, LOW + 3);
}

static bool try_connect(__u16 port, __u16 *ret_nat)
{
	struct delivery d;

	chain_client(&chain, WEB, CLIENT, port, TH_SYN, &d);
	*ret_nat = d.sport;
	if (d.sent)
		chain_client(&chain, WEB, CLIENT, port, TH_ACK, &d);
	return d.sent;
}

static void ports_run_out_and_come_back(void **state)
{
	__u64 refused = stage_reason(stage, LB_REASON_NO_PORT);
	__u64 taken = stage_event(stage, LB_EVENT_PORT_TAKEN);
	struct delivery d;
	__u16 nat, seen = 0;
	struct flow f;

	(void)state;
	narrow();
	for (__u16 port = 1; port <= 4; port++) {
		assert_true(try_connect(port, &nat));
		assert_in_range(nat, LOW, LOW + 3);
		seen |= 1 << (nat - LOW);
	}
	assert_int_equal(seen, 0xf); /* each once */
	assert_false(try_connect(5, &nat));
	assert_int_equal(stage_reason(stage, LB_REASON_NO_PORT), refused + 1);
	assert_false(flows_find(stage, WEB, CLIENT, 5, &f));
	assert_int_equal(world_live(stage, chain_first_backend(WEB)), 4);
	flows_check(stage);

	/* A closed flow's port is taken, and it is gone. */
	assert_true(flows_find(stage, WEB, CLIENT, 2, &f));
	chain_client(&chain, WEB, CLIENT, 2, TH_RST, &d);
	assert_true(try_connect(5, &nat));
	assert_int_equal(htons(nat), f.flow.nat_port);
	assert_int_equal(stage_event(stage, LB_EVENT_PORT_TAKEN), taken + 1);
	assert_false(flows_find(stage, WEB, CLIENT, 2, &f));

	/* So is a timed-out one's. */
	assert_true(flows_find(stage, WEB, CLIENT, 3, &f));
	flows_age(stage, &f, LB_FLOW_ESTABLISHED, stage_now(stage) - TIMEOUT - 1);
	assert_true(try_connect(6, &nat));
	assert_int_equal(htons(nat), f.flow.nat_port);
	assert_false(try_connect(7, &nat));
}

static void evict(const struct flow *f, __u32 version, __u32 verdict)
{
	struct lb_evict which = { .family = 4,
				  .position = f->position,
				  .version = version };
	struct run r;

	stage_run(stage_program(stage, "lb_evict"), &which, sizeof(which), 0, &r);
	assert_int_equal(r.verdict, verdict);
}

static void a_flow_ended_by_hand_frees_its_port(void **state)
{
	__u16 nat, again;
	struct flow f;

	(void)state;
	narrow();
	for (__u16 port = 1; port <= 4; port++)
		assert_true(try_connect(port, &nat));
	assert_true(flows_find(stage, WEB, CLIENT, 4, &f));
	evict(&f, f.flow.version + 2, XDP_DROP); /* another flow by now */
	evict(&f, f.flow.version + 1, XDP_DROP);
	assert_true(flows_find(stage, WEB, CLIENT, 4, &f));
	evict(&f, f.flow.version, XDP_PASS);
	evict(&f, f.flow.version, XDP_DROP);
	assert_false(flows_find(stage, WEB, CLIENT, 4, &f));
	assert_int_equal(world_live(stage, chain_first_backend(WEB)), 3);
	assert_true(try_connect(5, &again));
	assert_int_equal(again, nat);
}

/* Its backend knows the connection by that port; others' are free as well. */
static void a_flow_that_was_lost_has_its_port_again(void **state)
{
	__u16 nat, again;
	struct flow f;

	(void)state;
	range(LOW, LOW + 63);
	for (__u16 port = 1; port <= 32; port++) {
		assert_true(try_connect(port, &nat));
		assert_true(flows_find(stage, WEB, CLIENT, port, &f));
		evict(&f, f.flow.version, XDP_PASS);
		assert_true(try_connect(port, &again));
		assert_int_equal(again, nat);
		assert_true(flows_find(stage, WEB, CLIENT, port, &f));
		evict(&f, f.flow.version, XDP_PASS);
	}
}

/* The same ports serve every backend, and both protocols. */
static void ports_are_per_backend_and_protocol(void **state)
{
	struct delivery d;
	__u16 nat;

	(void)state;
	world_set_ports(stage, WEB, LOW, LOW + 3);
	world_set_ports(stage, RESOLVER, LOW, LOW + 3);
	for (__u16 port = 1; port <= 4 * CHAIN_BACKENDS; port++) {
		assert_true(try_connect(port, &nat));
		chain_client(&chain, RESOLVER, CLIENT, port, 0, &d);
		assert_true(d.sent);
	}
	flows_check(stage);
	assert_false(try_connect(100, &nat));
	chain_client(&chain, RESOLVER, CLIENT, 100, 0, &d);
	assert_false(d.sent);
}

/* A search goes through all of a range, and not beyond: lines of lb_nat have eight ports. */
static void each_port_of_a_range_can_be_had(void **state)
{
	static const struct {
		__u16 low, high;
	} rows[] = {
		{ LOW, LOW + 7 },
		{ LOW, LOW },
		{ LOW + 5, LOW + 10 },
		{ LOW + 3, LOW + 35 },
		{ LOW + 7, LOW + 8 },
		{ LOW + 1, LOW + 6 },
		{ 1, 9 },
		{ 65535 - 9, 65535 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		__u64 seen = 0;
		__u16 n = rows[i].high - rows[i].low + 1, nat;

		start_afresh(state);
		range(rows[i].low, rows[i].high);
		for (__u16 port = 1; port <= n; port++) {
			assert_true(try_connect(port, &nat));
			assert_in_range(nat, rows[i].low, rows[i].high);
			seen |= 1ULL << (nat - rows[i].low);
		}
		assert_int_equal(seen, (1ULL << n) - 1);
		assert_false(try_connect(100, &nat));
		flows_check(stage);
	}
}

/* Those that go for new ones: see nat_give_back(). */
static void flows_that_go_give_their_ports_back(void **state)
{
	static const enum chain_service services[] = { WEB, RESOLVER, RESOLVER6 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		int family = services[i] == RESOLVER6 ? 6 : 4;
		struct flow flows[8 * BUCKETS];
		struct delivery d;
		size_t n;

		flows_clear(stage);
		for (__u16 port = 1; port <= 400; port++) {
			chain_client(&chain, services[i], family == 6 ? CLIENT6 : CLIENT,
				     port, TH_SYN, &d);
			assert_true(d.sent);
		}
		n = flows_scan(stage, family, flows, 8 * BUCKETS);
		assert_in_range(n, 1, 8 * BUCKETS);
		assert_int_equal(flows_nat_used(stage, family), n);
	}
}

/* A busy place is passed over, not shared: two tuples that hash to one nat slot. */
static void replies_find_their_own_flow(void **state)
{
	struct delivery d;

	(void)state;
	for (int i = 0; i < 100; i++) {
		__u16 port = 3000 + i;
		__u32 backend;
		__u16 nat;

		chain_client(&chain, RESOLVER6, CLIENT6, port, 0, &d);
		assert_true(d.sent);
		nat = d.sport;
		backend = chain_backend(&chain, RESOLVER6, &d);
		chain_reply(&chain, backend, nat, 0, &d);
		assert_true(d.sent);
		assert_int_equal(d.dport, port);
	}
}

#define test(name) cmocka_unit_test_setup_teardown(name, start_afresh, nothing_is_broken)

int main(void)
{
	const struct CMUnitTest units[] = {
		test(ports_run_out_and_come_back),
		test(a_flow_ended_by_hand_frees_its_port),
		test(a_flow_that_was_lost_has_its_port_again),
		test(ports_are_per_backend_and_protocol),
		test(each_port_of_a_range_can_be_had),
		test(flows_that_go_give_their_ports_back),
		test(replies_find_their_own_flow),
	};
	return cmocka_run_group_tests_name("ports", units, open_chain, close_chain);
}
