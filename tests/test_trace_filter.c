// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_trace_filter.c - lb_trace: of which packets there is an event, and how much of them.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "trace.h"

/* ---- flows ------------------------------------------------------------------------- */

static void reply(struct run *ret)
{
	static const char *const backends[] = { BACKEND1, BACKEND2, BACKEND3 };
	struct flow f;

	assert_true(flows_find(&traced.stage, WEB, CLIENT, PORT, &f));
	trace_run(
		PKT(ETH(),
		    IP4(backends[LB_BACKEND_REF_ID(f.flow.backend) - traced.backend[WEB]],
			SERVICE),
		    TCP(SERVER, ntohs(f.flow.nat_port), .flags = TH_SYN | TH_ACK)),
		hosts_back, ret);
}

static void a_connection(void **state)
{
	const struct lb_trace_event *e = &traced.last.event;
	__u32 backend;
	struct run r;

	(void)state;
	trace_run(syn, hosts_back, &r);
	assert_int_equal(trace_take(), 1);
	assert_int_equal(e->flow, LB_TRACE_NEW_FLOW);
	assert_int_equal(e->tcp_flags, TH_SYN);
	backend = e->backend;
	reply(&r);
	assert_int_equal(trace_take(), 1);
	assert_int_equal(e->flow, LB_TRACE_KNOWN_FLOW);
	assert_int_equal(e->direction, LB_TO_CLIENT);
	assert_int_equal(e->reason, LB_REASON_REPLY);
	assert_int_equal(e->backend, backend);
	trace_run(ack, hosts_back, &r);
	assert_int_equal(trace_take(), 1);
	assert_int_equal(e->flow, LB_TRACE_KNOWN_FLOW);
	assert_int_equal(e->direction, LB_TO_BACKEND);
	assert_int_equal(e->backend, backend);
	assert_int_equal(e->service, WEB);
}

/* What each filter lets through of: SYN, reply, ACK, and a packet for no service. */
static const struct {
	struct lb_trace_filter filter;
	const char *client, *backend;
	const char *seen;
} filters[] = {
	{ {}, .seen = "1111" },
	{ { .service_ref = WEB + 1 }, .seen = "1110" },
	{ { .service_ref = WEB6 + 1 }, .seen = "0000" },
	{ { .reasons = 1ULL << LB_REASON_NOT_OURS }, .seen = "0001" },
	{ { .reasons = 1ULL << LB_REASON_REPLY | 1ULL << LB_REASON_NEW_FLOW },
	  .seen = "1100" },
	{ { .states = 1U << LB_FLOW_HALF_OPEN }, .seen = "1110" },
	{ { .states = 1U << LB_FLOW_ESTABLISHED }, .seen = "0000" },
	{ { .mask = { 0xffffffff } }, .client = CLIENT, .seen = "1110" },
	{ { .mask = { 0x00ffffff } }, .client = "10.0.0.0", .seen = "1110" },
	{ { .mask = { 0xffffffff } }, .client = FAR_CLIENT, .seen = "0001" },
	{ { .mask = { 0 } }, .client = "0.0.0.0", .seen = "1111" },
	{ { .mask = { 0 } }, .client = "::", .seen = "0000" },
	{ {}, .backend = BACKEND1, .seen = "1110" },
	{ { .backend_port = SERVER }, .backend = BACKEND1, .seen = "1110" },
	{ { .backend_port = HTTP }, .backend = BACKEND1, .seen = "0000" },
	{ {}, .backend = SILENT, .seen = "0000" },
	{ { .service_ref = WEB + 1, .reasons = 1ULL << LB_REASON_NOT_OURS },
	  .seen = "0000" },
};

static void only_what_was_asked_for(void **state)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct lb_trace_filter f = filters[i].filter;
		char seen[5] = "";
		struct run r;

		trace_afresh(state);
		world_set_uniform(&traced.stage, WEB, CHAIN_POLICY, traced.backend[WEB],
				  1);
		f.backend_port = htons(f.backend_port);
		if (filters[i].client)
			f.client_family = world_address(filters[i].client, f.client);
		if (filters[i].backend)
			f.backend_family = world_address(filters[i].backend, f.backend);
		trace_set(&f);
		trace_run(syn, hosts_back, &r);
		seen[0] = '0' + trace_take();
		reply(&r);
		seen[1] = '0' + trace_take();
		trace_run(ack, hosts_back, &r);
		seen[2] = '0' + trace_take();
		trace_run(foreign, hosts_back, &r);
		seen[3] = '0' + trace_take();
		if (strcmp(seen, filters[i].seen))
			fail_msg("filter %zu: '%s', not '%s'", i, seen, filters[i].seen);
	}
}

static void of_an_ipv6_network(void **state)
{
	struct lb_trace_filter f = { .mask = { 0xffffffff, htonl(0xffff0000) } };
	const struct layer *syn6 = PKT(ETH(), IP6(CLIENT6, SERVICE6), TO(HTTP, SYN));
	struct run r;

	(void)state;
	f.client_family = world_address("2001:db8::", f.client);
	trace_set(&f);
	trace_run(syn6, hosts_back, &r);
	assert_int_equal(trace_take(), 1);
	f.mask[1] = f.mask[2] = f.mask[3] = 0xffffffff;
	trace_set(&f);
	trace_run(syn6, hosts_back, &r);
	assert_int_equal(trace_take(), 0);
}

/* ---- how much ---------------------------------------------------------------------- */

static void one_in_ten(void **state)
{
	const struct lb_trace_filter f = { .sample = 10,
					   .reasons = 1ULL << LB_REASON_NOT_OURS };
	struct run r;

	(void)state;
	trace_set(&f);
	for (int i = 0; i < 100; i++) {
		trace_run(foreign, hosts_back, &r);
		trace_run(ack, hosts_back, &r); /* filtered out: takes no turn */
	}
	assert_int_equal(trace_take(), 10);
}

static void the_beginning_of_a_packet(void **state)
{
	static const __u32 snaps[] = { 0, 1, 14, 53, 1000, 5000 };
	__u8 in[PACKET_MAX];
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(snaps) / sizeof(snaps[0]); i++) {
		const struct lb_trace_filter f = { .snap = snaps[i] };
		size_t len = packet_build(in, syn),
		       kept = snaps[i] < len ? snaps[i] : len;

		trace_afresh(NULL);
		trace_set(&f);
		trace_run(syn, hosts_back, &r);
		assert_int_equal(trace_take(), 1);
		assert_int_equal(traced.last.event.length_in, len);
		assert_int_equal(traced.last.event.kept_in, kept);
		assert_int_equal(traced.last.event.kept_out, kept);
		assert_memory_equal(traced.last.in, in, kept);
		assert_memory_equal(traced.last.out, r.pkt, kept);
	}
}

/* As long as Ethernet has them, until the ring is full; what is lost is counted. */
static void more_than_the_ring_holds(void **state)
{
	const int sent = LB_TRACE_RING / 1514;
	__u8 in[1514] = {};
	__u64 lost = trace_lost();
	struct run r;
	size_t n;

	(void)state;
	packet_build(in, foreign);
	for (int i = 0; i < sent; i++) {
		in[sizeof(in) - 1] = i;
		stage_run(traced.parse, in, sizeof(in), hosts_back, &r);
		assert_int_equal(r.verdict, XDP_PASS);
	}
	lost = trace_lost() - lost;
	n = trace_take();
	assert_in_range(n, LB_TRACE_RING / 1700, sent - 1);
	assert_int_equal(n + lost, sent);

	in[sizeof(in) - 1] = 77;
	stage_run(traced.parse, in, sizeof(in), hosts_back, &r);
	assert_int_equal(trace_take(), 1);
	assert_int_equal(traced.last.event.kept_in, sizeof(in));
	assert_memory_equal(traced.last.in, in, sizeof(in));
}

#define test(name) cmocka_unit_test_setup(name, trace_afresh)

int main(void)
{
	const struct CMUnitTest units[] = {
		test(a_connection),
		test(only_what_was_asked_for),
		test(of_an_ipv6_network),
		test(one_in_ten),
		test(the_beginning_of_a_packet),
		test(more_than_the_ring_holds),
	};
	return cmocka_run_group_tests_name("trace filter", units, trace_open,
					   trace_close);
}
