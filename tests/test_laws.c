// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_laws.c - whom policies choose how often: 1 to 200 backends, weights from 0 to 100.
 *
 * Of policies that take turns the tables are looked at slot by slot, since the order is in
 * there; that they go by it is looked at as well.  test_laws_live.c has those that count flows.
 */
#include <stdlib.h>
#include <string.h>

#include "weights.h"

#define FLOWS 1500

static void build(const struct policy_service *s, enum lb_table_kind kind,
		  struct table *t)
{
	assert_int_equal(table_build(&s->model, kind, t), 0);
	assert_in_range(t->n_slots, 1, LB_TABLE_MAX_SLOTS);
}

/* ---- in turn ------------------------------------------------------------------------- */

/*
 * The furthest that anybody is from its share in any stretch of turns, however long and
 * wherever it begins: how many turns too many or too few.
 */
static double furthest(const struct policy_service *s, const struct table *t)
{
	double low[WEIGHTS_MAX_BACKENDS + 1] = {}, high[WEIGHTS_MAX_BACKENDS + 1] = {};
	double had[WEIGHTS_MAX_BACKENDS + 1] = {}, most = 0;

	for (__u32 k = 0; k < t->n_slots; k++) {
		had[t->slot[k]]++;
		for (__u32 id = 1; id <= s->model.n_backends; id++) {
			double off = had[id] - weights_share(s, id, k + 1);

			low[id] = off < low[id] ? off : low[id];
			high[id] = off > high[id] ? off : high[id];
			most = high[id] - low[id] > most ? high[id] - low[id] : most;
		}
	}
	return most;
}

/* No bursts: never more than three turns too many or too few (2.5 at the worst of these). */
static void weighted_turns_are_smooth(void **state)
{
	double worst = 0;

	(void)state;
	for (size_t row = 0; row < n_weights; row++) {
		struct policy_service *s = weights_service(row);
		struct table t;
		double off;

		build(s, LB_TABLE_WEIGHTED, &t);
		off = furthest(s, &t);
		if (off > 3)
			fail_msg("%s: somebody is %.2f turns from its share",
				 weights_name(row), off);
		worst = off > worst ? off : worst;
		table_free(&t);
		free(s);
	}
	print_message("# at most %.2f turns from its share in any stretch\n", worst);
}

/* After a round of the table shares are exact, or off by what lbctl says. */
static void a_round_has_exact_shares(void **state)
{
	static const enum lb_table_kind kinds[] = { LB_TABLE_WEIGHTED, LB_TABLE_MAGLEV };

	(void)state;
	for (size_t i = 0; i < n_weights * 2; i++) {
		struct policy_service *s = weights_service(i / 2);
		__u32 count[WEIGHTS_MAX_BACKENDS + 1] = {};
		struct table t;

		build(s, kinds[i % 2], &t);
		for (__u32 k = 0; k < t.n_slots; k++)
			count[t.slot[k]]++;
		for (__u32 id = 1; id <= s->model.n_backends; id++) {
			double share = weights_share(s, id, t.n_slots);
			double off = __builtin_fabs(count[id] - share);

			assert_int_equal(!count[id], !share);
			if (off > share * t.error + 1e-6 || off >= 2)
				fail_msg("%s: backend %u has %u slots instead of %.2f",
					 weights_name(i / 2), id, count[id], share);
		}
		table_free(&t);
		free(s);
	}
}

/* The policies that take turns go through the table, slot by slot. */
static void turns_follow_the_table(void **state)
{
	static const struct {
		const char *policy;
		enum lb_table_kind kind;
	} turns[] = {
		{ "round_robin", LB_TABLE_UNIFORM },
		{ "weighted", LB_TABLE_WEIGHTED },
		{ "primary_standby", LB_TABLE_PRIMARY },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t row = 0; row < n_weights; row += 4) {
			struct policy_service *s = weights_service(row);
			struct table t;

			policy_use(turns[i].policy);
			policy_install(s, turns[i].kind);
			build(s, turns[i].kind, &t);
			for (__u32 k = 0; k < 2 * t.n_slots && k < 300; k++)
				assert_int_equal(policy_choose(k * 7, k % 2 ? 4 : 6),
						 t.slot[k % t.n_slots]);
			table_free(&t);
			free(s);
		}
	}
}

/* ---- primaries and standby ------------------------------------------------------------- */

/* Six backends, by their places: what they are, and who has flows. */
static const struct {
	const char *name;
	__u32 priority[6];
	const char *state; /* a: active, d: draining, x: down, 0: of weight 0 */
	const char *flows; /* 1: some, 0: none */
} standbys[] = {
	{ "all primaries", { 0, 0, 0, 0, 0, 0 }, "aaaaaa", "111111" },
	{ "the standby waits", { 0, 0, 0, 1, 1, 2 }, "aaaaaa", "111000" },
	{ "no primary is left", { 0, 0, 0, 1, 1, 2 }, "xd0aaa", "000110" },
	{ "one primary is enough", { 0, 0, 0, 1, 1, 2 }, "xadaaa", "010000" },
	{ "the last resort", { 0, 0, 0, 1, 1, 2 }, "xxxd0a", "000001" },
	{ "a standby that drains", { 7, 7, 9, 9, 9, 9 }, "dd0aad", "000110" },
	{ "the order is not that of places",
	  { 30, 20, 10, 30, 20, 10 },
	  "aaxaad",
	  "010010" },
};

static void set_states(struct policy_service *s, size_t row)
{
	for (int i = 0; i < 6; i++) {
		char state = standbys[row].state[i];

		s->backend[i].priority = standbys[row].priority[i];
		s->backend[i].weight = state == '0' ? 0 : 1 + i;
		s->backend[i].state = state == 'd'   ? LB_BACKEND_DRAIN
				      : state == 'x' ? LB_BACKEND_DOWN
						     : LB_BACKEND_ACTIVE;
	}
}

/* Standby backends have flows only while no primary is usable; equals share by weight. */
static void standby_backends_wait(void **state)
{
	struct policy_service *s = policy_service_make(6);

	(void)state;
	policy_use("primary_standby");
	for (size_t row = 0; row < sizeof(standbys) / sizeof(standbys[0]); row++) {
		__u32 count[7] = {}, sum = 0;

		set_states(s, row);
		for (int i = 0; i < 6; i++)
			sum += standbys[row].flows[i] == '1' ? s->backend[i].weight : 0;
		policy_install(s, LB_TABLE_PRIMARY);
		policy_count(count, 0, 10 * sum, 4);
		for (int i = 0; i < 6; i++) {
			__u32 share = standbys[row].flows[i] == '1'
					      ? 10 * s->backend[i].weight
					      : 0;

			if (count[i + 1] != share)
				fail_msg("%s: backend %d has %u flows of %u, not %u",
					 standbys[row].name, i + 1, count[i + 1],
					 10 * sum, share);
		}
	}
	free(s);
}

/* ---- by hash, and at random ------------------------------------------------------------- */

static const struct law {
	const char *policy;
	enum lb_table_kind kind;
} drawn[] = {
	{ "hash", LB_TABLE_MAGLEV },
	{ "source_hash", LB_TABLE_MAGLEV },
	{ "random", LB_TABLE_WEIGHTED },
};

/* As if each flow drew by weight, whatever the number of backends. */
static void flows_are_drawn_by_weight(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++) {
		policy_use(drawn[i].policy);
		for (size_t row = 0; row < n_weights; row++) {
			struct policy_service *s = weights_service(row);
			__u32 count[MAX_BACKENDS + 1] = {};

			policy_install(s, drawn[i].kind);
			for (__u32 f = 0; f < FLOWS; f++)
				count[policy_choose_for(0x0a000000 + f * 3, 1024 + f,
							f % 2 ? 4 : 6)]++;
			weights_expect(s, count, FLOWS, weights_name(row));
			free(s);
		}
	}
}

/* A policy that promises to stay does, and random does not. */
static void who_is_drawn_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++) {
		struct policy_service *s = policy_service_make(50);
		__u32 same = 0;

		policy_use(drawn[i].policy);
		policy_install(s, drawn[i].kind);
		for (__u32 flow = 0; flow < 500; flow++)
			same += policy_choose(flow, 4) == policy_choose(flow, 4);
		if (!strcmp(drawn[i].policy, "random"))
			assert_in_range(same, 0, 60);
		else
			assert_int_equal(same, 500);
		free(s);
	}
}

/* ---- who moves ---------------------------------------------------------------------- */

/* Slots that change when backend @id goes, and when it comes back: of the others' too. */
static __u32 moved(struct policy_service *s, __u32 id, const struct table *all)
{
	struct model_backend *b = &s->backend[id - 1];
	__u32 weight = b->weight, n = 0;
	struct table less, again;

	b->weight = 0;
	build(s, LB_TABLE_MAGLEV, &less);
	b->weight = weight;
	build(s, LB_TABLE_MAGLEV, &again);
	assert_int_equal(less.n_slots, all->n_slots);
	for (__u32 k = 0; k < all->n_slots; k++) {
		assert_int_not_equal(less.slot[k], id);
		assert_int_equal(again.slot[k], all->slot[k]);
		n += less.slot[k] != all->slot[k];
	}
	table_free(&less);
	table_free(&again);
	return n;
}

/*
 * The ideal is the share of the one that goes or comes.  Because shares stay exact, some of
 * the others' slots change hands as well: at most 1.5 % of all (1.2 % at the worst of these).
 */
static void maglev_moves_little_more_than_the_ideal(void **state)
{
	double worst = 0;

	(void)state;
	for (size_t row = 0; row < n_weights; row++) {
		struct policy_service *s = weights_service(row);
		size_t n = s->model.n_backends;
		struct table t;

		build(s, LB_TABLE_MAGLEV, &t);
		for (__u32 id = 1; id <= n && t.n_backends > 1; id += 1 + n / 7) {
			double ideal = weights_share(s, id, t.n_slots), more;

			if (!ideal)
				continue;
			more = 100 * (moved(s, id, &t) - ideal) / t.n_slots;
			if (more > 1.5)
				fail_msg("%s: backend %u: %.2f %% more than the ideal",
					 weights_name(row), id, more);
			worst = more > worst ? more : worst;
		}
		table_free(&t);
		free(s);
	}
	print_message("# at most %.2f %% of the slots more than the ideal\n", worst);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(weighted_turns_are_smooth),
		cmocka_unit_test(a_round_has_exact_shares),
		cmocka_unit_test(turns_follow_the_table),
		cmocka_unit_test(standby_backends_wait),
		cmocka_unit_test(flows_are_drawn_by_weight),
		cmocka_unit_test(who_is_drawn_again),
		cmocka_unit_test(maglev_moves_little_more_than_the_ideal),
	};
	return cmocka_run_group_tests_name("laws", units, NULL, policy_close);
}
