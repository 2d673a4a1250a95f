// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_flip.c - what a flip leaves for those who are asked beside the policy: the table of
 * before, when that was, what else to ask, and since when a backend is usable.
 */
#include "instance.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#define HZ state.config->params.hz

static __u64 now(void)
{
	struct lb_clock clock;

	assert_int_equal(state_clock(&state, &clock), 0);
	return clock.jiffies;
}

static void set_policy(const char *name)
{
	change_begin();
	to.default_policy = model_find_policy(&to, name);
	assert_true(to.default_policy >= 0);
	change_end();
}

static void set_weight(__u32 weight)
{
	change_begin();
	to.services[0].backends[0].weight = weight;
	change_end();
}

static __u32 slot_of(const char *policy)
{
	struct model m;
	int slot;

	assert_int_equal(state_read(&state, &m), 0);
	slot = model_find_policy(&m, policy);
	model_free(&m);
	return slot;
}

static void the_table_before_is_kept(void **arg)
{
	__u64 start = now();

	(void)arg;
	add_services(2);
	assert_int_equal(read_previous(0).generation, 0);
	assert_in_range(read_header(0).flipped_at, start, now());

	set_policy("hash");
	for (__u32 id = 0; id < 2; id++) {
		struct lb_table header = read_header(id), previous = read_previous(id);

		assert_int_equal(previous.generation, header.generation - 1);
		assert_int_equal(previous.policy, slot_of("round-robin"));
		assert_int_equal(previous.policy, header.previous_policy);
		assert_int_equal(previous.kind, header.previous_kind);
		assert_true(header.flipped_at >= previous.flipped_at);
	}
	set_weight(7);
	assert_int_equal(read_previous(0).generation, 2);
	assert_int_equal(read_previous(0).policy, slot_of("hash"));
	assert_int_equal(read_previous(1).generation, 1);
}

/* Else the first change of a weight would end what the change of the policy promised. */
static void a_consistent_table_counts_as_the_one_before_for_the_grace_time(void **arg)
{
	__u64 flipped_at;

	(void)arg;
	add_services(1);
	set_policy("hash");
	set_policy("weighted");
	flipped_at = read_header(0).flipped_at;
	usleep(20000);
	set_weight(7);
	assert_int_equal(read_header(0).generation, 4);
	assert_int_equal(read_header(0).flipped_at, flipped_at);
	assert_int_equal(read_header(0).previous_policy, slot_of("hash"));
	assert_int_equal(read_header(0).previous_kind, LB_TABLE_MAGLEV);
	assert_int_equal(read_previous(0).generation, 2);

	change_begin();
	to.services[0].grace_ms = 1;
	change_end();
	usleep(20000);
	set_weight(8);
	assert_int_equal(read_previous(0).generation, 4);
	assert_true(read_header(0).flipped_at > flipped_at);
	assert_int_equal(read_header(0).previous_policy, slot_of("weighted"));
}

static void a_consistent_table_takes_the_place_of_one_before_it(void **arg)
{
	(void)arg;
	add_services(1);
	set_policy("hash");
	set_weight(7);
	assert_int_equal(read_previous(0).generation, 2);
	set_weight(8);
	assert_int_equal(read_previous(0).generation, 3);
	assert_true(read_previous(0).promises & LB_PROMISE_CONSISTENT);
}

static void a_new_service_inherits_no_table(void **arg)
{
	(void)arg;
	add_services(1);
	set_policy("hash");
	assert_int_equal(read_previous(0).generation, 1);
	change_begin();
	model_del_service(&to, &to.services[0]);
	change_end();
	assert_int_equal(read_previous(0).n_slots, 0);
	assert_int_equal(read_previous(0).promises, 0);
}

/* What a killed lbctl had not begun is as it was; so is what the table says of before. */
static void a_repair_leaves_tables_that_are_right(void **arg)
{
	(void)arg;
	add_services(2);
	set_policy("hash");
	set_weight(7);
	state.services[0].generation = 9; /* killed before it flipped */
	state.config->dirty = 1;
	instance_reopen();
	instance_check();
	assert_int_equal(read_header(0).generation, 3);
	assert_int_equal(read_previous(0).generation, 2);
	assert_int_equal(read_previous(1).generation, 1);

	state.backends[read_slot(1, 0)].weight++; /* killed after a record */
	state.config->dirty = 1;
	instance_reopen();
	instance_check();
	assert_int_equal(read_header(0).generation, 3);
	assert_int_equal(read_header(1).generation, 3);
	assert_int_equal(read_previous(1).generation, 2);
}

/* ---- whom to ask --------------------------------------------------------------------- */

static void flags_say_whom_to_ask(void **arg)
{
	static const struct {
		__u64 slow_start, client;
		bool per_packet;
		__u32 max_flows[2], flags;
	} rows[] = {
		{ .flags = 0 },
		{ .slow_start = 1, .flags = LB_TABLE_F_ADMIT },
		{ .client = 1, .flags = LB_TABLE_F_ADMIT | LB_TABLE_F_CLIENT },
		{ .max_flows = { 0, 9 }, .flags = LB_TABLE_F_ADMIT },
		{ .max_flows = { 9, 0 }, .flags = 0 }, /* not usable */
		{ .per_packet = true, .max_flows = { 0, 9 }, .flags = 0 },
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model_service *s;
		__u32 id;

		change_begin();
		s = add_service(&to, address4(0x0a000001 + i), 80, IPPROTO_UDP);
		s->slow_start_ms = rows[i].slow_start;
		s->client_ms = rows[i].client;
		s->per_packet = rows[i].per_packet;
		for (int j = 0; j < 2; j++)
			add_backend(s, address4(0x0a010001 + j), j)->max_flows =
				rows[i].max_flows[j];
		assert_int_equal(state_commit(&state, &from, &to), 0);
		id = model_find_same(&to, s)->id;
		model_free(&from);
		model_free(&to);
		assert_int_equal(read_header(id).flags, rows[i].flags);
	}
}

/* Each change of these makes a new table, for it is the table that says whom to ask. */
static void a_flag_that_changes_makes_a_table(void **arg)
{
	(void)arg;
	add_services(1);
	change_begin();
	to.services[0].slow_start_ms = 1000;
	change_end();
	assert_int_equal(read_header(0).generation, 2);
	assert_int_equal(state.services[0].slow_start, HZ);
	change_begin();
	to.services[0].slow_start_ms = 2000;
	to.services[0].backends[0].max_flows = 5;
	to.services[0].backends[0].priority = 5;
	change_end();
	assert_int_equal(read_header(0).generation, 2);
	assert_int_equal(state.services[0].slow_start, 2 * HZ);
	change_begin();
	to.services[0].slow_start_ms = 0;
	to.services[0].backends[0].max_flows = 0;
	change_end();
	assert_int_equal(read_header(0).generation, 3);
	assert_int_equal(read_header(0).flags, 0);
}

/* A standby backend that comes or goes is nothing to the table; the last primary is. */
static void priorities_make_a_table_where_they_count(void **arg)
{
	(void)arg;
	add_services(1);
	state.policies[state.config->default_policy].meta.kind = LB_TABLE_PRIMARY;
	change_begin();
	to.services[0].backends[1].priority = 1;
	change_end();
	assert_int_equal(read_header(0).generation, 2);
	assert_int_equal(read_header(0).n_backends, 1);

	change_begin();
	to.services[0].backends[1].weight = 50;
	change_end();
	assert_int_equal(read_header(0).generation, 2);
	change_begin();
	to.services[0].backends[0].state = LB_BACKEND_DOWN;
	change_end();
	assert_int_equal(read_header(0).generation, 3);
	assert_int_equal(read_header(0).n_backends, 1);
	change_begin();
	assert_int_equal(read_slot(0, 0), to.services[0].backends[1].id);
	change_end();
}

/* ---- since when ---------------------------------------------------------------------- */

/* What becomes of the first of two backends, and when it joined. */
static void a_backend_joins_when_it_becomes_usable(void **arg)
{
	static const struct {
		enum lb_backend_state state;
		__u32 weight;
		bool other_is_usable;
		enum { NEVER, NOW, SAME } joins;
	} steps[] = {
		{ LB_BACKEND_ACTIVE, 1, true, SAME },
		{ LB_BACKEND_ACTIVE, 5, true, SAME },
		{ LB_BACKEND_DRAIN, 5, true, SAME },
		{ LB_BACKEND_ACTIVE, 5, true, NOW },
		{ LB_BACKEND_ACTIVE, 0, true, SAME },
		{ LB_BACKEND_DOWN, 0, true, SAME },
		{ LB_BACKEND_ACTIVE, 0, true, SAME },
		{ LB_BACKEND_ACTIVE, 2, true, NOW },
		{ LB_BACKEND_DOWN, 2, false, SAME },
		{ LB_BACKEND_ACTIVE, 2, true, NEVER }, /* nobody else had been */
	};
	const __u64 *joined;

	(void)arg;
	add_services(1);
	change_begin();
	joined = &state.admissions[to.services[0].backends[0].id].joined;
	change_end();
	assert_int_equal(*joined, 0); /* the first of the service */
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		__u64 before = *joined, start = now();

		change_begin();
		to.services[0].backends[0].state = steps[i].state;
		to.services[0].backends[0].weight = steps[i].weight;
		to.services[0].backends[1].weight = steps[i].other_is_usable;
		change_end();
		if (steps[i].joins == NOW)
			assert_in_range(*joined, start, now());
		else
			assert_int_equal(*joined, steps[i].joins == SAME ? before : 0);
	}
}

static void a_new_backend_joins_late_and_inherits_no_limit(void **arg)
{
	__u32 id, old;
	__u64 start;

	(void)arg;
	add_services(1);
	change_begin();
	for (id = 1; id < LB_MAX_BACKENDS; id++)
		if (!state.backends[id].ref)
			state.admissions[id] = (struct lb_admission){ 1, 7, 0 };
	old = to.services[0].backends[0].id;
	start = now();
	add_backend(&to.services[0], address4(0x0a090001), 1);
	change_end();
	change_begin();
	id = to.services[0].backends[2].id;
	change_end();
	assert_in_range(state.admissions[id].joined, start, now());
	assert_int_equal(state.admissions[id].max_flows, 0);
	assert_int_equal(state.admissions[old].joined, 0);
}

int main(void)
{
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_table_before_is_kept),
		TEST(a_consistent_table_counts_as_the_one_before_for_the_grace_time),
		TEST(a_consistent_table_takes_the_place_of_one_before_it),
		TEST(a_new_service_inherits_no_table),
		TEST(a_repair_leaves_tables_that_are_right),
		TEST(flags_say_whom_to_ask),
		TEST(a_flag_that_changes_makes_a_table),
		TEST(priorities_make_a_table_where_they_count),
		TEST(a_backend_joins_when_it_becomes_usable),
		TEST(a_new_backend_joins_late_and_inherits_no_limit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
