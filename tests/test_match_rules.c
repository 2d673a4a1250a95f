// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_match_rules.c - the policy match: which of its rules holds, and for which backends.
 */
#include "match_ask.h"

/* Rules that look at several places and none, in the order that makes it hardest. */
static void places_are_not_mixed_up(void **state)
{
	static const struct lb_match_rules mixed = {
		.n = 5,
		.rule = { RULE(0, 50, 0, "ab", TO_5001), RULE(0, 50, 2, "ab", TO_5002),
			  RULE(0, 50, 0, "abc", TO_5003), RULE(60, 60, 0, "", TO_5003),
			  RULE(0, 59, 0, "cd", TO_5003) },
	};

	(void)state;
	match_set_rules(&mixed);
	assert_int_equal(match_ask_frame(&match_frames[1], 50, 0, "ab", 0), TO_5001);
	assert_int_equal(match_ask_frame(&match_frames[1], 50, 0, "..ab", 0), TO_5002);
	assert_int_equal(match_ask_frame(&match_frames[1], 50, 0, "cd", 0), TO_5003);
	assert_int_equal(match_ask_frame(&match_frames[1], 60, 0, "cd", 0), TO_5003);
	assert_int_equal(match_ask_frame(&match_frames[1], 60, 0, "ab", 0), TO_5003);
	assert_int_equal(match_ask_frame(&match_frames[1], 59, 0, "ab", 0), DROPPED);
	assert_int_equal(match_ask_frame(&match_frames[1], 2, 0, "ab", 0), TO_5001);
	assert_int_equal(match_ask_frame(&match_frames[1], 1, 0, "ab", 0), DROPPED);
	assert_int_equal(match_ask_frame(&match_frames[1], 3, 0, ".ab", 0), DROPPED);
	match_set_rules(&match_tags);
}

static void as_many_rules_as_there_may_be(void **state)
{
	struct lb_match_rules many = { .n = LB_MATCH_RULES };

	(void)state;
	for (__u32 i = 0; i < LB_MATCH_RULES; i++)
		many.rule[i] =
			(struct lb_match_rule){ .high = ANY,
						.offset = i % 2,
						.n_bytes = 2,
						.word = { 'A' + i / 2 + ('0' << 8) },
						.backend = 1 + i % 3 };
	match_set_rules(&many);
	for (__u32 i = 0; i < LB_MATCH_RULES; i++) {
		char text[4] = { '-', '-', '0', 0 };

		text[i % 2] = 'A' + i / 2;
		text[i % 2 + 1] = '0';
		assert_int_equal(match_ask_frame(&match_frames[i % n_match_frames], 40, 0,
						 text, 0),
				 1 + i % 3);
	}
	many.n = LB_MATCH_RULES - 1;
	match_set_rules(&many);
	assert_int_equal(match_ask_frame(&match_frames[0], 40, 0, "-`0", 0), DROPPED);
	match_set_rules(&match_tags);
}

static void without_rules_all_is_dropped(void **state)
{
	static const struct lb_match_rules none = {};

	(void)state;
	match_set_rules(&none);
	assert_int_equal(match_ask_frame(&match_frames[0], 290, 20, "600", 0), DROPPED);
	assert_int_equal(match_ask_frame(&match_frames[0], 0, 0, "", 0), DROPPED);
	match_set_rules(NULL);
	assert_int_equal(match_ask_frame(&match_frames[0], 290, 20, "600", 0), DROPPED);
	assert_int_equal(match_ask_frame(&match_frames[1], 290, 20, "600", 0), DROPPED);
	match_set_rules(&match_tags);
}

static void only_active_backends_of_the_service(void **state)
{
	static const struct lb_match_rules wrong = {
		.n = 3,
		.rule = { RULE(1, 1, 0, "", FOREIGN), RULE(2, 2, 0, "", 4000),
			  RULE(3, 3, 0, "", LB_MAX_BACKENDS) },
	};

	(void)state;
	world_set_backend(&policy_stage, TO_5002, LB_BACKEND_DRAIN, 1);
	match_expect(&match_frames[0], 290, "601", -LB_REASON_BACKEND_DOWN);
	world_set_backend(&policy_stage, TO_5002, LB_BACKEND_DOWN, 1);
	match_expect(&match_frames[0], 290, "601", -LB_REASON_BACKEND_DOWN);
	assert_int_equal(stage_backend_count(&policy_stage, TO_5002).drops, 2);
	world_set_backend(&policy_stage, TO_5002, LB_BACKEND_ACTIVE, 0);
	match_expect(&match_frames[0], 290, "601", TO_5002);
	world_set_backend(&policy_stage, TO_5002, LB_BACKEND_ACTIVE, 1);
	world_set_incarnation(&policy_stage, TO_5003, 0);
	match_expect(&match_frames[0], 290, "602", -LB_REASON_BAD_SLOT);
	world_set_incarnation(&policy_stage, TO_5003, 2);
	match_expect(&match_frames[0], 290, "602", TO_5003);

	match_set_rules(&wrong);
	for (size_t n = 1; n <= 3; n++)
		assert_int_equal(match_ask_frame(&match_frames[1], n, 0, "", 0),
				 -LB_REASON_BAD_SLOT);
	match_set_rules(&match_tags);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(places_are_not_mixed_up),
		cmocka_unit_test(as_many_rules_as_there_may_be),
		cmocka_unit_test(without_rules_all_is_dropped),
		cmocka_unit_test(only_active_backends_of_the_service),
	};
	return cmocka_run_group_tests_name("match rules", units, match_open,
					   policy_close);
}
