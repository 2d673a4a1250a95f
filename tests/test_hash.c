// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_hash.c - the laws of policy hash and of the Maglev tables behind it.
 */
#include <stdlib.h>

#include "policy.h"

#define HASHED 20000

static void hash_is_sticky(void **state)
{
	struct policy_service *s = policy_service_make(10);

	(void)state;
	policy_use("hash");
	policy_install(s, LB_TABLE_MAGLEV);
	for (__u32 flow = 0; flow < 300; flow++) {
		__u32 first = policy_choose(flow, 4);

		for (int i = 0; i < 5; i++) {
			stage_pin(i % 2);
			assert_int_equal(policy_choose(flow, 4), first);
		}
	}
	stage_pin(0);
	free(s);
}

/* Within five standard deviations of what independent choices by weight would give. */
static void expect_shares(const struct policy_service *s, const __u32 *count, __u32 n)
{
	double sum = 0;

	for (size_t i = 0; i < s->model.n_backends; i++)
		sum += s->backend[i].weight;
	for (size_t i = 0; i < s->model.n_backends; i++) {
		double share = s->backend[i].weight / sum;
		double off = __builtin_fabs(count[i + 1] - n * share) - 0.01 * n * share;

		if (off > 0 && off * off > 25 * n * share * (1 - share))
			fail_msg("backend %zu has %u of %u flows, its share is %.0f",
				 i + 1, count[i + 1], n, n * share);
	}
}

static void hash_respects_weights(void **state)
{
	static const __u32 weights[][3] = {
		{ 1, 1, 1 }, { 3, 2, 1 }, { 100, 1, 0 }, { 65535, 65535, 1 }
	};

	(void)state;
	policy_use("hash");
	for (size_t i = 0; i < 4; i++) {
		for (int family = 4; family <= 6; family += 2) {
			struct policy_service *s = policy_service_make(3);
			__u32 count[4] = {};

			for (int j = 0; j < 3; j++)
				s->backend[j].weight = weights[i][j];
			policy_install(s, LB_TABLE_MAGLEV);
			policy_count(count, 0, HASHED / 2, family);
			expect_shares(s, count, HASHED / 2);
			free(s);
		}
	}
}

/* One address with many ports, or many with one port, are as even as any others. */
static void hash_spreads_what_differs_little(void **state)
{
	struct policy_service *s = policy_service_make(8);
	__u32 ports[9] = {}, addresses[9] = {};

	(void)state;
	policy_use("hash");
	policy_install(s, LB_TABLE_MAGLEV);
	for (__u32 i = 0; i < 5000; i++) {
		ports[policy_choose_for(0xc0000207, 1024 + i, 4)]++;
		addresses[policy_choose_for(0x0a000000 + i, 40000, 4)]++;
	}
	expect_shares(s, ports, 5000);
	expect_shares(s, addresses, 5000);
	free(s);
}

/* All ports of an address go one way, and addresses are spread. */
static void source_hash_looks_at_the_address_alone(void **state)
{
	struct policy_service *s = policy_service_make(8);
	__u32 addresses[9] = {};

	(void)state;
	policy_use("source_hash");
	policy_install(s, LB_TABLE_MAGLEV);
	for (__u32 i = 0; i < 5000; i++) {
		__u32 client = 0x0a000000 + i, first = policy_choose_for(client, 0, 4);

		addresses[first]++;
		assert_int_equal(policy_choose_for(client, 1024 + i, 4), first);
	}
	expect_shares(s, addresses, 5000);
	free(s);
}

/*
 * Of the addresses 10.0.0.0 to 10.0.255.255, or 2001:db8::a00:0 and so on: which of two
 * neighbours share a backend for certain, because the bits in which they differ do not count?
 */
static void source_hash_looks_at_the_prefix_alone(void **state)
{
	static const struct {
		int family;
		__u32 bits;	/* that count */
		__u32 together; /* neighbours: 2^n */
	} rows[] = {
		{ 4, 32, 1 },	  { 4, 31, 2 },	    { 4, 24, 256 },   { 4, 17, 32768 },
		{ 4, 0, 65536 },  { 6, 128, 1 },    { 6, 127, 2 },    { 6, 120, 256 },
		{ 6, 97, 65536 }, { 6, 96, 65536 }, { 6, 64, 65536 }, { 6, 0, 65536 },
	};
	struct policy_service *s = policy_service_make(8);

	(void)state;
	policy_use("source_hash");
	policy_install(s, LB_TABLE_MAGLEV);
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct lb_tunables set = { .set = 3 };
		__u32 n_groups = 0, changes = 0, before = 0, step = rows[r].together;

		set.value[rows[r].family == 6] = rows[r].bits;
		set.value[rows[r].family == 4] =
			5; /* the other family's does not matter */
		world_put(&policy_stage, "tunables", SERVICE_ID, &set);
		for (__u32 i = 0; i < 65536 && n_groups < 200; i += step, n_groups++) {
			__u32 first = 0x0a000000 + i, now;

			now = policy_choose_for(first, 1024, rows[r].family);
			assert_int_equal(policy_choose_for(first + step - 1, 40000,
							   rows[r].family),
					 now);
			changes += n_groups && now != before;
			before = now;
		}
		/* Groups that differ are spread: 1 of 8 neighbours agree by chance. */
		if (n_groups > 100)
			assert_in_range(changes, n_groups * 3 / 4, n_groups);
	}
	free(s);
}

static void hash_moves_few_flows(void **state)
{
	static const size_t sizes[] = { 2, 3, 10, 40 };
	static __u16 before[HASHED];

	(void)state;
	policy_use("hash");
	for (size_t i = 0; i < 4; i++) {
		struct policy_service *s = policy_service_make(sizes[i]);
		size_t gone = sizes[i] / 2, moved = 0;

		policy_install(s, LB_TABLE_MAGLEV);
		for (__u32 flow = 0; flow < HASHED / 2; flow++)
			before[flow] = policy_choose(flow, 4);
		s->backend[gone].state = LB_BACKEND_DOWN;
		policy_install(s, LB_TABLE_MAGLEV);
		for (__u32 flow = 0; flow < HASHED / 2; flow++) {
			__u32 now = policy_choose(flow, 4);

			assert_int_not_equal(now, gone + 1);
			moved += now != before[flow];
		}
		print_message("# one of %zu gone: %.1f %% moved\n", sizes[i],
			      200.0 * moved / HASHED);
		assert_in_range(moved, 1, 2 * HASHED / 2 / sizes[i]);

		s->backend[gone].state = LB_BACKEND_ACTIVE;
		policy_install(s, LB_TABLE_MAGLEV);
		for (__u32 flow = 0; flow < HASHED / 2; flow += 7)
			assert_int_equal(policy_choose(flow, 4), before[flow]);
		free(s);
	}
}

/* ---- the tables alone ------------------------------------------------------------- */

static bool is_prime(__u32 n)
{
	for (__u32 i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return n > 1;
}

/*
 * For every backend that may go.  Of more than a hundred backends, those that stay displace
 * one another as well: there the bound is 2/n and one in a hundred.
 */
static void maglev_tables_move_few_slots(void **state)
{
	static const size_t sizes[] = { 2, 20, 54, 100, 200, 400 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct policy_service *s = policy_service_make(sizes[i]);
		struct table all, less;
		size_t bound, most = 0;

		assert_int_equal(table_build(&s->model, LB_TABLE_MAGLEV, &all), 0);
		assert_true(is_prime(all.n_slots));
		assert_true(all.n_slots >= 100 * sizes[i]);
		bound = 2 * all.n_slots / sizes[i] +
			(sizes[i] > 109 ? all.n_slots / 100 : 0);
		for (size_t gone = 0; gone < sizes[i]; gone += 1 + sizes[i] / 10) {
			size_t moved = 0;

			s->backend[gone].weight = 0;
			assert_int_equal(table_build(&s->model, LB_TABLE_MAGLEV, &less),
					 0);
			assert_int_equal(less.n_backends, sizes[i] - 1);
			assert_int_equal(less.n_slots, all.n_slots);
			for (__u32 j = 0; j < all.n_slots; j++)
				moved += all.slot[j] != less.slot[j];
			most = moved > most ? moved : most;
			assert_in_range(moved, all.n_slots / sizes[i] / 2, bound);
			table_free(&less);
			s->backend[gone].weight = 1;
		}
		print_message("# one of %zu gone: at most %.2f/n of the slots changed\n",
			      sizes[i], (double)most * sizes[i] / all.n_slots);
		table_free(&all);
		free(s);
	}
}

static void every_usable_backend_has_its_slots(void **state)
{
	(void)state;
	for (int kind = 0; kind < LB_TABLE_KIND_MAX; kind++) {
		struct policy_service *s = policy_service_make(MAX_BACKENDS);
		__u32 count[MAX_BACKENDS + 1] = {};
		struct table t;

		for (size_t i = 0; i < MAX_BACKENDS; i++) {
			s->backend[i].weight = i % 10 ? 1 + i * 65534 / MAX_BACKENDS : 0;
			if (i % 7 == 3)
				s->backend[i].state = i % 2 ? LB_BACKEND_DRAIN
							    : LB_BACKEND_DOWN;
		}
		assert_int_equal(table_build(&s->model, kind, &t), 0);
		assert_in_range(t.n_slots, 1, LB_TABLE_MAX_SLOTS);
		for (__u32 i = 0; i < t.n_slots; i++) {
			assert_in_range(t.slot[i], 1, MAX_BACKENDS);
			count[t.slot[i]]++;
		}
		for (size_t i = 0; i < MAX_BACKENDS; i++)
			assert_int_equal(count[i + 1] > 0,
					 backend_is_usable(&s->backend[i]));
		table_free(&t);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(hash_is_sticky),
		cmocka_unit_test(hash_respects_weights),
		cmocka_unit_test(hash_spreads_what_differs_little),
		cmocka_unit_test(source_hash_looks_at_the_address_alone),
		cmocka_unit_test(source_hash_looks_at_the_prefix_alone),
		cmocka_unit_test(hash_moves_few_flows),
		cmocka_unit_test(maglev_tables_move_few_slots),
		cmocka_unit_test(every_usable_backend_has_its_slots),
	};
	return cmocka_run_group_tests_name("hash", units, NULL, policy_close);
}
