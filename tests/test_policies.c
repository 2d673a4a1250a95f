// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_policies.c - the laws of the selection policies, on the tables that lbctl builds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

/* The policies, and the kind of table each asks for. */
static const struct policy {
	const char *program;
	enum lb_table_kind kind;
} policies[] = {
	{ "round_robin", LB_TABLE_UNIFORM },
	{ "hash", LB_TABLE_MAGLEV },
	{ "source_hash", LB_TABLE_MAGLEV },
	{ "weighted", LB_TABLE_WEIGHTED },
	{ "primary_standby", LB_TABLE_PRIMARY },
	{ "random", LB_TABLE_WEIGHTED },
	{ "p2c", LB_TABLE_WEIGHTED },
	{ "least_conn", LB_TABLE_UNIFORM },
};

#define N_POLICIES (sizeof(policies) / sizeof(policies[0]))

/* ---- all policies -------------------------------------------------------------------- */

static void in_range_on_every_kind_of_table(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 31, 32, 33, 100 };

	(void)state;
	for (size_t p = 0; p < N_POLICIES; p++) {
		policy_use(policies[p].program);
		for (int kind = 0; kind < LB_TABLE_KIND_MAX; kind++) {
			for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
				struct policy_service *s = policy_service_make(sizes[i]);

				policy_install(s, kind);
				for (int flow = 0; flow < 50; flow++)
					assert_in_range(policy_choose(flow * 31,
								      flow % 2 ? 4 : 6),
							1, sizes[i]);
				free(s);
			}
		}
	}
}

static void nothing_to_choose_from(void **state)
{
	struct lb_table head = { .policy = SELF };
	__u16 hole = LB_NO_BACKEND;

	(void)state;
	for (size_t p = 0; p < N_POLICIES; p++) {
		policy_use(policies[p].program);
		assert_int_equal(policy_run(1, 4), XDP_DROP); /* no table at all */
		assert_int_equal(stage_reason(&policy_stage, LB_REASON_EMPTY_DROP), 1);
		world_set_table(&policy_stage, SERVICE_ID, &head, NULL, 0);
		assert_int_equal(policy_run(1, 4), XDP_DROP);
		assert_int_equal(stage_reason(&policy_stage, LB_REASON_EMPTY_DROP), 2);
		world_set_table(&policy_stage, SERVICE_ID, &head, &hole, 1);
		assert_int_equal(policy_run(1, 4), XDP_ABORTED);
		assert_int_equal(stage_reason(&policy_stage, LB_REASON_BAD_SLOT), 1);
	}
}

static void another_policys_table_is_left_to_it(void **state)
{
	struct lb_table head = { .policy = OTHER };
	__u16 slot = 1;

	(void)state;
	for (size_t p = 0; p < N_POLICIES; p++) {
		policy_use(policies[p].program);
		world_set_table(&policy_stage, SERVICE_ID, &head, &slot, 1);
		assert_int_equal(policy_run(1, 4), REACHED_POLICY + OTHER);
		head.policy = OTHER + 1; /* which is not loaded */
		world_set_table(&policy_stage, SERVICE_ID, &head, &slot, 1);
		assert_int_equal(policy_run(1, 4), XDP_ABORTED);
		assert_int_equal(stage_reason(&policy_stage, LB_REASON_NO_STAGE), 1);
		head.policy = OTHER;
	}
}

/* ---- round_robin ----------------------------------------------------------------------- */

static void expect_even(const __u32 *count, size_t n, __u32 bound)
{
	__u32 least = ~0U, most = 0;

	for (size_t id = 1; id <= n; id++) {
		least = count[id] < least ? count[id] : least;
		most = count[id] > most ? count[id] : most;
	}
	assert_in_range(most - least, 0, bound);
}

static void round_robin_is_even_at_any_moment(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 40 };

	(void)state;
	policy_use("round_robin");
	for (size_t i = 0; i < 5; i++) {
		struct policy_service *s = policy_service_make(sizes[i]);
		__u32 count[MAX_BACKENDS + 1] = {};

		policy_install(s, LB_TABLE_UNIFORM);
		for (__u32 flow = 0; flow < 200; flow++) {
			policy_count(count, 1, 1, 4); /* the same client, too */
			expect_even(count, sizes[i], 1);
		}
		free(s);
	}
}

static void round_robin_is_even_over_two_cpus(void **state)
{
	struct policy_service *s = policy_service_make(5);
	__u32 count[6] = {};

	(void)state;
	policy_use("round_robin");
	policy_install(s, LB_TABLE_UNIFORM);
	for (__u32 flow = 0; flow < 1000; flow++) {
		stage_pin(flow % 3 == 0);
		policy_count(count, flow, 1, 4);
		expect_even(count, 5, 2);
	}
	stage_pin(0);
	free(s);
}

/* With persistence none it is one turn for all CPUs, whichever asks. */
static void each_packet_has_its_turn(void **state)
{
	static const char *const programs[] = { "round_robin", "weighted" };
	struct policy_service *s = policy_service_make(3);

	(void)state;
	policy_flags = LB_PKT_PER_PACKET;
	for (size_t p = 0; p < 2; p++) {
		policy_use(programs[p]);
		policy_install(s, LB_TABLE_UNIFORM);
		for (__u32 packet = 0; packet < 300; packet++) {
			stage_pin(packet % 7 < 3);
			assert_int_equal(policy_choose(packet / 50, packet % 2 ? 4 : 6),
					 packet % 3 + 1);
		}
	}
	stage_pin(0);
	policy_flags = 0;
	free(s);
}

/* ---- weighted -------------------------------------------------------------------------- */

/* After k turns each has had its share of k, to within one turn. */
static void weighted_is_exact_and_smooth(void **state)
{
	static const __u32 weights[][4] = {
		{ 1, 1, 1, 1 },	  { 3, 1, 0, 0 }, { 5, 3, 1, 0 },
		{ 7, 7, 7, 100 }, { 1, 0, 0, 0 },
	};

	(void)state;
	policy_use("weighted");
	for (size_t i = 0; i < 5; i++) {
		struct policy_service *s = policy_service_make(4);
		__u32 count[5] = {}, sum = 0;

		for (int j = 0; j < 4; j++)
			sum += s->backend[j].weight = weights[i][j];
		policy_install(s, LB_TABLE_WEIGHTED);
		for (__u32 k = 1; k <= 3 * sum; k++) {
			policy_count(count, k, 1, 6);
			for (int j = 0; j < 4; j++)
				if (__builtin_fabs(count[j + 1] -
						   (double)k * weights[i][j] / sum) > 1.5)
					fail_msg(
						"row %zu, after %u turns: backend %d had %u",
						i, k, j + 1, count[j + 1]);
		}
		for (int j = 0; j < 4; j++)
			assert_int_equal(count[j + 1], 3 * weights[i][j]);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(in_range_on_every_kind_of_table),
		cmocka_unit_test(nothing_to_choose_from),
		cmocka_unit_test(another_policys_table_is_left_to_it),
		cmocka_unit_test(round_robin_is_even_at_any_moment),
		cmocka_unit_test(round_robin_is_even_over_two_cpus),
		cmocka_unit_test(each_packet_has_its_turn),
		cmocka_unit_test(weighted_is_exact_and_smooth),
	};
	return cmocka_run_group_tests_name("policies", units, NULL, policy_close);
}
