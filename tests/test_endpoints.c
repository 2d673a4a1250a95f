// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_endpoints.c - the two-choice endpoint tables against a plain model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <lb/hash.h>
#include "endpoints.h"

static const __u64 seed[3] = { 0x5eed5eed5eed5eed, 0x9e3779b97f4a7c15,
			       0xc2b2ae3d27d4eb4f };

static struct endpoint_table table;
static unsigned int waits;

/* What a reader may look for at any moment, checked while the writer waits. */
static const struct endpoint *settled;
static size_t n_settled;

/* As the data path does it: the first key that is its own in a bucket decides, and the second
 * bucket counts only if the first one has spilt. */
static __u32 reader_find(const struct endpoint *e)
{
	__u64 h = e->family == 4 ? lb_hash(e->word, 1, seed) : lb_hash(e->word, 3, seed);
	__u32 bucket[2] = { LB_BUCKET_1(h) % LB_ENDPOINT_BUCKETS,
			    LB_BUCKET_2(h) % LB_ENDPOINT_BUCKETS };

	for (int b = 0; b < 2; b++) {
		for (int i = 0; i < LB_ENDPOINT_WAYS; i++) {
			const struct lb_endpoint4 *e4 = &table.v4[bucket[b]].way[i];
			const struct lb_endpoint6 *e6 = &table.v6[bucket[b]].way[i];
			int same = e->family == 4 ? e4->key[0] == e->word[0]
						  : !memcmp(e6->key, e->word, 24);
			__u32 value = e->family == 4 ? e4->value : e6->value;

			if (same && value)
				return value;
			if (same)
				break;
		}
		if (e->family == 4 ? !table.v4[bucket[0]].way[0].spilt
				   : !table.v6[bucket[0]].way[0].spilt)
			break;
	}
	return 0;
}

static void check_settled(void)
{
	waits++;
	for (size_t i = 0; i < n_settled; i++)
		assert_int_equal(reader_find(&settled[i]), settled[i].value);
}

static int setup(void **arg)
{
	(void)arg;
	table = (struct endpoint_table){ .seed = seed, .wait = check_settled };
	table.v4 = calloc(LB_ENDPOINT_BUCKETS, sizeof(*table.v4));
	table.v6 = calloc(LB_ENDPOINT_BUCKETS, sizeof(*table.v6));
	waits = 0;
	n_settled = 0;
	return !table.v4 || !table.v6;
}

static int teardown(void **arg)
{
	(void)arg;
	free(table.v4);
	free(table.v6);
	return 0;
}

static struct endpoint make(int family, __u32 i)
{
	struct address a = { .family = family, .word = { htonl(0x0a000000 + i / 7) } };

	if (family == 6)
		a.word[3] = htonl(i % 5);
	return endpoint_make(&a, 1000 + i % 7, i & 1 ? IPPROTO_TCP : IPPROTO_UDP,
			     i & 2 ? LB_ENDPOINT_SERVICE : LB_ENDPOINT_BACKEND, i + 1);
}

static struct endpoint *make_many(int family, size_t n)
{
	struct endpoint *e = calloc(n, sizeof(*e));

	assert_non_null(e);
	for (size_t i = 0; i < n; i++)
		e[i] = make(family, i);
	return e;
}

static size_t count_ways(void)
{
	size_t n = 0;

	for (int b = 0; b < LB_ENDPOINT_BUCKETS; b++)
		for (int i = 0; i < LB_ENDPOINT_WAYS; i++)
			n += !!table.v4[b].way[i].value + !!table.v6[b].way[i].value;
	return n;
}

static void a_key_says_what_it_is(void **arg)
{
	struct address a4 = { .family = 4, .word = { htonl(0x0a000001) } };
	struct address a6 = { .family = 6,
			      .word = { htonl(0xfd000000), 0, 0, htonl(1) } };
	struct endpoint e4 = endpoint_make(&a4, 80, IPPROTO_TCP, LB_ENDPOINT_SERVICE, 1);
	struct endpoint e6 = endpoint_make(&a6, 80, IPPROTO_TCP, LB_ENDPOINT_ADDRESS, 1);
	struct lb_endpoint_key4 key4;
	struct lb_endpoint_key6 key6;

	(void)arg;
	memcpy(&key4, e4.word, sizeof(key4));
	memcpy(&key6, e6.word, sizeof(key6));
	assert_int_equal(key4.address, a4.word[0]);
	assert_int_equal(key4.port, htons(80));
	assert_int_equal(key4.kind, LB_ENDPOINT_SERVICE);
	assert_memory_equal(key6.address, a6.word, 16);
	assert_int_equal(key6.protocol, IPPROTO_TCP);
	assert_int_equal(endpoint_kind(&e4), LB_ENDPOINT_SERVICE);
	assert_int_equal(endpoint_kind(&e6), LB_ENDPOINT_ADDRESS);
}

static void what_was_added_is_found_and_nothing_else(void **arg)
{
	(void)arg;
	for (int family = 4; family <= 6; family += 2) {
		struct endpoint *e = make_many(family, 200);

		assert_int_equal(endpoints_add(&table, e, 100), 0);
		for (int i = 0; i < 200; i++)
			assert_int_equal(reader_find(&e[i]), i < 100 ? e[i].value : 0);
		free(e);
	}
	assert_int_equal(count_ways(), 200);
	assert_int_equal(waits, 0);
}

/* So that a packet that is for nobody costs one bucket. */
static void few_need_their_second_bucket(void **arg)
{
	struct endpoint *e = make_many(4, 1000);
	size_t spilt = 0;

	(void)arg;
	assert_int_equal(endpoints_add(&table, e, 1000), 0);
	for (int b = 0; b < LB_ENDPOINT_BUCKETS; b++)
		spilt += !!table.v4[b].way[0].spilt;
	assert_in_range(spilt, 0, 2);
	free(e);
}

static void adding_again_changes_the_value(void **arg)
{
	struct endpoint *e = make_many(4, 10);

	(void)arg;
	assert_int_equal(endpoints_add(&table, e, 10), 0);
	e[3].value = 4711;
	assert_int_equal(endpoints_add(&table, e, 10), 0);
	assert_int_equal(reader_find(&e[3]), 4711);
	assert_int_equal(endpoints_get(&table, &e[3]), 4711);
	assert_int_equal(count_ways(), 10);
	free(e);
}

static void twenty_thousand_fit_in_each_family(void **arg)
{
	const size_t n = 20000;

	(void)arg;
	for (int family = 4; family <= 6; family += 2) {
		struct endpoint *e = make_many(family, n);

		assert_int_equal(endpoints_add(&table, e, n), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(reader_find(&e[i]), e[i].value);
		free(e);
	}
	assert_int_equal(count_ways(), 2 * n);
}

/* 4096 services with an address each and 16383 backends. */
static void the_limits_fit_and_readers_always_find_what_is_there(void **arg)
{
	const size_t n = 2 * LB_MAX_SERVICES + LB_MAX_BACKENDS, step = 64;
	struct endpoint *e = make_many(4, n);

	(void)arg;
	settled = e;
	for (size_t i = 0; i < n; i += step) {
		n_settled = i;
		assert_int_equal(
			endpoints_add(&table, e + i, n - i < step ? n - i : step), 0);
	}
	n_settled = n;
	check_settled();
	print_message("# waited %u times\n", waits - 1);
	assert_true(waits > 1); /* some did have to be moved */
	assert_int_equal(count_ways(), n);
	free(e);
}

static void a_full_table_says_so_and_keeps_what_it_has(void **arg)
{
	const size_t n = LB_ENDPOINT_BUCKETS * LB_ENDPOINT_WAYS + 1;
	struct endpoint *e = make_many(4, n);

	(void)arg;
	settled = e;
	n_settled = 1000;
	assert_int_equal(endpoints_add(&table, e, 1000), 0);
	assert_int_equal(endpoints_add(&table, e, n), -ENOSPC);
	check_settled();
	free(e);
}

/* Does the reader see exactly the endpoints of @is_in? */
static void compare(const struct endpoint *e, const bool *is_in, size_t n)
{
	size_t in = 0;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(reader_find(&e[i]), is_in[i] ? e[i].value : 0);
		in += is_in[i];
	}
	assert_int_equal(count_ways(), in);
}

static void any_sequence_of_changes_is_what_the_model_says(void **arg)
{
	enum { N = 2000 };
	struct endpoint *e = make_many(4, N), *kept = calloc(N, sizeof(*kept));
	bool is_in[N] = {};

	(void)arg;
	assert_non_null(kept);
	for (int i = N / 2; i < N; i++)
		e[i] = make(6, i);
	srandom(4);
	for (int round = 0; round < 200; round++) {
		size_t n = 0;

		for (int i = 0; i < 100; i++) {
			size_t which = random() % N;

			e[which].value = 1 + random() % 100000;
			assert_int_equal(endpoints_add(&table, &e[which], 1), 0);
			is_in[which] = true;
		}
		for (size_t i = 0; i < N; i++) {
			is_in[i] = is_in[i] && random() % 4;
			if (is_in[i])
				kept[n++] = e[i];
		}
		qsort(kept, n, sizeof(*kept), endpoint_compare);
		endpoints_keep(&table, kept, n);
		compare(e, is_in, N);
	}
	free(e);
	free(kept);
}

/* A writer that died while it moved one has left it in two places. */
static void keeping_repairs_a_move_that_was_not_finished(void **arg)
{
	struct endpoint e = make(4, 1);
	__u64 h = lb_hash(e.word, 1, seed);
	__u32 bucket[2] = { LB_BUCKET_1(h) % LB_ENDPOINT_BUCKETS,
			    LB_BUCKET_2(h) % LB_ENDPOINT_BUCKETS };

	(void)arg;
	assert_int_not_equal(bucket[0], bucket[1]);
	for (int b = 0; b < 2; b++)
		table.v4[bucket[b]].way[1] =
			(struct lb_endpoint4){ .key = { e.word[0] }, .value = e.value };
	e.value = 99;
	endpoints_keep(&table, &e, 1);
	assert_int_equal(count_ways(), 1);
	assert_int_equal(reader_find(&e), 99);
	assert_int_equal(waits, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_key_says_what_it_is),
		TEST(what_was_added_is_found_and_nothing_else),
		TEST(few_need_their_second_bucket),
		TEST(adding_again_changes_the_value),
		TEST(twenty_thousand_fit_in_each_family),
		TEST(the_limits_fit_and_readers_always_find_what_is_there),
		TEST(a_full_table_says_so_and_keeps_what_it_has),
		TEST(any_sequence_of_changes_is_what_the_model_says),
		TEST(keeping_repairs_a_move_that_was_not_finished),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
