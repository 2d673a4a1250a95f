// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_table.c - the laws of the slot tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A service with @n backends 10.0.x.x, ids from 1 on, of these weights (NULL: all 1). */
static struct model_service make_service(size_t n, const __u32 *weight)
{
	struct model_service s;

	model_init_service(&s);
	s.address = (struct address){ .family = 4, .word = { htonl(0x0a000001) } };
	s.prefix = 32;
	s.port = s.port_last = 80;
	s.protocol = IPPROTO_TCP;
	s.n_backends = n;
	s.backends = calloc(n ? n : 1, sizeof(*s.backends));
	assert_non_null(s.backends);

	for (size_t i = 0; i < n; i++) {
		struct model_backend *b = &s.backends[i];

		model_init_backend(b);
		b->id = i + 1;
		b->address = (struct address){ .family = 4,
					       .word = { htonl(0x0a000100 + i) } };
		b->port = 8080;
		b->weight = weight ? weight[i] : 1;
	}
	return s;
}

static void count_slots(const struct table *t, __u32 *ret, size_t n)
{
	memset(ret, 0, (n + 1) * sizeof(*ret));
	for (__u32 i = 0; i < t->n_slots; i++) {
		assert_in_range(t->slot[i], 1, n);
		ret[t->slot[i]]++;
	}
}

static void uniform_has_one_slot_per_usable_backend(void **arg)
{
	static const __u32 weight[] = { 5, 0, 1, 7, 1 };
	struct model_service s = make_service(5, weight);
	struct table t;

	(void)arg;
	s.backends[2].state = LB_BACKEND_DRAIN;
	s.backends[4].state = LB_BACKEND_DOWN;
	assert_int_equal(table_build(&s, LB_TABLE_UNIFORM, &t), 0);
	assert_int_equal(t.n_slots, 2);
	assert_int_equal(t.n_backends, 2);
	assert_int_equal(t.slot[0], 1);
	assert_int_equal(t.slot[1], 4);
	table_free(&t);
	free(s.backends);
}

static void without_a_usable_backend_there_are_no_slots(void **arg)
{
	static const __u32 weight[] = { 0, 0 };
	struct model_service none = make_service(0, NULL), zero = make_service(2, weight);
	struct table t;

	(void)arg;
	for (int kind = 0; kind < LB_TABLE_KIND_MAX; kind++) {
		assert_int_equal(table_build(&none, kind, &t), 0);
		assert_int_equal(t.n_slots, 0);
		assert_int_equal(table_build(&zero, kind, &t), 0);
		assert_int_equal(t.n_slots, 0);
		assert_int_equal(t.n_backends, 0);
	}
	free(none.backends);
	free(zero.backends);
}

static void one_backend_has_every_slot(void **arg)
{
	struct model_service s = make_service(1, NULL);
	struct table t;
	__u32 count[2];

	(void)arg;
	for (int kind = 0; kind < LB_TABLE_KIND_MAX; kind++) {
		assert_int_equal(table_build(&s, kind, &t), 0);
		assert_true(t.n_slots >= 1);
		count_slots(&t, count, 1);
		table_free(&t);
	}
	free(s.backends);
}

/* The lowest number that a usable backend has, by weight; the same with ids gone. */
static void primary_has_the_usable_ones_of_best_priority(void **arg)
{
	static const struct {
		__u32 priority[4], weight[4];
		enum lb_backend_state state[4]; /* 0: active */
		__u32 slots[4];
	} rows[] = {
		{ { 0, 0, 0, 0 }, { 1, 1, 2, 1 }, {}, { 1, 1, 2, 1 } },
		{ { 0, 1, 0, 1 }, { 3, 1, 1, 9 }, {}, { 3, 0, 1, 0 } },
		{ { 1, 7, 7, 9 }, { 0, 1, 2, 1 }, {}, { 0, 1, 2, 0 } },
		{ { 1, 7, 7, 9 }, { 5, 1, 0, 1 }, { LB_BACKEND_DRAIN }, { 0, 1, 0, 0 } },
		{ { 1, 2, 3, 65535 }, { 0, 0, 0, 4 }, {}, { 0, 0, 0, 1 } },
	};

	(void)arg;
	for (size_t r = 0; r < LENGTH(rows); r++) {
		struct model_service s = make_service(4, rows[r].weight);
		__u32 count[5], n = 0;
		struct table t;

		for (size_t i = 0; i < 4; i++) {
			s.backends[i].priority = rows[r].priority[i];
			if (rows[r].state[i])
				s.backends[i].state = rows[r].state[i];
			n += !!rows[r].slots[i];
		}
		assert_int_equal(table_build(&s, LB_TABLE_PRIMARY, &t), 0);
		count_slots(&t, count, 4);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(count[i + 1], rows[r].slots[i]);
		assert_int_equal(t.n_backends, n);
		table_free(&t);
		free(s.backends);
	}
}

static void weighted_shares_are_exact_and_reduced(void **arg)
{
	static const struct {
		__u32 weight[4];
		size_t n;
		__u32 slots[4];
	} rows[] = {
		{ { 1, 1, 1 }, 3, { 1, 1, 1 } },       { { 5, 1, 1 }, 3, { 5, 1, 1 } },
		{ { 100, 200, 300 }, 3, { 1, 2, 3 } }, { { 65535, 65535 }, 2, { 1, 1 } },
		{ { 3, 0, 6, 9 }, 4, { 1, 0, 2, 3 } },
	};

	(void)arg;
	for (size_t r = 0; r < LENGTH(rows); r++) {
		struct model_service s = make_service(rows[r].n, rows[r].weight);
		__u32 count[5];
		struct table t;

		assert_int_equal(table_build(&s, LB_TABLE_WEIGHTED, &t), 0);
		count_slots(&t, count, rows[r].n);
		for (size_t i = 0; i < rows[r].n; i++)
			assert_int_equal(count[i + 1], rows[r].slots[i]);
		assert_true(t.error < 1e-9);
		table_free(&t);
		free(s.backends);
	}
}

/* No backend's turns are further apart than twice its fair distance, around the end. */
static void weighted_order_is_smooth(void **arg)
{
	static const __u32 weight[] = { 50, 20, 10, 10, 5, 3, 1, 1 };
	struct model_service s = make_service(LENGTH(weight), weight);
	struct table t;

	(void)arg;
	assert_int_equal(table_build(&s, LB_TABLE_WEIGHTED, &t), 0);
	assert_int_equal(t.n_slots, 100);
	for (__u32 id = 1; id <= LENGTH(weight); id++) {
		__u32 since = 0, seen = 0;

		for (__u32 i = 0; i < 2 * t.n_slots; i++) {
			since++;
			if (t.slot[i % t.n_slots] != id)
				continue;
			if (seen++)
				assert_in_range(since, 1, 2 * 100 / weight[id - 1]);
			since = 0;
		}
		assert_int_equal(seen, 2 * weight[id - 1]);
	}
	table_free(&t);
	free(s.backends);
}

static void large_weights_are_scaled_and_the_error_is_stated(void **arg)
{
	static const __u32 weight[] = { 65535, 65534, 1, 40000 };
	struct model_service s = make_service(LENGTH(weight), weight);
	double sum = 65535 + 65534 + 1 + 40000, worst = 0;
	struct table t;
	__u32 count[5];

	(void)arg;
	assert_int_equal(table_build(&s, LB_TABLE_WEIGHTED, &t), 0);
	assert_int_equal(t.n_slots, TABLE_WEIGHTED_MAX);
	count_slots(&t, count, LENGTH(weight));
	for (size_t i = 0; i < LENGTH(weight); i++) {
		double error = count[i + 1] * sum / t.n_slots / weight[i] - 1;

		assert_true(count[i + 1] >= 1);
		if (error < 0)
			error = -error;
		if (error > worst)
			worst = error;
	}
	assert_true(worst > 1); /* weight 1 has a slot all the same */
	assert_true(t.error > worst - 1e-9 && t.error < worst + 1e-9);
	assert_int_equal(t.worst, 2);
	table_free(&t);
	free(s.backends);
}

static int is_prime(__u32 n)
{
	for (__u32 i = 2; i * i <= n; i++)
		if (n % i == 0)
			return 0;
	return 1;
}

static void maglev_sizes_are_primes_of_100_slots_a_backend(void **arg)
{
	static const size_t numbers[] = { 1, 3, 163, 164, 500, 655, 656, 2000 };

	(void)arg;
	for (size_t i = 0; i < LENGTH(numbers); i++) {
		struct model_service s = make_service(numbers[i], NULL);
		struct table t;

		assert_int_equal(table_build(&s, LB_TABLE_MAGLEV, &t), 0);
		assert_true(is_prime(t.n_slots));
		assert_in_range(t.n_slots, TABLE_MAGLEV_MIN, LB_TABLE_MAX_SLOTS);
		assert_true(t.n_slots >= 100 * numbers[i] ||
			    t.n_slots == LB_TABLE_MAX_SLOTS);
		table_free(&t);
		free(s.backends);
	}
}

static void maglev_shares_are_exact_to_a_slot(void **arg)
{
	static const __u32 weight[] = { 1, 2, 3, 4, 100, 65535, 7, 1000 };
	struct model_service even = make_service(200, NULL);
	struct model_service s = make_service(LENGTH(weight), weight);
	double sum = 0;
	__u32 count[201];
	struct table t;

	(void)arg;
	assert_int_equal(table_build(&even, LB_TABLE_MAGLEV, &t), 0);
	count_slots(&t, count, 200);
	for (int i = 1; i <= 200; i++)
		assert_in_range(count[i], t.n_slots / 200, t.n_slots / 200 + 1);
	table_free(&t);

	for (size_t i = 0; i < LENGTH(weight); i++)
		sum += weight[i];
	assert_int_equal(table_build(&s, LB_TABLE_MAGLEV, &t), 0);
	count_slots(&t, count, LENGTH(weight));
	for (size_t i = 0; i < LENGTH(weight); i++) {
		double share = weight[i] / sum * t.n_slots;

		assert_true(count[i + 1] >= 1);
		assert_true(count[i + 1] > share - 2 && count[i + 1] < share + 2);
	}
	table_free(&t);
	free(even.backends);
	free(s.backends);
}

/* Of the slots that @gone did not have: how many are another backend's now? */
static __u32 count_moved(const struct table *before, const struct table *after,
			 __u32 gone)
{
	__u32 moved = 0;

	assert_int_equal(before->n_slots, after->n_slots);
	for (__u32 i = 0; i < before->n_slots; i++) {
		assert_int_not_equal(after->slot[i], gone);
		if (before->slot[i] != after->slot[i])
			moved++;
	}
	return moved;
}

/*
 * 1 of n has to move.  Because shares are exact, about 2 * sqrt(slots) slots more change
 * hands, whatever n is (measured; the algorithm of the paper does the same).
 */
static void maglev_moves_few_when_one_of_n_goes(void **arg)
{
	static const size_t numbers[] = { 2, 3, 5, 10, 50, 160, 600 };

	(void)arg;
	for (size_t i = 0; i < LENGTH(numbers); i++) {
		size_t n = numbers[i], step = n > 10 ? n / 4 : 1;
		struct model_service s = make_service(n, NULL);
		struct table before, after;

		assert_int_equal(table_build(&s, LB_TABLE_MAGLEV, &before), 0);
		for (size_t gone = 0; gone < n; gone += step) {
			__u32 moved, more, slots = before.n_slots;

			s.backends[gone].state = LB_BACKEND_DRAIN;
			assert_int_equal(table_build(&s, LB_TABLE_MAGLEV, &after), 0);
			moved = count_moved(&before, &after, gone + 1);
			assert_true(moved >= slots / n);
			more = moved - slots / n;
			assert_true(more * more <= 9 * slots);
			if (n <= 50)
				assert_true(moved <= 2 * slots / n);
			s.backends[gone].state = LB_BACKEND_ACTIVE;
			table_free(&after);
		}
		table_free(&before);
		free(s.backends);
	}
}

/* Ids differ from balancer to balancer; what they stand for does not. */
static void maglev_depends_on_addresses_alone(void **arg)
{
	struct model_service s = make_service(20, NULL), other = make_service(20, NULL);
	struct table a, b;

	(void)arg;
	for (int i = 0; i < 20; i++)
		other.backends[i].id = 1000 - i;
	assert_int_equal(table_build(&s, LB_TABLE_MAGLEV, &a), 0);
	assert_int_equal(table_build(&other, LB_TABLE_MAGLEV, &b), 0);
	for (__u32 i = 0; i < a.n_slots; i++)
		assert_int_equal(a.slot[i] - 1, 1000 - b.slot[i]);
	assert_int_equal(table_seed(&s), table_seed(&other));
	other.port++;
	assert_int_not_equal(table_seed(&s), table_seed(&other));
	table_free(&a);
	table_free(&b);
	free(s.backends);
	free(other.backends);
}

/* As many backends as there can be: everybody has a slot of each kind. */
static void the_largest_service_has_a_slot_for_everybody(void **arg)
{
	const size_t n = LB_MAX_BACKENDS - 1;
	struct model_service s = make_service(n, NULL);
	__u32 *count = calloc(n + 1, sizeof(*count));

	(void)arg;
	assert_non_null(count);
	s.backends[0].weight = 65535;
	for (int kind = 0; kind < LB_TABLE_KIND_MAX; kind++) {
		struct table t;

		assert_int_equal(table_build(&s, kind, &t), 0);
		assert_in_range(t.n_slots, n, LB_TABLE_MAX_SLOTS);
		count_slots(&t, count, n);
		for (size_t i = 1; i <= n; i++)
			assert_true(count[i] >= 1);
		table_free(&t);
	}
	free(count);
	free(s.backends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uniform_has_one_slot_per_usable_backend),
		cmocka_unit_test(without_a_usable_backend_there_are_no_slots),
		cmocka_unit_test(one_backend_has_every_slot),
		cmocka_unit_test(primary_has_the_usable_ones_of_best_priority),
		cmocka_unit_test(weighted_shares_are_exact_and_reduced),
		cmocka_unit_test(weighted_order_is_smooth),
		cmocka_unit_test(large_weights_are_scaled_and_the_error_is_stated),
		cmocka_unit_test(maglev_sizes_are_primes_of_100_slots_a_backend),
		cmocka_unit_test(maglev_shares_are_exact_to_a_slot),
		cmocka_unit_test(maglev_moves_few_when_one_of_n_goes),
		cmocka_unit_test(maglev_depends_on_addresses_alone),
		cmocka_unit_test(the_largest_service_has_a_slot_for_everybody),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
