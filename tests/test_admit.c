// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_admit.c - max-flows and slow-start: what becomes of a policy's answer.
 *
 * With real flows: test_limits.c.
 */
#include <stdio.h>

#include "admit.h"

#define FLOWS 4000

/* Four standard deviations of a share of FLOWS flows: one run in 16,000 is outside. */
static void expect_share(__u32 count, double share)
{
	double off = count - FLOWS * share;

	if (off * off > 16 * FLOWS * share * (1 - share))
		fail_msg("%u of %d, where about %.0f were expected", count, FLOWS,
			 FLOWS * share);
}

/* ---- slow-start ------------------------------------------------------------------------ */

#define SLOW_START 10000000 /* jiffies: a test takes no part of it */

/* Two old backends, and a third one whose age is @tenths of slow-start's time. */
static void begin_slow(enum admit_policy policy, int tenths)
{
	admit_begin(3);
	admit_use(policy);
	admit_set_service(SLOW_START, 0, LB_ON_EMPTY_REJECT);
	for (__u32 id = 1; id <= 2; id++)
		admit_set_age(id, SLOW_START);
	admit_set_age(3, (__u64)SLOW_START / 10 * tenths);
}

/*
 * Of a hash the new one has its age's part of a third.  Those who take turns go on with the
 * next one, so it has that part of what each of the others has.
 */
static void the_share_of_a_new_backend_grows_with_its_age(void **state)
{
	static const enum admit_policy asked[] = { BY_TURN, BY_WEIGHT, BY_FLOW };

	(void)state;
	for (int p = 0; p < 3; p++) {
		for (int tenths = 0; tenths <= 10; tenths++) {
			double age = tenths / 10.0;
			double share = asked[p] == BY_FLOW ? age / 3 : age / (2 + age);
			__u32 count[4] = {};

			begin_slow(asked[p], tenths);
			admit_count(count, FLOWS);
			expect_share(count[3], share);
			expect_share(count[1], (1 - share) / 2);
			expect_share(count[2], (1 - share) / 2);
		}
	}
}

static void each_flow_has_its_own_moment(void **state)
{
	bool was[FLOWS] = {};

	(void)state;
	for (int tenths = 0; tenths <= 10; tenths++) {
		begin_slow(BY_FLOW, tenths);
		for (__u32 i = 0; i < FLOWS / 10; i++) {
			struct asking a = admit_flow(i);
			bool is = admit_choose(&a) == 3;

			assert_true(is || !was[i]);
			assert_int_equal(admit_choose(&a) == 3, is);
			was[i] = is;
		}
	}
}

/* It is chosen nine times of ten, so the policy alone would hardly get away from it. */
static void a_new_backend_of_great_weight_starts_slowly_too(void **state)
{
	static const enum admit_policy asked[] = { BY_WEIGHT, BY_FLOW };
	static const __u32 low[] = { 0, 30, 90 }, high[] = { 0, 50, 90 }; /* per cent */

	(void)state;
	for (int p = 0; p < 2; p++) {
		for (int half = 0; half <= 2; half++) {
			__u32 count[3] = {};

			admit_begin(2);
			admit_set_weight(2, 9);
			admit_use(asked[p]);
			admit_set_service(SLOW_START, 0, LB_ON_EMPTY_REJECT);
			admit_set_age(1, SLOW_START);
			admit_set_age(2, (__u64)SLOW_START / 2 * half);
			admit_count(count, FLOWS);
			if (half == 0)
				assert_int_equal(count[2], 0);
			else
				assert_in_range(count[2] * 100 / FLOWS, low[half] - 2,
						high[half] + 2);
		}
	}
}

static void a_new_backend_has_what_nobody_else_may_have(void **state)
{
	(void)state;
	for (int p = 0; p < ADMIT_POLICIES; p++) {
		__u32 count[4] = {};

		begin_slow(p, 0);
		for (__u32 id = 1; id <= 2; id++) {
			admit_set_limit(id, 5);
			admit_set_live(id, 5);
		}
		admit_count(count, 100);
		assert_int_equal(count[3], 100);
		for (__u32 id = 1; id <= 2; id++) {
			admit_set_limit(id, 0);
			admit_set_age(id, 0);
		}
		admit_count(count, 300);
		assert_true(count[1] && count[2]);
	}
}

static void without_slow_start_age_is_nothing(void **state)
{
	__u32 count[4] = {};

	(void)state;
	begin_slow(BY_TURN, 0);
	admit_set_service(0, 0, LB_ON_EMPTY_REJECT);
	admit_count(count, 300);
	assert_int_equal(count[3], 100);
}

/* ---- max-flows --------------------------------------------------------------------------- */

/* All but @free of @n backends are full, by as much as lb_live says. */
static void begin_full(enum admit_policy policy, size_t n, __u32 free)
{
	admit_begin(n);
	admit_use(policy);
	for (__u32 id = 1; id <= n; id++) {
		admit_set_limit(id, 10);
		admit_set_live(id, id == free ? 9 : id % 2 ? 10 : 11);
	}
}

/* However few they are among many: asked nine times, then the table is gone through. */
static void the_one_that_is_not_full_is_found(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 50, 1000 };

	(void)state;
	for (int p = 0; p < ADMIT_POLICIES; p++) {
		for (int i = 0; i < 5; i++) {
			__u32 free = sizes[i] / 2 + 1;

			begin_full(p, sizes[i], free);
			for (__u32 flow = 0; flow < 40; flow++) {
				struct asking a = admit_flow(flow * 31);

				assert_int_equal(admit_choose(&a), free);
				assert_in_range(stage_scratch(&admit_stage).attempt, 0,
						8);
			}
		}
	}
}

static void without_a_limit_no_count_is_too_high(void **state)
{
	__u32 count[4] = {};

	(void)state;
	admit_begin(3);
	admit_use(BY_TURN);
	for (__u32 id = 1; id <= 3; id++)
		admit_set_live(id, 1000000000000);
	admit_count(count, 300);
	assert_int_equal(count[1], 100);
}

static void when_all_are_full_the_client_is_told(void **state)
{
	static const size_t sizes[] = { 1, 2, 200 };

	(void)state;
	for (int p = 0; p < ADMIT_POLICIES; p++) {
		for (int i = 0; i < 3; i++) {
			struct asking a = admit_flow(p + i);
			__u64 silent = stage_reason(&admit_stage, LB_REASON_FULL_DROP);

			begin_full(p, sizes[i], 0);
			assert_int_equal(admit_run(&a), REACHED_STAGE + LB_STAGE_ANSWER);
			assert_int_equal(stage_scratch(&admit_stage).reason,
					 LB_REASON_FULL);
			assert_int_equal(stage_scratch(&admit_stage).answer,
					 LB_ANSWER_REJECT);
			admit_set_service(0, 0, LB_ON_EMPTY_PASS);
			assert_int_equal(admit_run(&a), REACHED_STAGE + LB_STAGE_ANSWER);
			admit_set_service(0, 0, LB_ON_EMPTY_DROP);
			assert_int_equal(admit_run(&a), XDP_DROP);
			assert_int_equal(stage_reason(&admit_stage, LB_REASON_FULL_DROP),
					 silent + 1);
		}
	}
}

/* Nine times the policy is asked, and no more. */
static void the_policy_is_not_asked_for_ever(void **state)
{
	struct asking a = admit_flow(1);
	__u64 before = admit_decisions();

	(void)state;
	begin_full(BY_FLOW, 200, 0);
	admit_run(&a);
	assert_int_equal(admit_decisions() - before, 9);
}

/* ---- what is not admitted, but let through ----------------------------------------------- */

static void what_makes_no_flow_is_not_counted(void **state)
{
	static const __u8 flags[] = { LB_PKT_PER_PACKET, LB_PKT_NO_PORTS };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct asking a = admit_flow(1);

		a.flags = flags[i];
		begin_full(BY_ADDRESS, 3, 0);
		assert_in_range(admit_choose(&a), 1, 3);
		assert_int_equal(stage_scratch(&admit_stage).attempt, 0);
	}
}

/* Fragments of a datagram have a hash of their own: they go where the policy says. */
static void a_new_backend_has_all_fragments(void **state)
{
	__u32 plain = 0, slow = 0;

	(void)state;
	for (int pass = 0; pass < 2; pass++) {
		begin_slow(BY_ADDRESS, pass ? 0 : 10);
		for (__u32 i = 0; i < 700; i++) {
			struct asking a = admit_flow(i);

			a.flags = LB_PKT_NO_PORTS;
			*(pass ? &slow : &plain) += admit_choose(&a) == 3;
		}
	}
	assert_true(plain > 100);
	assert_int_equal(plain, slow);
}

/* Each packet of a flow has the same moment: without flows, they stay together. */
static void packets_without_a_flow_start_slowly_too(void **state)
{
	__u32 taken = 0;

	(void)state;
	begin_slow(BY_FLOW, 5);
	for (__u32 i = 0; i < FLOWS; i++) {
		struct asking a = admit_flow(i);

		a.flags = LB_PKT_PER_PACKET;
		taken += admit_choose(&a) == 3;
	}
	expect_share(taken, 1 / 6.0);
}

static void who_looks_into_packets_is_not_asked_again(void **state)
{
	__u32 count[4] = {};

	(void)state;
	begin_slow(BY_TURN, 0);
	admit_set_promises(LB_PROMISE_PACKET);
	admit_count(count, 300);
	assert_int_equal(count[3], 100);
}

/* ---- flows that timed out ------------------------------------------------------------------ */

#define TIMEOUT 1000

/* @n flows of backend 1, which then is full; they were last seen at @seen. */
static void fill(__u32 n, __u32 seen)
{
	struct lb_profile profile;
	char client[32];

	for (int i = 0; i < LB_FLOW_STATES; i++)
		profile.timeout[i] = TIMEOUT;
	world_set_profile(&admit_stage, 0, &profile);
	admit_begin(1);
	admit_use(BY_TURN);
	admit_set_limit(1, n);
	for (__u32 i = 0; i < n; i++) {
		snprintf(client, sizeof(client), i % 2 ? "10.1.0.%u" : "2001:db8::%x", i);
		flows_make(&admit_stage, ADMIT_SERVICE, client, 1000 + i, 1, 0,
			   i % 3 ? LB_FLOW_ESTABLISHED : LB_FLOW_STREAM, i % 8, seen);
	}
	assert_int_equal(world_live(&admit_stage, 1), n);
}

/* Nobody needs their places, since no flow is made: who is refused looks for them. */
static void flows_that_timed_out_make_room(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct asking a = { .client = 1, .port = 2, .family = family };
		__u32 now = stage_now(&admit_stage), tries = 0;

		flows_clear(&admit_stage);
		fill(10, now);
		for (a.now = now; a.now <= now + TIMEOUT; a.now += 10)
			assert_int_equal(admit_run(&a), REACHED_STAGE + LB_STAGE_ANSWER);
		assert_int_equal(world_live(&admit_stage, 1), 10);
		/* 2048 buckets, of which a jiffy has 64 gone through. */
		for (a.now = now + TIMEOUT + 1; admit_run(&a) != REACHED_REWRITE; a.now++)
			assert_true(tries++ < 32);
		for (tries = 0; tries < 32; tries++, a.now++)
			admit_run(&a);
	}
}

/* Only those that have, and of either family once it is asked for. */
static void flows_that_have_not_stay(void **state)
{
	struct asking a4 = { .client = 1, .port = 2, .family = 4 };
	struct asking a6 = { .client = 1, .port = 2, .family = 6 };
	__u32 now = stage_now(&admit_stage);
	struct flow young;

	(void)state;
	flows_clear(&admit_stage);
	fill(10, now);
	young = flows_make(&admit_stage, ADMIT_SERVICE, "10.2.0.1", 1, 1, 0,
			   LB_FLOW_ESTABLISHED, 3, now + TIMEOUT);
	admit_set_limit(1, 1);
	for (a4.now = now + TIMEOUT + 1; a4.now < now + TIMEOUT + 50; a4.now++)
		admit_run(&a4);
	assert_int_equal(world_live(&admit_stage, 1), 6);
	for (a6.now = now + TIMEOUT + 1; a6.now < now + TIMEOUT + 50; a6.now++)
		admit_run(&a6);
	assert_int_equal(world_live(&admit_stage, 1), 1);
	assert_true(flows_find(&admit_stage, ADMIT_SERVICE, "10.2.0.1", 1, &young));
	flows_check(&admit_stage);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(the_share_of_a_new_backend_grows_with_its_age),
		cmocka_unit_test(each_flow_has_its_own_moment),
		cmocka_unit_test(a_new_backend_of_great_weight_starts_slowly_too),
		cmocka_unit_test(a_new_backend_has_what_nobody_else_may_have),
		cmocka_unit_test(without_slow_start_age_is_nothing),
		cmocka_unit_test(the_one_that_is_not_full_is_found),
		cmocka_unit_test(without_a_limit_no_count_is_too_high),
		cmocka_unit_test(when_all_are_full_the_client_is_told),
		cmocka_unit_test(the_policy_is_not_asked_for_ever),
		cmocka_unit_test(what_makes_no_flow_is_not_counted),
		cmocka_unit_test(a_new_backend_has_all_fragments),
		cmocka_unit_test(packets_without_a_flow_start_slowly_too),
		cmocka_unit_test(who_looks_into_packets_is_not_asked_again),
		cmocka_unit_test(flows_that_timed_out_make_room),
		cmocka_unit_test(flows_that_have_not_stay),
	};
	return cmocka_run_group_tests_name("admit", units, admit_open, admit_close);
}
