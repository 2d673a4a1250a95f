// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_flow_model.c - random traffic, and after each packet the tables against a model.
 *
 * The model is plain: it knows each client's flow and computes what a packet must do to
 * it.  Who is evicted it does not predict but judges, by looking at the buckets as they
 * were before.  LB_TEST_SEED and LB_TEST_STEPS choose another run.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "eviction.h"

#define BUCKETS 8
#define WAYS	(BUCKETS * LB_FLOW_WAYS)
#define CLIENTS 120 /* of each service */
#define STEPS	15000

struct client {
	enum chain_service service;
	__u16 port;
	__u64 key[3];
	/* What it knows of its flow, which may be over. */
	bool known;
	__u32 backend, ref;
	__u16 nat;
	__u8 state;
	__u32 seen;
};

static const __u32 timeout[LB_FLOW_STATES] = {
	600, 20000, 1200, 1200, 200, 300, 600, 1200
};

static struct chain chain;
static struct stage *const stage = &chain.stage;
static struct client clients[CHAIN_SERVICES][CLIENTS];
static unsigned int seed;

/* The table as it was before the packet, and as it is. */
static struct flow before_flows[WAYS], after[WAYS];
static struct eviction before = { .stage = &chain.stage,
				  .timeout = timeout,
				  .flow = before_flows };
static size_t n_after;
static __u32 now;

static int family_of(enum chain_service service)
{
	return service >= WEB6 ? 6 : 4;
}

static __u32 pick(__u32 n)
{
	return rand_r(&seed) % n;
}

/* ---- what the model knows ------------------------------------------------------------- */

static bool is_live(const struct client *c)
{
	return c->known && now - c->seen <= timeout[c->state] &&
	       world_backend(stage, c->backend).ref == c->ref;
}

/* Too close to its timeout to say? */
static bool is_borderline(const struct client *c)
{
	return c->known && eviction_is_close(now - c->seen, timeout[c->state]);
}

static __u8 model_next(const struct client *c, bool reply, __u8 flags)
{
	__u8 fin = reply ? LB_FLOW_BACKEND_FIN : LB_FLOW_CLIENT_FIN;

	if (chain_is_udp(c->service)) {
		if (reply)
			return c->state == LB_FLOW_DATAGRAM ? LB_FLOW_ANSWERED : c->state;
		return c->state == LB_FLOW_ANSWERED ? LB_FLOW_STREAM : c->state;
	}
	if (c->state == LB_FLOW_CLOSED || flags & TH_RST)
		return LB_FLOW_CLOSED;
	if (c->state == LB_FLOW_HALF_OPEN && (reply || !(flags & TH_ACK)))
		return LB_FLOW_HALF_OPEN;
	if (flags & TH_FIN) {
		if (c->state <= LB_FLOW_ESTABLISHED || c->state == fin)
			return fin;
		return LB_FLOW_CLOSED;
	}
	return c->state == LB_FLOW_HALF_OPEN ? LB_FLOW_ESTABLISHED : c->state;
}

static struct client *client_of(const struct flow *f)
{
	struct client *c = clients[flows_service(f)];

	for (int i = 0; i < CLIENTS; i++)
		if (!memcmp(c[i].key, f->key, sizeof(f->key)))
			return &c[i];
	fail_msg("the table has a flow of no client");
	return NULL;
}

/* ---- the table against it ---------------------------------------------------------------- */

/* Everybody in the table is as the model has it; who is not there any more is over. */
static size_t compare_tables(int family, const struct client *newcomer, __u32 position)
{
	__u32 took = stage_now(stage) - now;
	size_t gone = 0;

	n_after = flows_scan(stage, family, after, WAYS);
	for (size_t i = 0; i < n_after; i++) {
		struct client *c = client_of(&after[i]);

		if (!c->known)
			fail_msg("the table has a flow that the model has not");
		assert_int_equal(after[i].flow.backend, c->ref);
		assert_int_equal(after[i].flow.nat_port, htons(c->nat));
		assert_int_equal(LB_WAY_STATE(after[i].way), c->state);
		assert_in_range(after[i].seen - c->seen, 0, c->seen == now ? took : 0);
		c->seen = after[i].seen;
	}
	for (size_t i = 0; i < before.n; i++) {
		struct client *c = client_of(&before.flow[i]);
		struct flow f;

		if (flows_find_key(stage, family, c->key, &f))
			continue;
		c->known = false;
		gone += c != newcomer && before.flow[i].position != position;
	}
	return gone;
}

/* ---- one packet --------------------------------------------------------------------------- */

static __u64 events(enum lb_event a, enum lb_event b)
{
	return stage_event(stage, a) + stage_event(stage, b);
}

static void arrive(struct client *c, const struct delivery *d, __u64 full)
{
	bool syn = !chain_is_udp(c->service);
	struct flow f;

	if (!d->sent) {
		if (stage_reason(stage, LB_REASON_TABLE_FULL) != full) {
			assert_true(syn);
			eviction_judge_refusal(&before, family_of(c->service), c->key);
		}
		return;
	}
	assert_true(flows_find_key(stage, family_of(c->service), c->key, &f));
	eviction_judge(&before, f.position, c->key, syn);
	c->known = true;
	c->backend = chain_backend(&chain, c->service, d);
	c->ref = world_backend(stage, c->backend).ref;
	c->nat = d->sport;
	c->state = syn ? LB_FLOW_HALF_OPEN : LB_FLOW_DATAGRAM;
	c->seen = now;
	assert_int_equal(world_backend(stage, c->backend).state, LB_BACKEND_ACTIVE);
}

static void packet_of_client(struct client *c, __u8 flags)
{
	int family = family_of(c->service);
	bool udp = chain_is_udp(c->service), down, live, confirmed;
	__u64 full = stage_reason(stage, LB_REASON_TABLE_FULL);
	__u64 aside = events(LB_EVENT_PORT_TAKEN, LB_EVENT_EVICTED_DEAD);
	size_t gone;
	struct delivery d;
	struct flow f;

	down = c->known && world_backend(stage, c->backend).state == LB_BACKEND_DOWN;
	live = is_live(c) && !((udp || flags == TH_SYN) && down) &&
	       !(!udp && c->state == LB_FLOW_CLOSED && flags == TH_SYN);
	chain_client(&chain, c->service, family == 4 ? CLIENT : CLIENT6, c->port, flags,
		     &d);

	confirmed = live && c->state == LB_FLOW_HALF_OPEN && flags & TH_ACK;
	if (live) {
		assert_int_equal(d.sent, !down);
		c->seen = now;
		if (!down) {
			assert_int_equal(chain_backend(&chain, c->service, &d),
					 c->backend);
			assert_int_equal(d.sport, c->nat);
			c->state = model_next(c, false, flags);
		}
	} else if (!udp && flags != TH_SYN) {
		assert_false(d.sent);
	} else {
		arrive(c, &d, full);
	}

	gone = compare_tables(
		family, c,
		!live && flows_find_key(stage, family, c->key, &f) ? f.position : ~0U);
	aside = events(LB_EVENT_PORT_TAKEN, LB_EVENT_EVICTED_DEAD) - aside;
	/* Apart from the newcomer's place: who had the port, who had to leave a way. */
	assert_in_range(gone, 0, aside + (confirmed || (!live && !d.sent)));
}

static void packet_of_backend(struct client *c, __u8 flags)
{
	int family = family_of(c->service);
	struct client *to = NULL;
	struct delivery d;

	for (int i = 0; i < CLIENTS; i++) {
		struct client *other = &clients[c->service][i];

		if (is_live(other) && other->backend == c->backend &&
		    other->nat == c->nat)
			to = other;
	}
	chain_reply(&chain, c->backend, c->nat, flags, &d);
	if (!to || world_backend(stage, c->backend).state == LB_BACKEND_DOWN) {
		assert_false(d.sent);
	} else {
		assert_true(d.sent);
		assert_int_equal(d.dport, to->port);
		to->state = model_next(to, true, flags);
	}
	if (to)
		to->seen = now;
	assert_int_equal(compare_tables(family, NULL, ~0U), 0);
}

/* ---- what else happens ------------------------------------------------------------------- */

static void time_passes(__u32 jiffies)
{
	for (int family = 4; family <= 6; family += 2) {
		size_t n = flows_scan(stage, family, after, WAYS);

		for (size_t i = 0; i < n; i++)
			flows_age(stage, &after[i], LB_WAY_STATE(after[i].way),
				  after[i].seen - jiffies);
	}
	for (int s = 0; s < CHAIN_SERVICES; s++)
		for (int i = 0; i < CLIENTS; i++)
			clients[s][i].seen -= jiffies;
}

static void backend_changes(enum chain_service service)
{
	static const __u8 states[] = { LB_BACKEND_ACTIVE, LB_BACKEND_ACTIVE,
				       LB_BACKEND_DRAIN, LB_BACKEND_DOWN };
	__u32 id = chain_first_backend(service) + pick(CHAIN_BACKENDS);

	if (pick(4))
		world_set_backend(stage, id, states[pick(4)], 1);
	else
		world_set_incarnation(stage, id,
				      world_backend(stage, id).incarnation + 1);
	chain_set_policy(&chain, service, pick(CHAIN_POLICIES));
}

/* As `lbctl flow flush` does; a flow of another version is left alone. */
static void ended_by_hand(struct client *c)
{
	int family = family_of(c->service);
	struct lb_evict which = { .family = family };
	struct flow f;
	struct run r;

	if (!flows_find_key(stage, family, c->key, &f))
		return;
	which.position = f.position;
	which.version = f.flow.version + pick(2) * 2;
	stage_run(stage_program(stage, "lb_evict"), &which, sizeof(which), 0, &r);
	assert_int_equal(r.verdict,
			 which.version == f.flow.version ? XDP_PASS : XDP_DROP);
	assert_int_equal(compare_tables(family, c, ~0U), 0);
	assert_int_equal(c->known, r.verdict == XDP_DROP);
}

static void step(void)
{
	static const __u8 to_backend[] = { TH_SYN, TH_SYN,	    TH_SYN,
					   TH_ACK, TH_ACK,	    TH_ACK,
					   TH_ACK, TH_PSH | TH_ACK, TH_FIN | TH_ACK,
					   TH_FIN, TH_RST };
	static const __u8 to_client[] = { TH_SYN | TH_ACK, TH_ACK, TH_ACK,
					  TH_FIN | TH_ACK, TH_RST | TH_ACK };
	static struct client *c;
	enum chain_service service;

	/* Often the same one goes on, so that connections come about. */
	if (!c || !pick(3))
		c = &clients[pick(CHAIN_SERVICES)][pick(CLIENTS)];
	service = c->service;
	now = stage_now(stage);
	if (is_borderline(c))
		return;
	before.now = now;
	before.n = flows_scan(stage, family_of(service), before.flow, WAYS);
	if (!pick(60))
		time_passes(pick(400));
	else if (!pick(300))
		backend_changes(service);
	else if (!pick(100))
		ended_by_hand(c);
	else if (pick(3) || !c->backend)
		packet_of_client(c, to_backend[pick(pick(8) ? 6 : sizeof(to_backend))]);
	else
		packet_of_backend(c, to_client[pick(sizeof(to_client))]);
}

static void random_traffic_as_in_the_model(void **state)
{
	const char *steps = getenv("LB_TEST_STEPS"), *start = getenv("LB_TEST_SEED");
	int n = steps ? atoi(steps) : STEPS;

	(void)state;
	seed = start ? atoi(start) : 20261121;
	print_message("# seed %u, %d steps\n", seed, n);
	for (int i = 0; i < n; i++) {
		step();
		if (i % 50 == 0)
			flows_check(stage);
	}
	flows_check(stage);
	for (enum lb_event e = 0; e < LB_EVENT_MAX; e++)
		print_message("# event %d: %llu\n", e, stage_event(stage, e));
	stage_print_reasons(stage);
	/* It was a test only if all of it happened. */
	assert_true(stage_event(stage, LB_EVENT_EVICTED_EXPIRED) > 0);
	assert_true(stage_event(stage, LB_EVENT_EVICTED_HALF_OPEN) > 0);
	assert_true(stage_event(stage, LB_EVENT_EVICTED_OLDEST) > 0);
	assert_true(stage_event(stage, LB_EVENT_PORT_TAKEN) > 0);
	assert_true(stage_event(stage, LB_EVENT_EVICTED_DEAD) > 0);
	assert_true(stage_event(stage, LB_EVENT_EVICTED_BY_HAND) > 0);
	assert_true(stage_reason(stage, LB_REASON_NO_PORT) > 0);
	assert_true(stage_reason(stage, LB_REASON_REPLY) > 0);
}

static int open_chain(void **state)
{
	struct lb_profile profile;

	(void)state;
	chain_open(&chain, BUCKETS, 1 << 12);
	memcpy(profile.timeout, timeout, sizeof(timeout));
	world_set_profile(stage, 0, &profile);
	world_set_ports(stage, WEB, 20000, 20011);
	world_set_ports(stage, RESOLVER6, 20000, 20011);
	for (int s = 0; s < CHAIN_SERVICES; s++) {
		for (int i = 0; i < CLIENTS; i++) {
			clients[s][i] = (struct client){ .service = s, .port = 1000 + i };
			flows_key(family_of(s) == 4 ? CLIENT : CLIENT6, 1000 + i, s,
				  clients[s][i].key);
		}
	}
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
		cmocka_unit_test(random_traffic_as_in_the_model),
	};
	return cmocka_run_group_tests_name("flow model", units, open_chain, close_chain);
}
