// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_flow_table.c - who must go when the table is full.
 *
 * Small tables with chosen contents: the flows are put where the test wants them, and
 * newcomers come through the whole chain.  test_flow_model.c has the random half.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain.h"

#define TIMEOUT 10000 /* jiffies: 40 s; no test takes so long */
#define BUCKETS 16

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

/* ---- eviction order ----------------------------------------------------------------- */

/*
 * Sixteen ways of the newcomer's two buckets, one letter each:
 *	.  free			E  established		O  established, seen longest ago
 *	H  half-open		h  half-open, timed out	X  established, timed out
 *	U  a UDP flow		C  closed		F  closing
 */
struct order {
	const char *name;
	const char *first, *second;
	bool syn;	     /* the newcomer is a SYN, else a datagram */
	int way;	     /* where it must be, 8.. in the second; -1: refused */
	enum lb_event event; /* counted if somebody had to go */
};

#define NOBODY LB_EVENT_FLOW_NEW /* is counted anyway */

/* clang-format off */
static const struct order orders[] = {
	{ "a free way before all others", "EEXHUCO.", "EEXHUCOE", false, 7, NOBODY },
	{ "a free way of the second bucket", "EEXHUCOE", "EEXHUC.E", false, 14, NOBODY },
	{ "the first bucket while it is roomy", "E...EEEE", "........", false, 1, NOBODY },
	{ "the emptier bucket else", "EEEEE..E", "EE...EEE", false, 10, NOBODY },
	{ "a timed-out flow before live ones", "EEXHUCOE", "EEEHUEOE", false, 2,
	  LB_EVENT_EVICTED_EXPIRED },
	{ "a timed-out flow of the second bucket", "EEEHUEOE", "EEEHUXOE", false, 13,
	  LB_EVENT_EVICTED_EXPIRED },
	{ "a closed flow before live ones", "EEEHUCOE", "EEEHUEOE", false, 5,
	  LB_EVENT_EVICTED_EXPIRED },
	{ "a half-open flow before others", "EEEHUEOE", "EEEEUEOE", false, 3,
	  LB_EVENT_EVICTED_HALF_OPEN },
	{ "a half-open flow of the second bucket", "EEEEUEOE", "EEEEUHEE", false, 13,
	  LB_EVENT_EVICTED_HALF_OPEN },
	{ "the oldest if nothing else is left", "EEEEEEOE", "EEEEEEEE", false, 6,
	  LB_EVENT_EVICTED_OLDEST },
	{ "the oldest of both buckets", "EEEEEEEE", "EEOEEEEE", false, 10,
	  LB_EVENT_EVICTED_OLDEST },

	{ "a syn takes a free way", "EEEEEEO.", "EEEEEEOE", true, 7, NOBODY },
	{ "a syn takes a timed-out way", "EEEXEEOE", "EEEEEEOE", true, 3,
	  LB_EVENT_EVICTED_EXPIRED },
	{ "a syn takes a timed-out half-open way", "EEEhEEOE", "EEEEEEOE", true, 3,
	  LB_EVENT_EVICTED_EXPIRED },
	{ "a syn takes the half-open way", "EEEHEEOE", "EEEEEEOE", true, 3,
	  LB_EVENT_EVICTED_HALF_OPEN },
	{ "a syn leaves a free way beside a half-open one", "EEEHEEO.", "EEEEEEOE", true, 3,
	  LB_EVENT_EVICTED_HALF_OPEN },
	{ "a syn takes the half-open way beside timed-out ones", "EEhHEhEE", "EEEEEEOE", true, 3,
	  LB_EVENT_EVICTED_HALF_OPEN },
	{ "a syn takes the half-open way beside timed-out and free ones", "h.EEEEhH", "EEEEEEOE",
	  true, 7, LB_EVENT_EVICTED_HALF_OPEN },
	{ "a syn takes a free way beside timed-out half-open ones", "EhEhEE.E", "EEEEEEOE", true,
	  6, NOBODY },
	{ "a syn takes a free way beside a timed-out half-open one", "EhE.EEEE", "EEEEEEOE", true,
	  3, NOBODY },
	{ "a syn takes a free way of the other bucket", "EEEHEEO.", "EEEEEE.E", true, 14,
	  NOBODY },
	{ "a syn takes a closed flow's way", "EEECEEOE", "EEEEEEOE", true, 3,
	  LB_EVENT_EVICTED_EXPIRED },
	{ "a syn takes a UDP flow's way", "EEEEEEOE", "EEUEEEOE", true, 10,
	  LB_EVENT_EVICTED_OLDEST },
	{ "a syn evicts no connection", "EEEEEEOE", "EEFEOEEE", true, -1, NOBODY },
};
/* clang-format on */

#define N_ORDERS (sizeof(orders) / sizeof(orders[0]))

/* The next client port from *port on whose flow of @service has the same buckets as @like,
 * or any two different ones if that is NULL. */
static __u16 port_like(enum chain_service service, const __u32 *like, __u16 *port)
{
	__u32 bucket[2];
	__u64 key[3];

	for (;; ++*port) {
		assert_true(*port < 65000);
		flows_key(CLIENT, *port, service, key);
		flows_buckets(stage, flows_hash(stage, 4, key), bucket);
		if (like ? !memcmp(bucket, like, sizeof(bucket)) : bucket[0] != bucket[1])
			return (*port)++;
	}
}

/* Put a flow of the kind @letter into a way. */
static void put_letter(char letter, __u32 position, const __u32 *like, __u16 *port,
		       struct flow *ret)
{
	enum chain_service service = letter == 'U' ? RESOLVER : WEB;
	__u32 now = stage_now(stage);
	__u16 own = port_like(service, like, port);
	struct flow f = { .family = 4,
			  .position = position,
			  .seen = now - 100 - position % 8 };
	int state = strchr("Hh", letter) ? LB_FLOW_HALF_OPEN
		    : letter == 'U'	 ? LB_FLOW_STREAM
		    : letter == 'C'	 ? LB_FLOW_CLOSED
		    : letter == 'F'	 ? LB_FLOW_CLIENT_FIN
					 : LB_FLOW_ESTABLISHED;

	f.way = LB_WAY(state, 0);
	if (strchr("hX", letter))
		f.seen = now - TIMEOUT - 1000;
	else if (letter == 'O')
		f.seen = now - 500;
	flows_key(CLIENT, own, service, f.key);
	f.flow.backend = world_backend(stage, chain_first_backend(service)).ref;
	f.flow.nat_port = htons(own);
	flows_put(stage, &f);
	*ret = f;
}

static bool still_there(const struct flow *f)
{
	struct flow now;

	return flows_find_key(stage, 4, f->key, &now) && now.position == f->position &&
	       now.flow.version == f->flow.version;
}

static void run_order(void **state)
{
	const struct order *o = *state;
	struct flow flows[16] = {}, newcomer;
	__u16 port = 2000, own;
	enum chain_service service = o->syn ? WEB : RESOLVER;
	__u64 full = stage_reason(stage, LB_REASON_TABLE_FULL), events;
	struct delivery d;
	__u32 bucket[2];
	__u64 key[3];

	start_afresh(NULL);
	own = port_like(service, NULL, &port);
	flows_key(CLIENT, own, service, key);
	flows_buckets(stage, flows_hash(stage, 4, key), bucket);
	for (int i = 0; i < 16; i++) {
		char letter = i < 8 ? o->first[i] : o->second[i - 8];

		if (letter != '.')
			put_letter(letter, bucket[i / 8] * 8 + i % 8, bucket, &port,
				   &flows[i]);
	}
	events = stage_event(stage, o->event);
	chain_client(&chain, service, CLIENT, own, TH_SYN, &d);

	for (int i = 0; i < 16; i++)
		if (flows[i].tag && i != o->way && !still_there(&flows[i]))
			fail_msg("the flow in way %d is gone", i);
	if (o->way < 0) {
		assert_false(d.sent);
		assert_int_equal(stage_reason(stage, LB_REASON_TABLE_FULL), full + 1);
		return;
	}
	assert_true(d.sent);
	assert_true(flows_find_key(stage, 4, key, &newcomer));
	assert_int_equal(newcomer.position, bucket[o->way / 8] * 8 + o->way % 8);
	assert_int_equal(stage_event(stage, o->event), events + 1);
}

/* A connection that is confirmed leaves one way of its bucket to others. */
static void a_bucket_full_of_connections_keeps_a_way(void **state)
{
	__u16 port = 2000, own = port_like(WEB, NULL, &port);
	struct flow flows[8];
	struct delivery d;
	__u32 bucket[2];
	__u64 key[3];
	int gone = 0;

	(void)state;
	flows_key(CLIENT, own, WEB, key);
	flows_buckets(stage, flows_hash(stage, 4, key), bucket);
	for (int i = 0; i < 7; i++)
		put_letter(i == 4 ? 'O' : 'E', bucket[0] * 8 + i, bucket, &port,
			   &flows[i]);
	for (int i = 0; i < 8; i++) {
		struct flow other;

		put_letter('E', bucket[1] * 8 + i, bucket, &port, &other);
	}
	chain_client(&chain, WEB, CLIENT, own, TH_SYN, &d);
	assert_true(d.sent);
	for (int i = 0; i < 7; i++)
		assert_true(still_there(&flows[i]));
	chain_client(&chain, WEB, CLIENT, own, TH_ACK, &d);
	assert_true(d.sent);
	for (int i = 0; i < 7; i++)
		gone += !still_there(&flows[i]);
	assert_int_equal(gone, 1);
	assert_false(still_there(&flows[4]));
}

/* ---- floods ---------------------------------------------------------------------------- */

#define CONNECTIONS 100 /* of 128 ways */
#define FLOOD	    20000

static size_t open_connections(__u16 *ret_ports)
{
	size_t n = 0;

	for (__u16 port = 40000; port < 40000 + CONNECTIONS; port++) {
		struct delivery d;

		chain_client(&chain, WEB, CLIENT, port, TH_SYN, &d);
		if (!d.sent)
			continue;
		chain_client(&chain, WEB, CLIENT, port, TH_ACK, &d);
		if (d.sent)
			ret_ports[n++] = port;
	}
	/* Those that later ones pushed out do not count. */
	for (size_t i = 0; i < n; i++) {
		struct flow f;

		if (!flows_find(stage, WEB, CLIENT, ret_ports[i], &f))
			ret_ports[i--] = ret_ports[--n];
	}
	return n;
}

static void flood(const __u8 *flags, int n_flags)
{
	unsigned int seed = 4711;
	char client[32];

	for (int i = 0; i < FLOOD; i++) {
		__u16 port = rand_r(&seed);
		struct delivery d;

		snprintf(client, sizeof(client), "192.0.2.%d", 2 + rand_r(&seed) % 200);
		for (int j = 0; j < n_flags; j++)
			chain_client(&chain, WEB, client, port, flags[j], &d);
	}
}

static void expect_all(const __u16 *ports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct delivery d;

		chain_client(&chain, WEB, CLIENT, ports[i], TH_ACK, &d);
		if (!d.sent)
			fail_msg("connection %zu of %zu is gone", i, n);
	}
}

static void connect_once(__u16 port)
{
	struct delivery d;

	chain_client(&chain, WEB, CLIENT, port, TH_SYN, &d);
	if (!d.sent)
		stage_print_reasons(stage);
	assert_true(d.sent);
	chain_client(&chain, WEB, CLIENT, port, TH_ACK, &d);
	assert_true(d.sent);
}

static void a_flood_of_syns_evicts_no_connection(void **state)
{
	static const __u8 syn[] = { TH_SYN };
	__u16 ports[CONNECTIONS];
	size_t n = open_connections(ports);

	(void)state;
	assert_in_range(n, CONNECTIONS * 8 / 10, CONNECTIONS);
	flood(syn, 1);
	flows_check(stage); /* at most one half-open flow in a bucket */
	expect_all(ports, n);
}

/* Each SYN is followed by a RST, so that no half-open flow is left to be replaced. */
static void a_flood_of_syns_and_resets_keeps_nobody_out(void **state)
{
	static const __u8 flags[] = { TH_SYN, TH_RST };
	__u16 ports[CONNECTIONS];
	size_t n = open_connections(ports);

	(void)state;
	flood(flags, 2);
	flows_check(stage);
	expect_all(ports, n);
	for (__u16 port = 50000; port < 50020; port++)
		connect_once(port);
}

/* A FIN that acknowledges nothing makes no connection of a half-open flow. */
static void a_flood_of_syns_and_fins_keeps_nobody_out(void **state)
{
	static const __u8 flags[] = { TH_SYN, TH_FIN };
	__u16 ports[CONNECTIONS];
	size_t n = open_connections(ports);

	(void)state;
	flood(flags, 2);
	flows_check(stage);
	expect_all(ports, n);
	for (__u16 port = 50000; port < 50020; port++)
		connect_once(port);
}

/* One that does ends the flow's being half-open, but leaves a way as an ACK would. */
static void a_flood_of_closing_flows_keeps_nobody_out(void **state)
{
	static const __u8 flags[] = { TH_SYN, TH_FIN | TH_ACK };

	(void)state;
	flood(flags, 2);
	flows_check(stage);
	for (__u16 port = 50000; port < 50020; port++)
		connect_once(port);
}

#define test(name) cmocka_unit_test_setup_teardown(name, start_afresh, nothing_is_broken)

int main(void)
{
	const struct CMUnitTest others[] = {
		test(a_bucket_full_of_connections_keeps_a_way),
		test(a_flood_of_syns_evicts_no_connection),
		test(a_flood_of_syns_and_resets_keeps_nobody_out),
		test(a_flood_of_syns_and_fins_keeps_nobody_out),
		test(a_flood_of_closing_flows_keeps_nobody_out),
	};
	struct CMUnitTest units[N_ORDERS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < N_ORDERS; i++)
		units[i] = (struct CMUnitTest){
			.name = orders[i].name,
			.test_func = run_order,
			.initial_state = (void *)&orders[i],
			.teardown_func = nothing_is_broken,
		};
	memcpy(&units[N_ORDERS], others, sizeof(others));
	return cmocka_run_group_tests_name("flow table", units, open_chain, close_chain);
}
