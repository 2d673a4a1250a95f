// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_laws_churn.c - the policies that count flows, while flows come, end and are evicted.
 *
 * The real flow table, much too small: packets of random clients go through the chain, and
 * each choice is judged by the flows that were in the table then, counted one by one.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain.h"

#define BUCKETS 16 /* 128 flows */
#define CLIENTS 600
#define PACKETS 4000

enum { LEAST_CONN = 10, P2C }; /* slots */

static struct chain chain;
static struct stage *const stage = &chain.stage;
static __u32 weight[CHAIN_BACKENDS];

static int open_chain(void **state)
{
	(void)state;
	chain_open(&chain, BUCKETS, 1 << 12);
	stage_load_policy(stage, "least_conn", LEAST_CONN);
	stage_load_policy(stage, "p2c", P2C);
	srand(1);
	return 0;
}

static int close_chain(void **state)
{
	(void)state;
	chain_close(&chain);
	return 0;
}

static void set_policy(enum chain_service service, __u32 policy)
{
	world_set_uniform(stage, service, policy, chain_first_backend(service),
			  CHAIN_BACKENDS);
}

/* The table stays as it is: weights are looked up for each flow. */
static void set_weights(enum chain_service service, __u32 a, __u32 b, __u32 c)
{
	const __u32 all[] = { a, b, c };

	memcpy(weight, all, sizeof(weight));
	for (__u32 i = 0; i < CHAIN_BACKENDS; i++)
		world_set_backend(stage, chain_first_backend(service) + i,
				  LB_BACKEND_ACTIVE, weight[i]);
}

/* Flows in the table that are not closed, by backend of @service. */
static void count_flows(enum chain_service service, __u32 *ret)
{
	static struct flow flows[BUCKETS * LB_FLOW_WAYS];
	__u32 first = chain_first_backend(service);
	size_t n = flows_scan(stage, 4, flows, BUCKETS * LB_FLOW_WAYS);

	memset(ret, 0, CHAIN_BACKENDS * sizeof(*ret));
	for (size_t i = 0; i < n; i++)
		if (flows_service(&flows[i]) == service &&
		    LB_WAY_STATE(flows[i].way) != LB_FLOW_CLOSED)
			ret[LB_BACKEND_REF_ID(flows[i].flow.backend) - first]++;
}

static double load(const __u32 *count, __u32 i)
{
	return weight[i] ? (count[i] + 0.5) / weight[i] : 1e18;
}

/* How many backends had been better. */
static __u32 better(const __u32 *count, __u32 chosen)
{
	__u32 n = 0;

	for (__u32 i = 0; i < CHAIN_BACKENDS; i++)
		n += load(count, i) < load(count, chosen) * (1 - 1e-12);
	return n;
}

/* A packet of a random client; true if it made a flow: with backend *ret_chosen. */
static bool send_random(enum chain_service service, __u32 *ret_chosen)
{
	static const __u8 flags[] = { TH_SYN, TH_SYN, TH_ACK,
				      TH_ACK, TH_RST, TH_FIN | TH_ACK };
	__u64 before = stage_event(stage, LB_EVENT_FLOW_NEW);
	struct delivery d;

	chain_client(&chain, service, CLIENT, 1024 + rand() % CLIENTS,
		     flags[rand() % sizeof(flags)], &d);
	if (stage_event(stage, LB_EVENT_FLOW_NEW) == before)
		return false;
	assert_true(d.sent);
	*ret_chosen = chain_backend(&chain, service, &d) - chain_first_backend(service);
	return true;
}

/* Every choice had at most @most backends better than it. */
static void churn(enum chain_service service, __u32 policy, __u32 most)
{
	__u64 evicted = stage_event(stage, LB_EVENT_EVICTED_OLDEST) +
			stage_event(stage, LB_EVENT_EVICTED_HALF_OPEN);
	__u32 count[CHAIN_BACKENDS], chosen, n = 0;

	set_policy(service, policy);
	for (__u32 i = 0; i < PACKETS; i++) {
		if (i % 1000 == 0)
			set_weights(service, 1 + i / 1000, 2, i == 2000 ? 0 : 5);
		count_flows(service, count);
		if (!send_random(service, &chosen))
			continue;
		n++;
		if (better(count, chosen) > most)
			fail_msg("packet %u went to backend %u; weights %u %u %u had "
				 "%u %u %u flows",
				 i, chosen, weight[0], weight[1], weight[2], count[0],
				 count[1], count[2]);
	}
	flows_check(stage); /* lb_live is what was counted, too */
	evicted = stage_event(stage, LB_EVENT_EVICTED_OLDEST) +
		  stage_event(stage, LB_EVENT_EVICTED_HALF_OPEN) - evicted;
	print_message("# %u flows chosen for, %llu evicted\n", n, evicted);
	assert_in_range(n, PACKETS / 20, PACKETS);
	assert_in_range(evicted, PACKETS / 100, PACKETS);
}

static void least_conn_is_right_under_churn(void **state)
{
	(void)state;
	churn(WEB, LEAST_CONN, 0);
	churn(RESOLVER, LEAST_CONN, 0);
}

/* It looks at two of three: the worst is never chosen. */
static void p2c_never_takes_the_worst_under_churn(void **state)
{
	(void)state;
	churn(RESOLVER, P2C, 1);
	churn(WEB, P2C, 1);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(least_conn_is_right_under_churn),
		cmocka_unit_test(p2c_never_takes_the_worst_under_churn),
	};
	return cmocka_run_group_tests_name("laws_churn", units, open_chain, close_chain);
}
