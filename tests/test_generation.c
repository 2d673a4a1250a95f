// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_generation.c - whose a connection without a flow was: which table is asked, and when
 * its answer counts.
 *
 * One connection, in each case in all forward modes, over IPv4 to a service of one port and
 * over IPv6 to one of any; test_lost_flows.c has what follows for many, in all combinations.
 */
#include <string.h>

#include "generation.h"

/* clang-format off */
#define PORT	31337
#define SLACK	5000

enum table_is { ABSENT, IS_CONSISTENT, IS_NOT };

struct table {
	enum table_is is;
	__u16 backend;		/* of its one slot; NONE: it has none */
	enum policy policy;
};

static const struct row {
	const char *name;
	struct table before, now;
	__u32 age;		/* of the flip between them, jiffies */
	bool no_grace;
	enum lb_backend_state state[OTHERS]; /* by backend; 0: active */
	__u16 gone;
	__u16 to;		/* NONE: nobody knows */
} rows[] = {
	/* Which table. */
	{ .name = "the only table", .now = { .is = IS_CONSISTENT, .backend = TWO }, .to = TWO },
	{ .name = "the only table, of a policy that is not consistent", .now = { .is = IS_NOT, .backend = TWO } },
	{ .name = "within the grace time the table before comes first",
	  .before = { .is = IS_CONSISTENT, .backend = ONE }, .now = { .is = IS_CONSISTENT, .backend = TWO }, .to = ONE },
	{ .name = "at the end of the grace time, too",
	  .before = { .is = IS_CONSISTENT, .backend = ONE }, .now = { .is = IS_CONSISTENT, .backend = TWO },
	  .age = GRACE - SLACK, .to = ONE },
	{ .name = "after the grace time the current one counts",
	  .before = { .is = IS_CONSISTENT, .backend = ONE }, .now = { .is = IS_CONSISTENT, .backend = TWO }, .age = GRACE, .to = TWO },
	{ .name = "without a grace time, at once",
	  .before = { .is = IS_CONSISTENT, .backend = ONE }, .now = { .is = IS_CONSISTENT, .backend = TWO }, .no_grace = true,
	  .to = TWO },
	{ .name = "after a swap to a policy that is not consistent",
	  .before = { .is = IS_CONSISTENT, .backend = ONE }, .now = { .is = IS_NOT, .backend = TWO }, .to = ONE },
	{ .name = "after a swap to a policy that is not consistent, and the grace time",
	  .before = { .is = IS_CONSISTENT, .backend = ONE }, .now = { .is = IS_NOT, .backend = TWO }, .age = GRACE },
	{ .name = "after a swap to one that is", .before = { .is = IS_NOT, .backend = ONE },
	  .now = { .is = IS_CONSISTENT, .backend = TWO }, .to = TWO },
	{ .name = "between two that are not", .before = { .is = IS_NOT, .backend = ONE }, .now = { .is = IS_NOT, .backend = TWO } },
	{ .name = "the table before has no slot", .before = { .is = IS_CONSISTENT, .backend = NONE },
	  .now = { .is = IS_CONSISTENT, .backend = TWO }, .to = TWO },
	{ .name = "no table at all" },

	/* Whether the answer counts. */
	{ .name = "a backend that drains keeps its connections", .now = { .is = IS_CONSISTENT, .backend = TWO },
	  .state[TWO] = LB_BACKEND_DRAIN, .to = TWO },
	{ .name = "one that drains since the flip", .before = { .is = IS_CONSISTENT, .backend = ONE },
	  .now = { .is = IS_CONSISTENT, .backend = TWO }, .state[ONE] = LB_BACKEND_DRAIN, .to = ONE },
	{ .name = "all drain, so that the current table is empty", .before = { .is = IS_CONSISTENT, .backend = ONE },
	  .now = { .is = IS_CONSISTENT, .backend = NONE }, .state[ONE] = LB_BACKEND_DRAIN, .to = ONE },
	{ .name = "down: the current table is asked", .before = { .is = IS_CONSISTENT, .backend = ONE },
	  .now = { .is = IS_CONSISTENT, .backend = TWO }, .state[ONE] = LB_BACKEND_DOWN, .to = TWO },
	{ .name = "down, and the current policy is not consistent",
	  .before = { .is = IS_CONSISTENT, .backend = ONE }, .now = { .is = IS_NOT, .backend = TWO }, .state[ONE] = LB_BACKEND_DOWN },
	{ .name = "both down", .before = { .is = IS_CONSISTENT, .backend = ONE }, .now = { .is = IS_CONSISTENT, .backend = TWO },
	  .state = { [ONE] = LB_BACKEND_DOWN, [TWO] = LB_BACKEND_DOWN } },
	{ .name = "gone: the current table is asked", .before = { .is = IS_CONSISTENT, .backend = ONE },
	  .now = { .is = IS_CONSISTENT, .backend = TWO }, .gone = ONE, .to = TWO },
	{ .name = "gone, and another service's by now", .before = { .is = IS_CONSISTENT, .backend = OTHERS },
	  .now = { .is = IS_CONSISTENT, .backend = TWO }, .to = TWO },

	/* Whether there is an answer. */
	{ .name = "the policy before was unloaded", .before = { IS_CONSISTENT, ONE, UNLOADED },
	  .now = { .is = IS_CONSISTENT, .backend = TWO }, .to = TWO },
	{ .name = "both were", .before = { IS_CONSISTENT, ONE, UNLOADED },
	  .now = { IS_CONSISTENT, TWO, UNLOADED } },
	{ .name = "the policy before is another by now that is consistent, too",
	  .before = { IS_CONSISTENT, ONE, STRAY }, .now = { .is = IS_CONSISTENT, .backend = TWO }, .to = TWO },
	{ .name = "the policy before is another by now", .before = { IS_CONSISTENT, ONE, ROUND_ROBIN },
	  .now = { .is = IS_CONSISTENT, .backend = TWO }, .to = TWO },
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void set_up(const struct row *row)
{
	struct lb_table before = generation_header(row->before.is == IS_CONSISTENT,
						   row->before.policy, row->age),
			now = generation_header(row->now.is == IS_CONSISTENT,
						row->now.policy, row->age);

	if (row->before.is)
		world_set_previous(&talk_stage, 0, &before, &row->before.backend,
				   row->before.backend ? 1 : 0);
	world_set_table(&talk_stage, 0, &now, &row->now.backend,
			row->now.is && row->now.backend ? 1 : 0);
	for (__u32 id = ONE; id < OTHERS; id++)
		if (row->state[id])
			world_set_backend(&talk_stage, id, row->state[id], 1);
	if (row->gone)
		world_set_incarnation(&talk_stage, row->gone, 0);
}

/* It is with @id, half-open, and a connection by its next packet. */
static void expect_found(__u32 id, const struct lb_pkt *pkt)
{
	__u64 known = stage_reason(&talk_stage, LB_REASON_KNOWN_FLOW);
	struct flow f = generation_flow(pkt);

	assert_int_equal(LB_BACKEND_REF_ID(pkt->backend), id);
	assert_int_equal(LB_BACKEND_REF_ID(f.flow.backend), id);
	assert_int_equal(LB_WAY_STATE(f.way), LB_FLOW_HALF_OPEN);
	assert_int_equal(world_live(&talk_stage, id), 1);

	generation_send(PORT, TH_ACK);
	generation_expect(LB_REASON_KNOWN_FLOW, known);
	f = generation_flow(pkt);
	assert_int_equal(LB_BACKEND_REF_ID(f.flow.backend), id);
	assert_int_equal(LB_WAY_STATE(f.way), LB_FLOW_ESTABLISHED);
	assert_int_equal(generation_count(), 1);
	flows_check(&talk_stage);
}

/* Neither a flow nor a drop that is a backend's. */
static void expect_nothing(void)
{
	assert_int_equal(generation_count(), 0);
	for (__u32 id = ONE; id <= OTHERS; id++)
		assert_int_equal(stage_backend_count(&talk_stage, id).drops, 0);
}

static void whose(void **state)
{
	const struct row *row = *state;

	for (size_t i = 0; i < n_kinds; i++) {
		enum lb_reason reason = row->to ? LB_REASON_UNKNOWN_SENT
					: LB_FORWARD_IS_NAT(kinds[i].forward)
						? LB_REASON_UNKNOWN_RESET
						: LB_REASON_UNKNOWN_FLOW;
		struct lb_pkt pkt;
		__u64 count;

		if (kinds[i].any != kinds[i].ip6) /* each mode, family and width */
			continue;
		generation_begin(&kinds[i], row->no_grace);
		set_up(row);
		count = stage_reason(&talk_stage, reason);
		pkt = generation_send(PORT, TH_ACK);
		generation_expect(reason, count);
		if (row->to)
			expect_found(row->to, &pkt);
		else
			expect_nothing();
	}
	in_hand = NULL;
}

int main(void)
{
	struct CMUnitTest units[N_ROWS];

	for (size_t i = 0; i < N_ROWS; i++)
		units[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = whose,
			.teardown_func = generation_explain,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests_name("generation", units, generation_open,
					   talk_close);
}
