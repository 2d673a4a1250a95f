// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_flow_race.c - two CPUs on one small flow table.
 *
 * First each thread has clients of its own and knows what their packets may become: once a
 * SYN has made a flow, its segments go to that backend from that port or, when the flow
 * was evicted, nowhere, until the next SYN.  Then both flood the table with random packets
 * as fast as the kernel repeats them, while policies are swapped.  After each the tables
 * are judged: no lock left, no flow twice or out of place, lb_live exact.
 *
 * LB_TEST_SECONDS is how long it all takes: 60 unless said.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chain.h"
#include "flood.h"

/* clang-format off */
#define THREADS	2
#define CLIENTS 60	/* of each thread */
#define BUCKETS 8

static struct chain chain;
static struct stage *const stage = &chain.stage;
static volatile bool stop;

struct client {
	enum chain_service service;
	__u16 port;
	bool known;		/* a SYN was sent on, and nothing has shown its end */
	struct delivery tuple;	/* of that SYN: what the backend sees */
};

struct thread {
	pthread_t id;
	int cpu;
	unsigned int seed;
	struct client clients[CLIENTS];
	unsigned long packets, sent, evicted;
	char error[256];	/* cmocka's checks are for the main thread */
};

/* clang-format on */

/* ---- clients that know what to expect ----------------------------------------------- */

static void run_packet(struct thread *t, const struct layer *in, struct delivery *ret)
{
	__u8 pkt[PACKET_MAX], out[PACKET_MAX + 64];
	struct xdp_md ctx_in = { .ingress_ifindex = hosts_back }, ctx_out = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = pkt, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &ctx_in, .ctx_out = &ctx_out,
		    .ctx_size_in = sizeof(ctx_in), .ctx_size_out = sizeof(ctx_out));

	opts.data_size_in = ctx_in.data_end = packet_build(pkt, in);
	if (bpf_prog_test_run_opts(chain.parse, &opts))
		snprintf(t->error, sizeof(t->error), "test run: %s", strerror(errno));
	delivery_decode(ret, opts.retval, out, opts.data_size_out, ctx_out.data);
	t->packets++;
	t->sent += ret->sent;
}

static void forward(struct thread *t, const struct client *c, __u8 flags,
		    struct delivery *ret)
{
	bool six = c->service == WEB6;

	run_packet(t,
		   PKT(ETH(),
		       { .kind = six ? LAYER_IP6 : LAYER_IP4,
			 .src = six ? CLIENT6 : CLIENT,
			 .dst = six ? SERVICE6 : SERVICE },
		       TCP(c->port, HTTP, .flags = flags)),
		   ret);
}

static void backward(struct thread *t, const struct client *c, __u8 flags,
		     struct delivery *ret)
{
	bool six = c->service == WEB6;
	char backend[INET6_ADDRSTRLEN];

	inet_ntop(six ? AF_INET6 : AF_INET, c->tuple.destination, backend,
		  sizeof(backend));
	run_packet(t,
		   PKT(ETH(),
		       { .kind = six ? LAYER_IP6 : LAYER_IP4,
			 .src = backend,
			 .dst = six ? SERVICE6 : SERVICE },
		       TCP(SERVER, c->tuple.sport, .flags = flags)),
		   ret);
}

static bool same_tuple(const struct delivery *a, const struct delivery *b)
{
	return a->sport == b->sport && a->dport == b->dport &&
	       !memcmp(a->destination, b->destination, sizeof(a->destination));
}

static void send_syn(struct thread *t, struct client *c)
{
	struct delivery d;

	forward(t, c, TH_SYN, &d);
	/* One that is refused may have found its flow dead, or not have been looked at. */
	if (!d.sent)
		return;
	t->evicted += c->known && !same_tuple(&d, &c->tuple);
	c->known = true;
	c->tuple = d;
}

static void send_segment(struct thread *t, struct client *c, __u8 flags)
{
	struct delivery d;

	forward(t, c, flags, &d);
	if (!d.sent) {
		t->evicted += c->known;
		c->known = false;
	} else if (!c->known) {
		snprintf(t->error, sizeof(t->error),
			 "port %u: a flow came back without a syn", c->port);
	} else if (!same_tuple(&d, &c->tuple)) {
		snprintf(t->error, sizeof(t->error),
			 "port %u: sent from port %u, its flow has %u", c->port, d.sport,
			 c->tuple.sport);
	}
}

/* Whoever gets the answer must have the tuple; if it is another one, ours is over. */
static void send_answer(struct thread *t, struct client *c, __u8 flags)
{
	struct delivery d;

	if (!c->known)
		return;
	backward(t, c, flags, &d);
	if (!d.sent || d.dport != c->port) {
		t->evicted++;
		c->known = false;
	}
	for (int i = 0; d.sent && d.dport != c->port && i < CLIENTS; i++) {
		struct client *other = &t->clients[i];

		if (other->port == d.dport && other->service == c->service &&
		    !(other->known && same_tuple(&other->tuple, &c->tuple)))
			snprintf(t->error, sizeof(t->error),
				 "port %u got the answer of port %u", other->port,
				 c->port);
	}
}

static void *play(void *arg)
{
	static const __u8 flags[] = { TH_ACK, TH_ACK, TH_ACK,	       TH_PSH | TH_ACK,
				      TH_ACK, TH_ACK, TH_FIN | TH_ACK, TH_RST };
	struct thread *t = arg;

	while (!stop && !t->error[0]) {
		struct client *c = &t->clients[rand_r(&t->seed) % CLIENTS];
		unsigned int what = rand_r(&t->seed) % 10;

		if (what < 3)
			send_syn(t, c);
		else if (what < 7)
			send_segment(t, c, flags[rand_r(&t->seed) % 8]);
		else
			send_answer(t, c, flags[rand_r(&t->seed) % 8]);
	}
	return NULL;
}

/* ---- the flood ------------------------------------------------------------------------ */

static int flood_fd;

static void *flood(void *arg)
{
	__u8 pkt[FLOOD_SIZE] = {};
	struct xdp_md ctx_in = { .ingress_ifindex = hosts_back, .data_end = FLOOD_SIZE };
	struct thread *t = arg;

	while (!stop && !t->error[0]) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = pkt,
			    .data_size_in = sizeof(pkt), .ctx_in = &ctx_in,
			    .ctx_size_in = sizeof(ctx_in), .repeat = 20000);

		if (bpf_prog_test_run_opts(flood_fd, &opts))
			snprintf(t->error, sizeof(t->error), "test run: %s",
				 strerror(errno));
		t->packets += opts.repeat;
	}
	return NULL;
}

static void flood_template(enum flood_kind kind, const struct layer *layers)
{
	__u8 pkt[PACKET_MAX];

	assert_int_equal(packet_build(pkt, layers), FLOOD_SIZE);
	assert_int_equal(
		bpf_map_update_elem(stage_map(stage, "flood_packets"), &kind, pkt, 0), 0);
}

static void flood_prepare(void)
{
	__u32 zero = 0;

	flood_fd = stage_load(stage, "tests/flood");
	assert_int_equal(bpf_map_update_elem(stage_map(stage, "lb_root"), &zero,
					     &chain.parse, 0),
			 0);
	flood_template(FLOOD_SEGMENT, PKT(ETH(), IP4(CLIENT, SERVICE), TCP(1, HTTP),
					  DATA("0123456789")));
	flood_template(FLOOD_SEGMENT_TOO, PKT(ETH(), IP4(CLIENT, SERVICE), TCP(1, HTTP),
					      DATA("0123456789")));
	flood_template(FLOOD_REPLY, PKT(ETH(), IP4(BACKEND1, SERVICE), TCP(SERVER, 1),
					DATA("0123456789")));
	flood_template(FLOOD_DATAGRAM, PKT(ETH(), IP4(CLIENT, SERVICE), UDP(1, DNS),
					   DATA("0123456789012345678901")));
}

/* ---- both ------------------------------------------------------------------------------ */

static int seconds(void)
{
	const char *text = getenv("LB_TEST_SECONDS");

	return text ? atoi(text) : 60;
}

/* Run @body in two threads on two CPUs for half of the time; meanwhile swap policies. */
static void race(struct thread *threads, void *(*body)(void *))
{
	time_t end = time(NULL) + (seconds() + 1) / 2;

	stop = false;
	for (int i = 0; i < THREADS; i++) {
		pthread_attr_t attr;
		cpu_set_t cpu;

		threads[i].cpu = i;
		threads[i].seed = 20261121 + i;
		CPU_ZERO(&cpu);
		CPU_SET(i, &cpu);
		pthread_attr_init(&attr);
		assert_int_equal(pthread_attr_setaffinity_np(&attr, sizeof(cpu), &cpu),
				 0);
		assert_int_equal(pthread_create(&threads[i].id, &attr, body, &threads[i]),
				 0);
		pthread_attr_destroy(&attr);
	}
	while (time(NULL) < end && !threads[0].error[0] && !threads[1].error[0]) {
		chain_set_policy(&chain, WEB, rand() % CHAIN_POLICIES);
		chain_set_policy(&chain, WEB6, rand() % CHAIN_POLICIES);
		usleep(20000);
	}
	stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	for (int i = 0; i < THREADS; i++)
		if (threads[i].error[0])
			fail_msg("CPU %d: %s", i, threads[i].error);
}

static void print_events(const struct thread *threads)
{
	print_message("# seed 20261121; %lu and %lu packets\n", threads[0].packets,
		      threads[1].packets);
	print_message(
		"# flows made %llu, evicted: timed out or closed %llu, half-open %llu, "
		"oldest %llu; ports taken %llu; busy %llu\n",
		stage_event(stage, LB_EVENT_FLOW_NEW),
		stage_event(stage, LB_EVENT_EVICTED_EXPIRED),
		stage_event(stage, LB_EVENT_EVICTED_HALF_OPEN),
		stage_event(stage, LB_EVENT_EVICTED_OLDEST),
		stage_event(stage, LB_EVENT_PORT_TAKEN),
		stage_reason(stage, LB_REASON_BUSY));
}

static void no_packet_goes_to_anothers_flow(void **state)
{
	static struct thread threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		for (int j = 0; j < CLIENTS; j++)
			threads[i].clients[j] = (struct client){
				.service = j % 2 ? WEB : WEB6,
				.port = 10000 + i * 1000 + j,
			};
	race(threads, play);
	print_events(threads);
	flows_check(stage);
	for (int i = 0; i < THREADS; i++) {
		/* It was a race only if flows came and went on both. */
		assert_true(threads[i].sent > threads[i].packets / 10);
		assert_true(threads[i].evicted > 100);
	}
}

static void nothing_is_lost_in_a_flood(void **state)
{
	static struct thread threads[THREADS];
	__u64 aborted = stage_reason(stage, LB_REASON_ABORTED);
	__u64 made = stage_event(stage, LB_EVENT_FLOW_NEW);

	(void)state;
	flood_prepare();
	race(threads, flood);
	print_events(threads);
	flows_check(stage);
	assert_int_equal(stage_reason(stage, LB_REASON_ABORTED), aborted);
	assert_true(stage_event(stage, LB_EVENT_FLOW_NEW) > made + 1000);
}

static int open_chain(void **state)
{
	struct lb_profile profile;

	(void)state;
	chain_open(&chain, BUCKETS, 1 << 10);
	for (int i = 0; i < LB_FLOW_STATES; i++)
		profile.timeout[i] = i == LB_FLOW_CLOSED      ? 5
				     : i == LB_FLOW_HALF_OPEN ? 10
							      : 250;
	world_set_profile(stage, 0, &profile);
	for (enum chain_service i = 0; i < CHAIN_SERVICES; i++)
		world_set_ports(stage, i, FLOOD_PORT_LOW,
				FLOOD_PORT_LOW + FLOOD_PORTS - 1);
	return 0;
}

static int close_chain(void **state)
{
	(void)state;
	chain_close(&chain);
	return 0;
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(no_packet_goes_to_anothers_flow),
		cmocka_unit_test(nothing_is_lost_in_a_flood),
	};
	return cmocka_run_group_tests_name("flow race", units, open_chain, close_chain);
}
