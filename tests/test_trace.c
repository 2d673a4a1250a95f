// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_trace.c - lb_capture and lb_trace: each way out has its event, with the packet as it
 * came and as it left, and no verdict is another one for being watched.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

/* clang-format off */
#define ARP		ETH(.type = ETH_P_ARP)
#define IPV4(s, d)	.family = 4, .source = (s), .destination = (d)
#define IPV6(s, d)	.family = 6, .source = (s), .destination = (d)
#define PORTS(s, d)	.sport = (s), .dport = (d)

static const struct row {
	const char *name;
	const struct layer *in;
	const char *ifname;		/* NULL: back */
	size_t cut;
	int verdict;
	enum lb_reason reason;
	enum lb_stage stage;
	const char *source, *destination;
	__u16 sport, dport;
	__u8 family, protocol;
	__u32 service;			/* id + 1 */
	enum lb_trace_flow flow;
	bool has_backend, marked;
} rows[] = {
	{ .name = "pass: neither IPv4 nor IPv6",
	  .in = PKT(ARP, DATA("who has 10.0.0.10? tell 10.0.0.7")),
	  .verdict = XDP_PASS, .reason = LB_REASON_NOT_IP, .stage = LB_STAGE_PARSE },
	{ .name = "pass: no service",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), UDP(PORT, HTTP), DATA("x")),
	  .verdict = XDP_PASS, .reason = LB_REASON_NOT_OURS, .stage = LB_STAGE_PARSE,
	  IPV4(CLIENT, SERVICE), PORTS(PORT, HTTP), .protocol = IPPROTO_UDP },
	{ .name = "pass: a TCP header that is not all there",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TO(HTTP)), .cut = 50,
	  .verdict = XDP_PASS, .reason = LB_REASON_TRUNCATED, .stage = LB_STAGE_PARSE,
	  IPV4(CLIENT, SERVICE), .protocol = IPPROTO_TCP },
	{ .name = "pass: behind two VLAN tags",
	  .in = PKT(ETH(), VLAN(1), VLAN(2), IP6(CLIENT6, SERVICE6), UDP(PORT, 9)),
	  .verdict = XDP_PASS, .reason = LB_REASON_NOT_OURS, .stage = LB_STAGE_PARSE,
	  IPV6(CLIENT6, SERVICE6), PORTS(PORT, 9), .protocol = IPPROTO_UDP },
	{ .name = "pass: the kernel finds the next hop",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TO(NOBODY, SYN)), .marked = true,
	  .verdict = XDP_PASS, .reason = LB_REASON_RESOLVING, .stage = LB_STAGE_REWRITE,
	  IPV4(CLIENT, SERVICE), PORTS(PORT, NOBODY), .protocol = IPPROTO_TCP,
	  .service = LOST_WEB + 1, .flow = LB_TRACE_NEW_FLOW, .has_backend = true },
	{ .name = "drop: TCP without a flow",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TO(DIRECT)),
	  .verdict = XDP_DROP, .reason = LB_REASON_UNKNOWN_FLOW, .stage = LB_STAGE_UNKNOWN,
	  IPV4(CLIENT, SERVICE), PORTS(PORT, DIRECT), .protocol = IPPROTO_TCP,
	  .service = DSR_WEB + 1 },
	{ .name = "drop: no backend",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TO(EMPTY, SYN)),
	  .verdict = XDP_DROP, .reason = LB_REASON_EMPTY_DROP, .stage = LB_STAGE_PARSE,
	  IPV4(CLIENT, SERVICE), PORTS(PORT, EMPTY), .protocol = IPPROTO_TCP,
	  .service = EMPTY_WEB + 1 },
	{ .name = "tx: to a backend of the client's network",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TO(HTTP, SYN), DATA("fast open")),
	  .verdict = XDP_TX, .reason = LB_REASON_NEW_FLOW, .stage = LB_STAGE_REWRITE,
	  IPV4(CLIENT, SERVICE), PORTS(PORT, HTTP), .protocol = IPPROTO_TCP,
	  .service = WEB + 1, .flow = LB_TRACE_NEW_FLOW, .has_backend = true },
	{ .name = "tx: the same over IPv6",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), TO(HTTP, SYN)),
	  .verdict = XDP_TX, .reason = LB_REASON_NEW_FLOW, .stage = LB_STAGE_REWRITE,
	  IPV6(CLIENT6, SERVICE6), PORTS(PORT, HTTP), .protocol = IPPROTO_TCP,
	  .service = WEB6 + 1, .flow = LB_TRACE_NEW_FLOW, .has_backend = true },
	{ .name = "redirect: to a backend of another network",
	  .in = PKT(ETH(), IP4(FAR_CLIENT, SERVICE), TO(HTTP, SYN)), .ifname = "front",
	  .verdict = XDP_REDIRECT, .reason = LB_REASON_NEW_FLOW,
	  .stage = LB_STAGE_REWRITE, IPV4(FAR_CLIENT, SERVICE), PORTS(PORT, HTTP),
	  .protocol = IPPROTO_TCP, .service = WEB + 1, .flow = LB_TRACE_NEW_FLOW,
	  .has_backend = true },
	{ .name = "tx: by another stage",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TO(DIRECT, SYN)),
	  .verdict = XDP_TX, .reason = LB_REASON_NEW_FLOW, .stage = LB_STAGE_DSR,
	  IPV4(CLIENT, SERVICE), PORTS(PORT, DIRECT), .protocol = IPPROTO_TCP,
	  .service = DSR_WEB + 1, .flow = LB_TRACE_NEW_FLOW, .has_backend = true },
	{ .name = "aborted: a policy that is not loaded",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TO(BARE, SYN)),
	  .verdict = XDP_ABORTED, .reason = LB_REASON_NO_STAGE, .stage = LB_STAGE_PARSE,
	  IPV4(CLIENT, SERVICE), PORTS(PORT, BARE), .protocol = IPPROTO_TCP,
	  .service = BARE_WEB + 1 },
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void check_ends(const struct row *row, const struct lb_trace_event *e)
{
	struct lb_ends ends = {};

	if (row->family) {
		assert_int_equal(world_address(row->source, ends.source), row->family);
		world_address(row->destination, ends.destination);
	}
	ends.sport = htons(row->sport);
	ends.dport = htons(row->dport);
	assert_memory_equal(&e->ends, &ends, sizeof(ends));
	assert_int_equal(e->family, row->family);
	assert_int_equal(e->protocol, row->protocol);
}

static void check_event(const struct row *row, const struct lb_trace_event *e)
{
	assert_int_equal(e->verdict, row->verdict);
	assert_string_equal(stage_reason_name(e->reason), stage_reason_name(row->reason));
	assert_int_equal(e->stage, row->stage);
	assert_int_equal(e->ifindex, row->ifname ? hosts_front : hosts_back);
	assert_int_equal(e->service, row->service - 1);
	assert_int_equal(e->flow, row->flow);
	if (row->has_backend)
		assert_in_range(e->backend, traced.backend[row->service - 1],
				traced.backend[row->service - 1] + 2);
	else
		assert_int_equal(e->backend, LB_NO_BACKEND);
	check_ends(row, e);
}

static void check_bytes(const __u8 *in, size_t len, const struct run *r)
{
	const struct lb_trace_event *e = &traced.last.event;
	bool sent = e->verdict == XDP_TX || e->verdict == XDP_REDIRECT,
	     passed = e->verdict == XDP_PASS, served = e->service != LB_NO_SERVICE;

	assert_int_equal(e->length_in, len);
	assert_int_equal(e->kept_in, len);
	assert_memory_equal(traced.last.in, in, len);
	assert_int_equal(e->length_out, sent || passed ? r->len : 0);
	assert_int_equal(e->kept_out, sent || (passed && served) ? r->len : 0);
	assert_memory_equal(traced.last.out, r->pkt, e->kept_out);
	if (sent)
		assert_memory_not_equal(traced.last.out, in, ETH_HLEN);
}

static void each_way_out(void **state)
{
	const struct row *row = *state;
	__u32 ifindex = row->ifname ? hosts_front : hosts_back;
	__u8 in[PACKET_MAX];
	size_t len;
	struct run r;

	trace_afresh(NULL);
	len = packet_build(in, row->in);
	if (row->cut)
		len = row->cut;
	/* What stands in the scratch map is another packet's. */
	trace_run(PKT(ETH(), IP6(CLIENT6, SERVICE6), TCP(1, HTTP, SYN)), hosts_back, &r);
	assert_int_equal(trace_take(), 1);

	stage_run(traced.parse, in, len, ifindex, &r);
	assert_int_equal(r.verdict, row->verdict);
	assert_int_equal(r.n_meta, row->marked ? sizeof(struct lb_mark) : 0);
	assert_int_equal(trace_take(), 1);
	check_event(row, &traced.last.event);
	check_bytes(in, len, &r);

	/* Not watched, it goes the same way; it has made its flow. */
	flows_clear(&traced.stage);
	trace_set(NULL);
	stage_run(traced.parse, in, len, ifindex, &r);
	assert_int_equal(r.verdict, row->verdict);
	assert_int_equal(trace_take(), 0);
}

/* ---- on and off -------------------------------------------------------------------- */

static void a_lease_ends(void **state)
{
	__u32 hz = traced.stage.params.hz, now = stage_now(&traced.stage);
	/* A lease that is longer than any was forgotten half the clock's way ago. */
	const __u32 ended[] = { (now - 5) | 1, now - 3 * hz, now - (1U << 31),
				now + (LB_TRACE_LEASE_S + 1) * hz, 1 };
	struct lb_switches on;
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++) {
		trace_lease(ended[i]);
		trace_run(foreign, hosts_back, &r);
		assert_int_equal(r.verdict, XDP_PASS);
		assert_int_equal(trace_take(), 0);
		world_get(&traced.stage, "lb_switches", 0, &on);
		assert_int_equal(on.trace, 0);
	}
	trace_lease((stage_now(&traced.stage) + LB_TRACE_LEASE_S * hz) | 1);
	trace_run(foreign, hosts_back, &r);
	assert_int_equal(trace_take(), 1);
}

/* It was already past lb_parse: nobody knows how it came. */
static void what_came_before_is_not_told(void **state)
{
	struct lb_pkt pkt = {}; /* of no backend */
	__u8 in[PACKET_MAX];
	size_t len = packet_build(in, syn);
	struct run r;

	(void)state;
	stage_set_scratch(&traced.stage, &pkt);
	stage_run(stage_program(&traced.stage, "lb_dsr"), in, len, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_DROP);
	assert_int_equal(trace_take(), 0);
}

static void delete_slot(const char *map, __u32 slot)
{
	assert_int_equal(bpf_map_delete_elem(stage_map(&traced.stage, map), &slot), 0);
}

static void put_slot(const char *map, __u32 slot, const char *program)
{
	int prog = stage_program(&traced.stage, program);

	assert_int_equal(
		bpf_map_update_elem(stage_map(&traced.stage, map), &slot, &prog, 0), 0);
}

/* No packet goes another way for want of a stage that only watches. */
static void without_the_stages_that_watch(void **state)
{
	struct run r;

	(void)state;
	delete_slot("lb_stages", LB_STAGE_TRACE);
	trace_run(syn, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
	delete_slot("lb_stages", LB_STAGE_CAPTURE);
	trace_run(ack, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
	put_slot("lb_stages", LB_STAGE_TRACE, "lb_trace");
	trace_run(ack, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_TX);
	put_slot("lb_stages", LB_STAGE_CAPTURE, "lb_capture");
	assert_int_equal(trace_take(), 0);
	trace_run(ack, hosts_back, &r);
	assert_int_equal(trace_take(), 1);
}

/* The constant that each object gives itself is its place in lb_stages. */
static void each_stage_says_which_it_is(void **state)
{
	__u8 in[PACKET_MAX];
	size_t len = packet_build(in, syn);

	(void)state;
	for (size_t i = 0; i < n_stage_slots; i++)
		delete_slot("lb_stages", stage_slots[i].slot);
	for (size_t i = 0; i < n_stage_slots; i++) {
		struct lb_pkt pkt = { .service = LB_NO_SERVICE, .family = 4 };
		struct run r;

		if (stage_slots[i].slot == LB_STAGE_CAPTURE ||
		    stage_slots[i].slot == LB_STAGE_TRACE)
			continue;
		stage_set_scratch(&traced.stage, &pkt);
		stage_run(stage_program(&traced.stage, stage_slots[i].name), in, len,
			  hosts_back, &r);
		if (stage_scratch(&traced.stage).ended_by != stage_slots[i].slot)
			fail_msg("%s says that it is %d", stage_slots[i].name,
				 stage_scratch(&traced.stage).ended_by);
	}
	for (size_t i = 0; i < n_stage_slots; i++)
		put_slot("lb_stages", stage_slots[i].slot, stage_slots[i].name);
}

#define test(name) cmocka_unit_test_setup(name, trace_afresh)

int main(void)
{
	const struct CMUnitTest others[] = {
		test(a_lease_ends),
		test(what_came_before_is_not_told),
		test(without_the_stages_that_watch),
		test(each_stage_says_which_it_is),
	};
	const size_t n_others = sizeof(others) / sizeof(others[0]);
	struct CMUnitTest units[N_ROWS + n_others];

	for (size_t i = 0; i < N_ROWS; i++)
		units[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = each_way_out,
			.initial_state = (void *)&rows[i],
		};
	memcpy(units + N_ROWS, others, sizeof(others));
	return _cmocka_run_group_tests("trace", units, N_ROWS + n_others, trace_open,
				       trace_close);
}
