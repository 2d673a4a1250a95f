// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_attempts.c - policies that are asked once more, because the backend that they chose
 * may not have the flow; and who is asked whether it may.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "policy.h"

#define FLOWS 4000

static __u32 choose(__u8 attempt, __u32 flow)
{
	__u32 backend;

	policy_attempt = attempt;
	backend = policy_choose(flow, flow % 2 ? 4 : 6);
	policy_attempt = 0;
	return backend;
}

/* Four backends: three attempts in four go elsewhere, each time independently. */
static void a_hash_chooses_anew(void **state)
{
	static const char *const programs[] = { "hash", "source_hash" };
	struct policy_service *s = policy_service_make(4);

	(void)state;
	for (int p = 0; p < 2; p++) {
		policy_use(programs[p]);
		policy_install(s, LB_TABLE_MAGLEV);
		for (__u8 attempt = 1; attempt <= 8; attempt++) {
			__u32 moved = 0;

			for (__u32 flow = 0; flow < FLOWS; flow++)
				moved += choose(attempt, flow) != choose(0, flow);
			assert_in_range(moved, FLOWS * 70 / 100, FLOWS * 80 / 100);
			assert_int_equal(choose(attempt, 1), choose(attempt, 1));
		}
	}
	free(s);
}

static __u64 decisions(void)
{
	struct lb_policy_count all[libbpf_num_possible_cpus()];
	__u32 slot = SELF;
	__u64 sum = 0;

	assert_return_code(
		bpf_map_lookup_elem(stage_map(&policy_stage, "lb_policy_counts"), &slot,
				    all),
		errno);
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		sum += all[cpu].decisions;
	return sum;
}

static void each_answer_is_counted(void **state)
{
	struct policy_service *s = policy_service_make(4);

	(void)state;
	policy_use("round_robin");
	policy_install(s, LB_TABLE_UNIFORM);
	for (__u32 flow = 0; flow < 10; flow++)
		choose(flow % 3, flow);
	assert_int_equal(decisions(), 10);
	free(s);
}

static void only_a_table_that_says_so_is_admitted_to(void **state)
{
	const struct lb_table plain = { .policy = SELF };
	const struct lb_table asks = { .policy = SELF, .flags = LB_TABLE_F_ADMIT };
	__u16 slot = 1;

	(void)state;
	policy_use("hash");
	world_set_table(&policy_stage, SERVICE_ID, &asks, &slot, 1);
	assert_int_equal(policy_run(1, 4), XDP_ABORTED);
	assert_int_equal(stage_reason(&policy_stage, LB_REASON_NO_STAGE), 1);
	stage_stop(&policy_stage, LB_STAGE_ADMIT);
	assert_int_equal(policy_run(1, 4), REACHED_STAGE + LB_STAGE_ADMIT);
	assert_int_equal(stage_scratch(&policy_stage).backend, 1);
	world_set_table(&policy_stage, SERVICE_ID, &plain, &slot, 1);
	assert_int_equal(policy_run(1, 4), REACHED_REWRITE);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(a_hash_chooses_anew),
		cmocka_unit_test(each_answer_is_counted),
		cmocka_unit_test(only_a_table_that_says_so_is_admitted_to),
	};
	return cmocka_run_group_tests_name("attempts", units, NULL, policy_close);
}
