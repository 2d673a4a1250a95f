// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_chain.c - all stages in one test run: connections, and policies swapped under them.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <string.h>

#include "chain.h"

static struct chain chain;

static int open_chain(void **state)
{
	(void)state;
	chain_open(&chain, 512, 0);
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
	flows_clear(&chain.stage);
	for (enum chain_service i = 0; i < CHAIN_SERVICES; i++) {
		for (int j = 0; j < CHAIN_BACKENDS; j++)
			world_set_backend(&chain.stage, chain_first_backend(i) + j,
					  LB_BACKEND_ACTIVE, 1);
		chain_set_policy(&chain, i, ROUND_ROBIN);
	}
	return 0;
}

static int nothing_is_broken(void **state)
{
	(void)state;
	flows_check(&chain.stage);
	return 0;
}

static const char *client_of(enum chain_service service)
{
	return service >= WEB6 ? CLIENT6 : CLIENT;
}

static __u32 state_of(enum chain_service service, __u16 port)
{
	struct flow f;

	assert_true(flows_find(&chain.stage, service, client_of(service), port, &f));
	return LB_WAY_STATE(f.way);
}

/* A client's packet, which must be sent on; returns the backend. */
static __u32 to_backend(enum chain_service service, __u16 port, __u8 flags,
			__u16 *ret_nat)
{
	struct delivery d;

	chain_client(&chain, service, client_of(service), port, flags, &d);
	if (!d.sent)
		stage_print_reasons(&chain.stage);
	assert_true(d.sent);
	assert_memory_equal(d.source, world_service(&chain.stage, service).address, 16);
	*ret_nat = d.sport;
	return chain_backend(&chain, service, &d);
}

/* Its answer, which must reach the client as if from the service. */
static void to_client(enum chain_service service, __u32 backend, __u16 nat, __u16 port,
		      __u8 flags)
{
	struct lb_service record = world_service(&chain.stage, service);
	struct delivery d;
	__be32 client[4];

	world_address(client_of(service), client);
	chain_reply(&chain, backend, nat, flags, &d);
	if (!d.sent)
		stage_print_reasons(&chain.stage);
	assert_true(d.sent);
	assert_memory_equal(d.source, record.address, 16);
	assert_int_equal(d.sport, ntohs(record.port));
	assert_memory_equal(d.destination, client, 16);
	assert_int_equal(d.dport, port);
}

static void a_connection(enum chain_service service, __u16 port)
{
	__u16 nat, nat_now;
	__u32 backend = to_backend(service, port, TH_SYN, &nat);

	assert_int_equal(state_of(service, port), LB_FLOW_HALF_OPEN);
	to_client(service, backend, nat, port, TH_SYN | TH_ACK);
	assert_int_equal(state_of(service, port), LB_FLOW_HALF_OPEN);
	assert_int_equal(to_backend(service, port, TH_ACK, &nat_now), backend);
	assert_int_equal(nat_now, nat);
	assert_int_equal(state_of(service, port), LB_FLOW_ESTABLISHED);
	assert_int_equal(world_live(&chain.stage, backend), 1);

	to_client(service, backend, nat, port, TH_FIN | TH_ACK);
	assert_int_equal(state_of(service, port), LB_FLOW_BACKEND_FIN);
	assert_int_equal(to_backend(service, port, TH_FIN | TH_ACK, &nat_now), backend);
	assert_int_equal(state_of(service, port), LB_FLOW_CLOSED);
	assert_int_equal(world_live(&chain.stage, backend), 0);
	/* The last one still passes. */
	to_client(service, backend, nat, port, TH_ACK);
	assert_int_equal(state_of(service, port), LB_FLOW_CLOSED);
}

static void tcp_connection_from_syn_to_last_ack(void **state)
{
	(void)state;
	a_connection(WEB, 5001);
	a_connection(WEB6, 5001);
}

static void udp_exchange(void **state)
{
	static const enum chain_service both[] = { RESOLVER, RESOLVER6 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		__u16 nat, nat_now;
		__u32 backend = to_backend(both[i], 5002, 0, &nat);

		assert_int_equal(state_of(both[i], 5002), LB_FLOW_DATAGRAM);
		assert_int_equal(to_backend(both[i], 5002, 0, &nat_now), backend);
		assert_int_equal(state_of(both[i], 5002), LB_FLOW_DATAGRAM);
		to_client(both[i], backend, nat, 5002, 0);
		assert_int_equal(state_of(both[i], 5002), LB_FLOW_ANSWERED);
		assert_int_equal(to_backend(both[i], 5002, 0, &nat_now), backend);
		assert_int_equal(nat_now, nat);
		assert_int_equal(state_of(both[i], 5002), LB_FLOW_STREAM);
	}
}

static void a_reset_from_either_side_closes(void **state)
{
	__u16 nat;
	__u32 backend;

	(void)state;
	to_backend(WEB, 5003, TH_SYN, &nat);
	to_backend(WEB, 5003, TH_RST, &nat);
	assert_int_equal(state_of(WEB, 5003), LB_FLOW_CLOSED);
	backend = to_backend(WEB, 5004, TH_SYN, &nat);
	to_client(WEB, backend, nat, 5004, TH_RST | TH_ACK);
	assert_int_equal(state_of(WEB, 5004), LB_FLOW_CLOSED);
}

/* A SYN from the port of a closed connection is a new one, with a turn of its own. */
static void a_port_is_used_again(void **state)
{
	__u16 nat;
	__u32 first, second;
	struct flow before, after;

	(void)state;
	first = to_backend(WEB, 5005, TH_SYN, &nat);
	to_backend(WEB, 5005, TH_RST, &nat);
	assert_true(flows_find(&chain.stage, WEB, CLIENT, 5005, &before));
	second = to_backend(WEB, 5005, TH_SYN, &nat);
	assert_true(flows_find(&chain.stage, WEB, CLIENT, 5005, &after));
	assert_true(after.flow.version != before.flow.version ||
		    after.position != before.position);
	assert_int_not_equal(first, second);
	assert_int_equal(state_of(WEB, 5005), LB_FLOW_HALF_OPEN);
}

/* A retransmitted SYN is the same flow, whatever the policy would say now. */
static void a_repeated_syn_is_no_new_flow(void **state)
{
	__u16 nat, again;
	__u32 backend;

	(void)state;
	backend = to_backend(WEB, 5006, TH_SYN, &nat);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(to_backend(WEB, 5006, TH_SYN, &again), backend);
		assert_int_equal(again, nat);
	}
	assert_int_equal(world_live(&chain.stage, backend), 1);
}

static void a_backend_that_comes_back_inherits_nothing(void **state)
{
	__u16 nat;
	__u32 backend;
	struct delivery d;

	(void)state;
	backend = to_backend(WEB, 5007, TH_SYN, &nat);
	to_backend(WEB, 5007, TH_ACK, &nat);
	world_set_incarnation(&chain.stage, backend, 2);
	chain_client(&chain, WEB, CLIENT, 5007, TH_ACK, &d);
	assert_false(d.sent);
	chain_reply(&chain, backend, nat, TH_ACK, &d);
	assert_false(d.sent);
	to_backend(WEB, 5007, TH_SYN, &nat);
	world_set_incarnation(&chain.stage, backend, 1);
	flows_clear(&chain.stage);
}

static void a_udp_flow_leaves_a_backend_that_is_down(void **state)
{
	__u16 nat;
	__u32 backend;

	(void)state;
	backend = to_backend(RESOLVER, 5008, 0, &nat);
	world_set_backend(&chain.stage, backend, LB_BACKEND_DOWN, 1);
	chain_set_policy(&chain, RESOLVER, ROUND_ROBIN);
	assert_int_not_equal(to_backend(RESOLVER, 5008, 0, &nat), backend);
}

/* ---- swaps ------------------------------------------------------------------------- */

#define FLOWS 60

struct known {
	__u32 backend;
	__u16 nat;
};

static void open_flows(enum chain_service service, __u16 first, struct known *known)
{
	for (int i = 0; i < FLOWS; i++) {
		known[i].backend = to_backend(service, first + i, TH_SYN, &known[i].nat);
		to_backend(service, first + i, TH_ACK, &known[i].nat);
	}
}

static void expect_flows(enum chain_service service, __u16 first,
			 const struct known *known)
{
	__u16 nat;

	for (int i = 0; i < FLOWS; i++) {
		assert_int_equal(to_backend(service, first + i, TH_ACK, &nat),
				 known[i].backend);
		assert_int_equal(nat, known[i].nat);
		to_client(service, known[i].backend, nat, first + i, TH_ACK);
	}
}

/* Every policy for every other, over both families and protocols, with flows open. */
static void swap_each_policy_for_each_other(void **state)
{
	struct known known[CHAIN_SERVICES][FLOWS];
	__u16 port = 10000;

	(void)state;
	for (int from = 0; from < CHAIN_POLICIES; from++) {
		for (int to = 0; to < CHAIN_POLICIES; to++) {
			flows_clear(&chain.stage);
			for (enum chain_service s = 0; s < CHAIN_SERVICES; s++) {
				chain_set_policy(&chain, s, from);
				open_flows(s, port, known[s]);
				chain_set_policy(&chain, s, to);
				expect_flows(s, port, known[s]);
			}
			for (enum chain_service s = 0; s < CHAIN_SERVICES; s++) {
				struct known more[FLOWS];

				open_flows(s, port + FLOWS, more);
				expect_flows(s, port, known[s]);
				expect_flows(s, port + FLOWS, more);
			}
			flows_check(&chain.stage);
		}
	}
}

/* A swap while a packet is between lb_parse and the policy: the old one hands it on. */
static void a_policy_hands_on_what_is_not_its_table(void **state)
{
	struct lb_pkt pkt;
	struct run r;
	__u8 in[PACKET_MAX];
	size_t len;
	__u64 before = stage_reason(&chain.stage, LB_REASON_NEW_FLOW) +
		       stage_reason(&chain.stage, LB_REASON_REFRESH);

	(void)state;
	len = packet_build(in, PKT(ETH(), IP4(CLIENT, SERVICE),
				   TCP(5010, HTTP, .flags = TH_SYN)));
	pkt = (struct lb_pkt){ .service = WEB,
			       .family = 4,
			       .table = 4,
			       .protocol = IPPROTO_TCP,
			       .l3 = 14,
			       .l4 = 34,
			       .length = len,
			       .tcp_flags = TH_SYN,
			       .now = stage_now(&chain.stage) };
	flows_key(CLIENT, 5010, WEB, pkt.key);
	pkt.hash = flows_hash(&chain.stage, 4, pkt.key);
	stage_set_scratch(&chain.stage, &pkt);
	chain_set_policy(&chain, WEB, HASH);
	stage_run(stage_program(&chain.stage, "round_robin"), in, len, hosts_back, &r);
	assert_true(r.verdict == XDP_TX || r.n_meta);
	assert_int_equal(stage_reason(&chain.stage, LB_REASON_NEW_FLOW) +
				 stage_reason(&chain.stage, LB_REASON_REFRESH),
			 before + 1);
}

/* Drain, weight 0 and a new table move no flow. */
static void a_drained_backend_keeps_its_flows(void **state)
{
	struct known known[FLOWS], more[FLOWS];
	__u32 drained = chain_first_backend(WEB) + 1;

	(void)state;
	open_flows(WEB, 20000, known);
	world_set_backend(&chain.stage, drained, LB_BACKEND_DRAIN, 1);
	chain_set_policy(&chain, WEB, HASH);
	open_flows(WEB, 21000, more);
	expect_flows(WEB, 20000, known);
	for (int i = 0; i < FLOWS; i++)
		assert_int_not_equal(more[i].backend, drained);
}

/* lb_entry finds the chain through its one slot, and passes while there is none. */
static void through_the_entry(void **state)
{
	const struct layer *syn =
		PKT(ETH(), IP4(CLIENT, SERVICE), TCP(5011, HTTP, .flags = TH_SYN));
	int entry = stage_load(&chain.stage, "progs/lb_entry");
	__u32 zero = 0;
	struct run r;

	(void)state;
	stage_run_layers(entry, syn, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_PASS);
	stage_expect(&r, syn);
	assert_int_equal(bpf_map_update_elem(stage_map(&chain.stage, "lb_root"), &zero,
					     &chain.parse, 0),
			 0);
	stage_run_layers(entry, syn, hosts_back, &r);
	assert_true(r.verdict == XDP_TX || r.n_meta);
	assert_int_equal(state_of(WEB, 5011), LB_FLOW_HALF_OPEN);
}

#define test(name) cmocka_unit_test_setup_teardown(name, start_afresh, nothing_is_broken)

int main(void)
{
	const struct CMUnitTest units[] = {
		test(tcp_connection_from_syn_to_last_ack),
		test(udp_exchange),
		test(a_reset_from_either_side_closes),
		test(a_port_is_used_again),
		test(a_repeated_syn_is_no_new_flow),
		test(a_backend_that_comes_back_inherits_nothing),
		test(a_udp_flow_leaves_a_backend_that_is_down),
		test(swap_each_policy_for_each_other),
		test(a_policy_hands_on_what_is_not_its_table),
		test(a_drained_backend_keeps_its_flows),
		test(through_the_entry),
	};
	return cmocka_run_group_tests_name("chain", units, open_chain, close_chain);
}
