// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_policies.c - the laws of the selection policies, on the tables that lbctl builds.
 *
 * A policy is run alone: what it may know of a flow lies in the record, and a program
 * that only says "reached" stands for lb_rewrite.  The tables are made by lbctl's code,
 * so that a law holds for what is really installed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "world.h"

#define MAX_BACKENDS	1000
#define SELF		2	/* slot of the policy under test */
#define OTHER		5	/* of another one */
#define SERVICE_ID	7

static struct stage stage;
static const char *loaded;

/* The policies, and the kind of table each asks for. */
static const struct policy {
	const char *program;
	enum lb_table_kind kind;
} policies[] = {
	{ "round_robin", LB_TABLE_UNIFORM },
	{ "hash", LB_TABLE_MAGLEV },
	{ "weighted", LB_TABLE_WEIGHTED },
};

#define N_POLICIES (sizeof(policies) / sizeof(policies[0]))

static void use_policy(const char *name)
{
	if (loaded)
		stage_close(&stage);
	stage_init(&stage, 0, 0);
	stage_load_policy(&stage, name, SELF);
	stage_stop_rewrite(&stage);
	stage_stop_policy(&stage, OTHER);
	loaded = name;
}

static int close_stage(void **state)
{
	(void)state;
	stage_close(&stage);
	return 0;
}

/* ---- services ------------------------------------------------------------------------ */

struct service {
	struct model_service model;
	struct model_backend backend[MAX_BACKENDS];
};

/* @n backends 10.1.x.y with ids 1..n, all of weight 1. */
static struct service *service_make(size_t n)
{
	struct service *s = calloc(1, sizeof(*s));

	s->model = (struct model_service){
		.port = 80,
		.protocol = IPPROTO_TCP,
		.n_backends = n,
		.backends = s->backend,
		.address = { .family = 4, .word = { htonl(0x0a00000a) } },
	};
	for (size_t i = 0; i < n; i++)
		s->backend[i] = (struct model_backend){
			.id = i + 1,
			.address = { .family = 4, .word = { htonl(0x0a010001 + i) } },
			.port = 8080,
			.weight = 1,
			.state = LB_BACKEND_ACTIVE,
		};
	return s;
}

static void install(const struct service *s, enum lb_table_kind kind)
{
	struct lb_table head = { .policy = SELF, .kind = kind,
				 .seed = table_seed(&s->model) };
	struct table t;

	assert_int_equal(table_build(&s->model, kind, &t), 0);
	head.n_backends = t.n_backends;
	world_set_table(&stage, SERVICE_ID, &head, t.slot, t.n_slots);
	table_free(&t);
}

static __u32 run_client(__u32 client, __u16 port, int family)
{
	struct lb_flow_key4 key4 = { .client = htonl(client), .service = SERVICE_ID,
				     .port = htons(port) };
	struct lb_flow_key6 key6 = { .client = { htonl(0x20010db8), 0, 0, key4.client },
				     .port = key4.port, .service = SERVICE_ID };
	struct lb_pkt pkt = { .service = SERVICE_ID, .family = family,
			      .protocol = IPPROTO_TCP, .tcp_flags = TH_SYN,
			      .l3 = 14, .l4 = 34, .length = 64 };
	static const __u8 frame[64];
	struct run r;

	memcpy(pkt.key, family == 4 ? (void *)&key4 : (void *)&key6,
	       family == 4 ? sizeof(key4) : sizeof(key6));
	stage_set_scratch(&stage, &pkt);
	stage_run(stage_program(&stage, loaded), frame, sizeof(frame), 0, &r);
	return r.verdict;
}

static __u32 run_policy(__u32 flow, int family)
{
	return run_client(0xc0000000 + flow / 7, 1024 + flow % 60000, family);
}

/* The id of the backend that the policy chooses. */
static __u32 choose_for(__u32 client, __u16 port, int family)
{
	__u32 verdict = run_client(client, port, family);

	if (verdict != REACHED_REWRITE)
		stage_print_reasons(&stage);
	assert_int_equal(verdict, REACHED_REWRITE);
	return stage_scratch(&stage).backend;
}

static __u32 choose(__u32 flow, int family)
{
	return choose_for(0xc0000000 + flow / 7, 1024 + flow % 60000, family);
}

/* ---- all policies -------------------------------------------------------------------- */

static void in_range_on_every_kind_of_table(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 31, 32, 33, 100 };

	(void)state;
	for (size_t p = 0; p < N_POLICIES; p++) {
		use_policy(policies[p].program);
		for (int kind = 0; kind < LB_TABLE_KIND_MAX; kind++) {
			for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
				struct service *s = service_make(sizes[i]);

				install(s, kind);
				for (int flow = 0; flow < 50; flow++)
					assert_in_range(choose(flow * 31, flow % 2 ? 4 : 6), 1,
							sizes[i]);
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
		use_policy(policies[p].program);
		assert_int_equal(run_policy(1, 4), XDP_DROP);	/* no table at all */
		assert_int_equal(stage_reason(&stage, LB_REASON_NO_BACKEND), 1);
		world_set_table(&stage, SERVICE_ID, &head, NULL, 0);
		assert_int_equal(run_policy(1, 4), XDP_DROP);
		assert_int_equal(stage_reason(&stage, LB_REASON_NO_BACKEND), 2);
		world_set_table(&stage, SERVICE_ID, &head, &hole, 1);
		assert_int_equal(run_policy(1, 4), XDP_DROP);
		assert_int_equal(stage_reason(&stage, LB_REASON_BAD_SLOT), 1);
	}
}

static void another_policys_table_is_left_to_it(void **state)
{
	struct lb_table head = { .policy = OTHER };
	__u16 slot = 1;

	(void)state;
	for (size_t p = 0; p < N_POLICIES; p++) {
		use_policy(policies[p].program);
		world_set_table(&stage, SERVICE_ID, &head, &slot, 1);
		assert_int_equal(run_policy(1, 4), REACHED_POLICY + OTHER);
		head.policy = OTHER + 1;	/* which is not loaded */
		world_set_table(&stage, SERVICE_ID, &head, &slot, 1);
		assert_int_equal(run_policy(1, 4), XDP_DROP);
		assert_int_equal(stage_reason(&stage, LB_REASON_NO_STAGE), 1);
		head.policy = OTHER;
	}
}

/* ---- round_robin ----------------------------------------------------------------------- */

static void count_choices(__u32 *count, __u32 first, __u32 n, int family)
{
	for (__u32 flow = first; flow < first + n; flow++)
		count[choose(flow, family)]++;
}

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
	use_policy("round_robin");
	for (size_t i = 0; i < 5; i++) {
		struct service *s = service_make(sizes[i]);
		__u32 count[MAX_BACKENDS + 1] = {};

		install(s, LB_TABLE_UNIFORM);
		for (__u32 flow = 0; flow < 200; flow++) {
			count_choices(count, 1, 1, 4);	/* the same client, too */
			expect_even(count, sizes[i], 1);
		}
		free(s);
	}
}

static void round_robin_is_even_over_two_cpus(void **state)
{
	struct service *s = service_make(5);
	__u32 count[6] = {};

	(void)state;
	use_policy("round_robin");
	install(s, LB_TABLE_UNIFORM);
	for (__u32 flow = 0; flow < 1000; flow++) {
		stage_pin(flow % 3 == 0);
		count_choices(count, flow, 1, 4);
		expect_even(count, 5, 2);
	}
	stage_pin(0);
	free(s);
}

/* ---- weighted -------------------------------------------------------------------------- */

/* After k turns each has had its share of k, to within one turn. */
static void weighted_is_exact_and_smooth(void **state)
{
	static const __u32 weights[][4] = {
		{ 1, 1, 1, 1 }, { 3, 1, 0, 0 }, { 5, 3, 1, 0 }, { 7, 7, 7, 100 }, { 1, 0, 0, 0 },
	};

	(void)state;
	use_policy("weighted");
	for (size_t i = 0; i < 5; i++) {
		struct service *s = service_make(4);
		__u32 count[5] = {}, sum = 0;

		for (int j = 0; j < 4; j++)
			sum += s->backend[j].weight = weights[i][j];
		install(s, LB_TABLE_WEIGHTED);
		for (__u32 k = 1; k <= 3 * sum; k++) {
			count_choices(count, k, 1, 6);
			for (int j = 0; j < 4; j++)
				if (__builtin_fabs(count[j + 1] - (double)k * weights[i][j] / sum) > 1.5)
					fail_msg("row %zu, after %u turns: backend %d had %u", i, k,
						 j + 1, count[j + 1]);
		}
		for (int j = 0; j < 4; j++)
			assert_int_equal(count[j + 1], 3 * weights[i][j]);
		free(s);
	}
}

/* ---- hash -------------------------------------------------------------------------------- */

#define HASHED 20000

static void hash_is_sticky(void **state)
{
	struct service *s = service_make(10);

	(void)state;
	use_policy("hash");
	install(s, LB_TABLE_MAGLEV);
	for (__u32 flow = 0; flow < 300; flow++) {
		__u32 first = choose(flow, 4);

		for (int i = 0; i < 5; i++) {
			stage_pin(i % 2);
			assert_int_equal(choose(flow, 4), first);
		}
	}
	stage_pin(0);
	free(s);
}

/* Within five standard deviations of what independent choices by weight would give. */
static void expect_shares(const struct service *s, const __u32 *count, __u32 n)
{
	double sum = 0;

	for (size_t i = 0; i < s->model.n_backends; i++)
		sum += s->backend[i].weight;
	for (size_t i = 0; i < s->model.n_backends; i++) {
		double share = s->backend[i].weight / sum;
		double off = __builtin_fabs(count[i + 1] - n * share) - 0.01 * n * share;

		if (off > 0 && off * off > 25 * n * share * (1 - share))
			fail_msg("backend %zu has %u of %u flows, its share is %.0f", i + 1,
				 count[i + 1], n, n * share);
	}
}

static void hash_respects_weights(void **state)
{
	static const __u32 weights[][3] = { { 1, 1, 1 }, { 3, 2, 1 }, { 100, 1, 0 }, { 65535, 65535, 1 } };

	(void)state;
	use_policy("hash");
	for (size_t i = 0; i < 4; i++) {
		for (int family = 4; family <= 6; family += 2) {
			struct service *s = service_make(3);
			__u32 count[4] = {};

			for (int j = 0; j < 3; j++)
				s->backend[j].weight = weights[i][j];
			install(s, LB_TABLE_MAGLEV);
			count_choices(count, 0, HASHED / 2, family);
			expect_shares(s, count, HASHED / 2);
			free(s);
		}
	}
}

/* One address with many ports, or many with one port, are as even as any others. */
static void hash_spreads_what_differs_little(void **state)
{
	struct service *s = service_make(8);
	__u32 ports[9] = {}, addresses[9] = {};

	(void)state;
	use_policy("hash");
	install(s, LB_TABLE_MAGLEV);
	for (__u32 i = 0; i < 5000; i++) {
		ports[choose_for(0xc0000207, 1024 + i, 4)]++;
		addresses[choose_for(0x0a000000 + i, 40000, 4)]++;
	}
	expect_shares(s, ports, 5000);
	expect_shares(s, addresses, 5000);
	free(s);
}

static void hash_moves_few_flows(void **state)
{
	static const size_t sizes[] = { 2, 3, 10, 40 };
	static __u16 before[HASHED];

	(void)state;
	use_policy("hash");
	for (size_t i = 0; i < 4; i++) {
		struct service *s = service_make(sizes[i]);
		size_t gone = sizes[i] / 2, moved = 0;

		install(s, LB_TABLE_MAGLEV);
		for (__u32 flow = 0; flow < HASHED / 2; flow++)
			before[flow] = choose(flow, 4);
		s->backend[gone].state = LB_BACKEND_DOWN;
		install(s, LB_TABLE_MAGLEV);
		for (__u32 flow = 0; flow < HASHED / 2; flow++) {
			__u32 now = choose(flow, 4);

			assert_int_not_equal(now, gone + 1);
			moved += now != before[flow];
		}
		print_message("# one of %zu gone: %.1f %% moved\n", sizes[i],
			      200.0 * moved / HASHED);
		assert_in_range(moved, 1, 2 * HASHED / 2 / sizes[i]);

		s->backend[gone].state = LB_BACKEND_ACTIVE;
		install(s, LB_TABLE_MAGLEV);
		for (__u32 flow = 0; flow < HASHED / 2; flow += 7)
			assert_int_equal(choose(flow, 4), before[flow]);
		free(s);
	}
}

/* ---- the tables alone -------------------------------------------------------------------- */

static bool is_prime(__u32 n)
{
	for (__u32 i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return n > 1;
}

/*
 * For every backend that may go.  With few slots for each of many backends those that
 * stay displace one another as well (2.4/n at 100, 5/n at 300 of 32749 slots): there the
 * bound is 2/n and two in a hundred.
 */
static void maglev_tables_move_few_slots(void **state)
{
	static const size_t sizes[] = { 2, 5, 20, 60, 100, 300 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct service *s = service_make(sizes[i]);
		struct table all, less;
		size_t bound;

		assert_int_equal(table_build(&s->model, LB_TABLE_MAGLEV, &all), 0);
		assert_true(is_prime(all.n_slots));
		assert_true(all.n_slots >= 100 * sizes[i]);
		bound = 2 * all.n_slots / sizes[i] + (sizes[i] > 60 ? all.n_slots / 50 : 0);
		for (size_t gone = 0; gone < sizes[i]; gone += 1 + sizes[i] / 10) {
			size_t moved = 0;

			s->backend[gone].weight = 0;
			assert_int_equal(table_build(&s->model, LB_TABLE_MAGLEV, &less), 0);
			assert_int_equal(less.n_backends, sizes[i] - 1);
			assert_int_equal(less.n_slots, all.n_slots);
			for (__u32 j = 0; j < all.n_slots; j++)
				moved += all.slot[j] != less.slot[j];
			assert_in_range(moved, all.n_slots / sizes[i] / 2, bound);
			table_free(&less);
			s->backend[gone].weight = 1;
		}
		table_free(&all);
		free(s);
	}
}

static void every_usable_backend_has_its_slots(void **state)
{
	(void)state;
	for (int kind = 0; kind < LB_TABLE_KIND_MAX; kind++) {
		struct service *s = service_make(MAX_BACKENDS);
		__u32 count[MAX_BACKENDS + 1] = {};
		struct table t;

		for (size_t i = 0; i < MAX_BACKENDS; i++) {
			s->backend[i].weight = i % 10 ? 1 + i * 65534 / MAX_BACKENDS : 0;
			if (i % 7 == 3)
				s->backend[i].state = i % 2 ? LB_BACKEND_DRAIN : LB_BACKEND_DOWN;
		}
		assert_int_equal(table_build(&s->model, kind, &t), 0);
		assert_in_range(t.n_slots, 1, LB_TABLE_MAX_SLOTS);
		for (__u32 i = 0; i < t.n_slots; i++) {
			assert_in_range(t.slot[i], 1, MAX_BACKENDS);
			count[t.slot[i]]++;
		}
		for (size_t i = 0; i < MAX_BACKENDS; i++)
			assert_int_equal(count[i + 1] > 0, backend_is_usable(&s->backend[i]));
		table_free(&t);
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
		cmocka_unit_test(weighted_is_exact_and_smooth),
		cmocka_unit_test(hash_is_sticky),
		cmocka_unit_test(hash_respects_weights),
		cmocka_unit_test(hash_spreads_what_differs_little),
		cmocka_unit_test(hash_moves_few_flows),
		cmocka_unit_test(maglev_tables_move_few_slots),
		cmocka_unit_test(every_usable_backend_has_its_slots),
	};
	return cmocka_run_group_tests_name("policies", units, NULL, close_stage);
}
