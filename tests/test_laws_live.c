// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_laws_live.c - the laws of the policies that look at how many flows backends have.
 *
 * Here flows only come, and the test counts them; test_laws_churn.c has the real flow table.
 */
#include <stdlib.h>
#include <string.h>

#include "weights.h"

static __u64 live[MAX_BACKENDS + 1];

static void set_live(__u32 id, __u64 n)
{
	live[id] = n;
	world_put(&policy_stage, "lb_live", id, &live[id]);
}

static void use(const char *policy, const struct policy_service *s,
		enum lb_table_kind kind)
{
	policy_use(policy);
	memset(live, 0, sizeof(live));
	policy_install(s, kind);
}

/* Choose for a flow that lives on. */
static __u32 take(__u32 flow)
{
	__u32 id = policy_choose(flow, flow % 2 ? 4 : 6);

	set_live(id, live[id] + 1);
	return id;
}

/* ---- least-conn ------------------------------------------------------------------------ */

static double load_of(const struct policy_service *s, __u32 id)
{
	return (live[id] + 0.5) / s->backend[id - 1].weight;
}

/* The best choice, by looking at all. */
static double least_load(const struct policy_service *s)
{
	double least = 1e18;

	for (__u32 id = 1; id <= s->model.n_backends; id++)
		if (s->backend[id - 1].weight && load_of(s, id) < least)
			least = load_of(s, id);
	return least;
}

/* So many flows; no other choice would have been better. */
static void expect_least(const struct policy_service *s, __u32 flows, const char *what)
{
	for (__u32 flow = 0; flow < flows; flow++) {
		double least = least_load(s), had;
		__u32 id = policy_choose(flow, flow % 2 ? 4 : 6);

		had = load_of(s, id);
		if (had > least * (1 + 1e-12))
			fail_msg("%s: backend %u has %.3f for its weight, another %.3f",
				 what, id, had, least);
		set_live(id, live[id] + 1);
	}
}

/*
 * After as many flows as there is weight, each backend has as many as its weight.  Between,
 * nobody is further from its share than the rounding of one number of flows for each weight.
 */
static void least_conn_takes_the_least(void **state)
{
	(void)state;
	for (size_t row = 0; row < n_weights; row++) {
		struct policy_service *s = weights_service(row);
		__u32 sum = weights_sum(s), most = sum < 1500 ? sum : 1500;

		use("least_conn", s, LB_TABLE_UNIFORM);
		expect_least(s, most, weights_name(row));
		for (__u32 id = 1; most == sum && id <= s->model.n_backends; id++)
			assert_int_equal(live[id], s->backend[id - 1].weight);
		free(s);
	}
}

/* Whatever there was before; equals are not always taken in the same order. */
static void least_conn_fills_what_is_behind(void **state)
{
	struct policy_service *s = policy_service_make(20);
	__u32 first[21] = {};

	(void)state;
	use("least_conn", s, LB_TABLE_UNIFORM);
	for (__u32 id = 1; id <= 20; id++)
		set_live(id, id * 1000003ULL % 40 << (id % 3 ? 0 : 20));
	expect_least(s, 600, "backends with a past");

	for (int i = 0; i < 200; i++) {
		for (__u32 id = 1; id <= 20; id++)
			set_live(id, 5);
		first[take(1)]++;
	}
	for (__u32 id = 1; id <= 20; id++)
		assert_in_range(first[id], 0, 60);
	free(s);
}

/* A backend that drains, or has gone, before the table says so. */
static void the_counting_policies_pass_over_who_takes_no_flows(void **state)
{
	static const char *const policies[] = { "least_conn", "p2c" };
	struct policy_service *s = policy_service_make(2);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct lb_backend backend;

		use(policies[i], s, LB_TABLE_UNIFORM);
		set_live(1, 1000);
		world_get(&policy_stage, "lb_backends", 2, &backend);
		backend.state = LB_BACKEND_DRAIN;
		world_put(&policy_stage, "lb_backends", 2, &backend);
		for (__u32 flow = 0; flow < 100; flow++)
			assert_int_equal(policy_choose(flow, 4), 1);
		backend.state = LB_BACKEND_ACTIVE;
		backend.weight = 0;
		world_put(&policy_stage, "lb_backends", 2, &backend);
		for (__u32 flow = 0; flow < 100; flow++)
			assert_int_equal(policy_choose(flow, 4), 1);
	}
	free(s);
}

/* The least may not have it: whoever else, but not the same one for ever. */
static void least_conn_asked_again_looks_elsewhere(void **state)
{
	struct policy_service *s = policy_service_make(10);
	__u32 same = 0;

	(void)state;
	use("least_conn", s, LB_TABLE_UNIFORM);
	for (__u32 id = 1; id <= 10; id++)
		set_live(id, id == 4 ? 0 : 100);
	assert_int_equal(policy_choose(1, 4), 4);
	for (policy_attempt = 1; policy_attempt <= 200; policy_attempt++)
		same += policy_choose(1, 4) == 4;
	policy_attempt = 0;
	assert_in_range(same, 1, 120); /* 2 of 10 are looked at */
	free(s);
}

/* ---- p2c ------------------------------------------------------------------------------- */

/* How many flows the one that is furthest from its share has too many or too few. */
static double furthest_of(const char *policy, const struct policy_service *s, __u32 flows)
{
	double most = 0;

	use(policy, s, LB_TABLE_WEIGHTED);
	for (__u32 flow = 0; flow < flows; flow++)
		take(flow);
	for (__u32 id = 1; id <= s->model.n_backends; id++) {
		double off = __builtin_fabs(live[id] - weights_share(s, id, flows));

		most = off > most ? off : most;
	}
	return most;
}

/*
 * Of n backends with m flows each the fullest is, by chance, about the root of 2 m ln n
 * above the average; with two choices about log2 ln n, whatever m is.
 */
static void p2c_is_far_more_level_than_random(void **state)
{
	static const size_t sizes[] = { 2, 10, 50, 200 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct policy_service *s = policy_service_make(sizes[i]);
		__u32 flows = 40 * sizes[i];
		double random = furthest_of("random", s, flows);
		double p2c = furthest_of("p2c", s, flows);

		print_message("# %zu backends, 40 flows each: random is off by %.0f, "
			      "p2c by %.0f\n",
			      sizes[i], random, p2c);
		assert_true(p2c <= 8);
		if (sizes[i] >= 200)
			assert_true(random > 10);
		free(s);
	}
}

/* To eight flows; to an eighth of its share where one backend has a third of all. */
static void p2c_respects_weights(void **state)
{
	(void)state;
	for (size_t row = 0; row < n_weights; row++) {
		struct policy_service *s = weights_service(row);

		use("p2c", s, LB_TABLE_WEIGHTED);
		for (__u32 flow = 0; flow < 1500; flow++)
			take(flow);
		for (__u32 id = 1; id <= s->model.n_backends; id++) {
			double share = weights_share(s, id, 1500);

			if (__builtin_fabs(live[id] - share) > 8 + share / 8)
				fail_msg("%s: backend %u has %llu flows, not %.0f",
					 weights_name(row), id, live[id], share);
			assert_int_equal(live[id] && !share, 0);
		}
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(least_conn_takes_the_least),
		cmocka_unit_test(least_conn_fills_what_is_behind),
		cmocka_unit_test(the_counting_policies_pass_over_who_takes_no_flows),
		cmocka_unit_test(least_conn_asked_again_looks_elsewhere),
		cmocka_unit_test(p2c_is_far_more_level_than_random),
		cmocka_unit_test(p2c_respects_weights),
	};
	return cmocka_run_group_tests_name("laws_live", units, NULL, policy_close);
}
