// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_client.c - persistence client: who comes back goes where it was before.
 *
 * The policy takes turns, so that a client that were not remembered would go elsewhere.
 */
#include "admit.h"

#define AFFINITY 5000 /* jiffies */
#define BACKENDS 5

static __u32 now;

static void begin(void)
{
	admit_begin(BACKENDS);
	admit_use(BY_TURN);
	admit_set_service(0, AFFINITY, LB_ON_EMPTY_REJECT);
	now = stage_now(&admit_stage);
}

/* Another connection of @client. */
static struct asking again(__u32 client, int family)
{
	static __u16 port = 1024;

	return (struct asking){ .client = client,
				.port = port++,
				.family = family,
				.now = now,
				.by_client = true };
}

/* Where it goes, and that a policy was @asked. */
static __u32 goes_to(const struct asking *a, bool asked)
{
	__u64 before = admit_decisions();
	__u32 backend = admit_choose(a);

	assert_int_equal(admit_decisions() - before, asked);
	return backend;
}

static __u32 comes_back(__u32 client, int family)
{
	struct asking a = again(client, family);

	return goes_to(&a, false);
}

static __u32 is_new(__u32 client, int family)
{
	struct asking a = again(client, family);

	return goes_to(&a, true);
}

static void a_client_goes_where_it_was(void **state)
{
	(void)state;
	begin();
	for (int family = 4; family <= 6; family += 2) {
		__u32 count[BACKENDS + 1] = {}, first[100];

		for (__u32 client = 0; client < 100; client++)
			count[first[client] = is_new(client, family)]++;
		for (__u32 id = 1; id <= BACKENDS; id++)
			assert_int_equal(count[id], 20);
		for (int times = 0; times < 3; times++)
			for (__u32 client = 0; client < 100; client++)
				assert_int_equal(comes_back(client, family),
						 first[client]);
	}
}

/* Of a service of several ports, IPv4 has keys like those of IPv6. */
static void the_large_table_has_the_same_clients(void **state)
{
	struct asking a;
	__u32 first;

	(void)state;
	begin();
	a = again(1, 4);
	a.table = 6;
	first = goes_to(&a, true);
	a.port++;
	assert_int_equal(goes_to(&a, false), first);
	assert_int_equal(comes_back(1, 4), first);
}

static void each_service_has_its_own(void **state)
{
	struct asking a;
	struct lb_service service;
	__u32 first;
	__u16 slot;

	(void)state;
	begin();
	first = is_new(1, 4);
	slot = first % BACKENDS + 1;
	world_get(&admit_stage, "lb_services", ADMIT_SERVICE, &service);
	world_put(&admit_stage, "lb_services", 9, &service);
	world_set_table(&admit_stage, 9,
			&(struct lb_table){ .policy = BY_TURN,
					    .flags = LB_TABLE_F_ADMIT },
			&slot, 1);
	a = again(1, 4);
	a.service = 9;
	assert_int_equal(goes_to(&a, true), slot);
	/* That backend is another service's: nobody comes back to it. */
	assert_int_equal(goes_to(&a, true), slot);
	assert_int_equal(comes_back(1, 4), first);
}

static void the_time_counts_from_the_last_flow(void **state)
{
	__u32 first;

	(void)state;
	begin();
	first = is_new(1, 4);
	for (int times = 0; times < 3; times++) {
		now += AFFINITY - 1;
		assert_int_equal(comes_back(1, 4), first);
	}
	now += AFFINITY;
	is_new(1, 4);
	now -= 1; /* another CPU was faster */
	comes_back(1, 4);
}

/* In these states a backend takes no new flows, and the client stays where it went then. */
static void what_takes_no_new_flows_is_left(void **state)
{
	static const struct {
		enum lb_backend_state state;
		__u32 weight;
	} rows[] = {
		{ LB_BACKEND_DRAIN, 1 },
		{ LB_BACKEND_DOWN, 1 },
		{ LB_BACKEND_ACTIVE, 0 },
	};

	(void)state;
	for (int i = 0; i < 3; i++) {
		__u32 first, second;

		begin();
		first = is_new(1, 4);
		admit_set_weight(first, rows[i].weight);
		admit_set_state(first, rows[i].state);
		admit_use(BY_TURN);
		second = is_new(1, 4);
		assert_int_not_equal(second, first);
		admit_set_weight(first, 1);
		admit_set_state(first, LB_BACKEND_ACTIVE);
		admit_use(BY_TURN);
		assert_int_equal(comes_back(1, 4), second);
	}
}

static void what_is_gone_is_forgotten(void **state)
{
	static const __u16 incarnations[] = { 0, 2 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		__u32 first;

		begin();
		first = is_new(1, 4);
		world_set_incarnation(&admit_stage, first, incarnations[i]);
		is_new(1, 4);
	}
}

static void a_full_backend_has_no_more_of_its_clients(void **state)
{
	__u32 first;

	(void)state;
	begin();
	first = is_new(1, 4);
	admit_set_limit(first, 3);
	admit_set_live(first, 2);
	assert_int_equal(comes_back(1, 4), first);
	admit_set_live(first, 3);
	assert_int_not_equal(is_new(1, 4), first);
}

static void slow_start_is_for_clients_that_are_new(void **state)
{
	__u32 first;

	(void)state;
	begin();
	first = is_new(1, 4);
	admit_set_service(1000000, AFFINITY, LB_ON_EMPTY_REJECT);
	for (__u32 id = 1; id <= BACKENDS; id++)
		admit_set_age(id, id == first ? 0 : 1000000);
	assert_int_equal(comes_back(1, 4), first);
}

static void without_a_table_on_empty_says_what(void **state)
{
	struct asking a;

	(void)state;
	begin();
	world_set_table(&admit_stage, ADMIT_SERVICE, &(struct lb_table){}, NULL, 0);
	a = again(1, 4);
	assert_int_equal(admit_run(&a), REACHED_STAGE + LB_STAGE_ANSWER);
	assert_int_equal(stage_scratch(&admit_stage).reason, LB_REASON_NO_BACKEND);
}

/* Without persistence client, lb_admit has nothing to remember. */
static void nobody_is_remembered_for_nothing(void **state)
{
	(void)state;
	begin();
	admit_set_service(0, 0, LB_ON_EMPTY_REJECT);
	is_new(1, 4);
	admit_set_service(0, AFFINITY, LB_ON_EMPTY_REJECT);
	is_new(1, 4);
	comes_back(1, 4);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(a_client_goes_where_it_was),
		cmocka_unit_test(the_large_table_has_the_same_clients),
		cmocka_unit_test(each_service_has_its_own),
		cmocka_unit_test(the_time_counts_from_the_last_flow),
		cmocka_unit_test(what_takes_no_new_flows_is_left),
		cmocka_unit_test(what_is_gone_is_forgotten),
		cmocka_unit_test(a_full_backend_has_no_more_of_its_clients),
		cmocka_unit_test(slow_start_is_for_clients_that_are_new),
		cmocka_unit_test(without_a_table_on_empty_says_what),
		cmocka_unit_test(nobody_is_remembered_for_nothing),
	};
	return cmocka_run_group_tests_name("client", units, admit_open, admit_close);
}
