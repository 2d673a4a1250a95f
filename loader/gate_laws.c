// SPDX-License-Identifier: GPL-2.0-only
/*
 * gate_laws.c - what each promise of a policy means, tried out.
 *
 * Where chance decides, the bound is six standard deviations: of a thousand honest policies
 * not one is refused, and one that gives a backend of ten a fifth more than the others is.
 */
#include <string.h>

#include "gate_world.h"

#define FLOWS_FEW  1024		 /* where decisions are not cheap: FLOWS_ALL else */
#define SHARES_NS  (4 * 1000000) /* and what one part shall take then */
#define AGAIN	   2048
#define COST_LIMIT 20000 /* ns; a core then takes 50,000 new flows a second */
#define COST_BASES 400	 /* or so often what asking nobody takes, on slow machines */
#define COST_ENDLESS                                                                     \
	100000000 /* not to be asked again; the first time code may be translated */
#define COST_FLOWS  512
#define COST_ROUNDS 8
#define FORWARDS    1U
#define BACKWARDS   (-1U)

/* What is asked in the one run. */
struct plan {
	const struct gate_part *share[GATE_SETS];
	const struct gate_part *again; /* SET_TEN, in another order */
	const struct gate_part *moved; /* SET_TEN, other ports of the same clients */
	const struct gate_part *cost[COST_ROUNDS];
};

/* First of all, so that what comes does not take minutes: one, and then some more, which
 * find their data in the caches. */
static bool is_in_time(struct gate *g, __u32 *ret_ns)
{
	__u32 limit = COST_BASES * g->base_ns, i, least = 0;

	if (limit < COST_LIMIT)
		limit = COST_LIMIT;
	for (i = 0; i < 2 && least <= COST_ENDLESS; i++) {
		gate_plan(g);
		gate_plan_part(g, g->meta.kind, SET_MANY, i, FORWARDS, i ? 15 : 1);
		least = gate_run_singly(g);
	}
	*ret_ns = least > g->base_single_ns ? least - g->base_single_ns : 0;
	if (*ret_ns <= limit)
		return true;
	return gate_fail(g, "cost: %u ns to choose among 200 backends, the limit is %u",
			 *ret_ns, limit);
}

static void ask_all(struct gate *g, __u32 n, struct plan *p)
{
	__u32 kind, set, i;

	gate_plan(g);
	/* Whatever the table is: a policy must be safe on all. */
	for (kind = 0; kind < LB_TABLE_KIND_MAX; kind++)
		for (set = 0; set < GATE_SETS; set++)
			gate_plan_part(g, kind, set, FLOWS_ODD + set * 64, FORWARDS, 128);
	for (set = 0; set < GATE_SETS; set++)
		p->share[set] = gate_plan_part(g, g->meta.kind, set, 0, FORWARDS, n);
	i = n < AGAIN ? n : AGAIN;
	p->again = gate_plan_part(g, g->meta.kind, SET_TEN, i - 1, BACKWARDS, i);
	p->moved = gate_plan_part(g, g->meta.kind, SET_TEN, FLOWS_MOVED, FORWARDS, i);
	for (i = 0; i < COST_ROUNDS; i++)
		p->cost[i] = gate_plan_part(g, g->meta.kind, SET_TEN, i * COST_FLOWS,
					    FORWARDS, COST_FLOWS);
	gate_run(g);
}

/* Whatever the user may set, a choice it is, and a quick one; singly, because that is quick
 * for a few. */
static bool is_safe_when_tuned(struct gate *g)
{
	static const enum gate_tuning ends[] = { TUNED_LOW, TUNED_HIGH };
	__u32 i, ns;

	for (i = 0; i < 2 && g->n_tunables; i++) {
		gate_tune(g, ends[i]);
		if (!is_in_time(g, &ns))
			return false;
		gate_plan(g);
		gate_plan_part(g, g->meta.kind, SET_TEN, FLOWS_ODD, FORWARDS, 64);
		gate_plan_part(g, g->meta.kind, SET_ONE, FLOWS_ODD, FORWARDS, 64);
		gate_run_singly(g);
		if (!gate_answers(g))
			return false;
	}
	gate_tune(g, TUNED_INITIAL);
	return !g->err;
}

/* ---- shares --------------------------------------------------------------------------- */

/* What share of the flows a backend of the part's set shall have. */
typedef double share_of(const struct gate *g, const struct gate_part *part, __u32 number);

static __u32 slots_of(const struct gate *g, const struct gate_part *part, __u32 number)
{
	return g->quota[g->service[part->kind][part->set].first + number - 1];
}

static __u32 weight_of(const struct gate *g, const struct gate_part *part, __u32 number)
{
	return g->records->backends[g->service[part->kind][part->set].first + number - 1]
		.weight;
}

/* Slots alike. */
static double by_slots(const struct gate *g, const struct gate_part *part, __u32 number)
{
	return (double)slots_of(g, part, number) /
	       g->service[part->kind][part->set].table->n_slots;
}

static double by_weight(const struct gate *g, const struct gate_part *part, __u32 number)
{
	double sum = 0;
	__u32 i;

	for (i = 1; i <= gate_sets[part->set].n; i++)
		if (slots_of(g, part, i))
			sum += weight_of(g, part, i);
	return slots_of(g, part, number) ? weight_of(g, part, number) / sum : 0;
}

/* How much further off than it may be: 1 is on the bound, in squares. */
static double excess(double count, double share, double n, double slack)
{
	double off = count - n * share;

	off = (off < 0 ? -off : off) - 2 - slack;
	return off <= 0 ? 0 : off * off / (36 * n * share * (1 - share) + 1e-9);
}

/*
 * Who follows weights by counting live flows is one off in these, as often as they are all
 * replaced; and a policy that compares a few backends may miss a tenth.
 */
static double slack_of(const struct gate *g, share_of *share, double expected, double n)
{
	return share == by_slots ? 0 : expected / 10 + 2 * n / g->trial->live;
}

static bool fail_share(struct gate *g, const struct gate_part *part, share_of *share,
		       __u32 number, double ratio)
{
	const char *law = share == by_slots ? "even" : "weight";
	__u32 n_slots = g->service[part->kind][part->set].table->n_slots;

	if (n_slots == gate_sets[part->set].n)
		return gate_fail(g, "%s: share of slot %u of %u is %.2fx, of %u flows",
				 law, number - 1, n_slots, ratio, part->n);
	return gate_fail(
		g, "%s: share of backend %u of %u, weight %u, is %.2fx, of %u flows", law,
		number, gate_sets[part->set].n, weight_of(g, part, number), ratio,
		part->n);
}

static bool has_shares(struct gate *g, const struct gate_part *part, share_of *share)
{
	__u32 count[LB_TRIAL_BACKENDS] = {}, i, chosen, worst = 0;
	double most = 1, expected = 0;

	for (i = 0; i < part->n; i++)
		count[gate_chosen(g, part, i)]++;
	chosen = part->n - count[0];
	if (chosen < part->n / 2)
		return gate_fail(g, "even: drops %u of %u flows", count[0], part->n);
	for (i = 1; i <= gate_sets[part->set].n; i++) {
		double s = share(g, part, i);
		double off = excess(count[i], s, chosen,
				    slack_of(g, share, s * chosen, chosen));

		if (off > most) {
			most = off;
			worst = i;
			expected = s * chosen;
		}
	}
	return !worst || fail_share(g, part, share, worst, count[worst] / expected);
}

static bool all_have_shares(struct gate *g, const struct plan *p, share_of *share)
{
	__u32 set;

	for (set = 0; set < GATE_SETS; set++)
		if (!has_shares(g, p->share[set], share))
			return false;
	return true;
}

static bool is_even(struct gate *g, const struct plan *p)
{
	return all_have_shares(g, p, by_slots);
}

static bool is_by_weight(struct gate *g, const struct plan *p)
{
	return all_have_shares(g, p, by_weight);
}

/* ---- the same flow, the same slot ------------------------------------------------------ */

static bool fail_alike(struct gate *g, const char *law, const struct gate_part *part,
		       __u32 i, __u32 other)
{
	char flow[GATE_FLOW_TEXT_SIZE];

	return gate_fail(g, "%s: %s gets backend %u, then %u, of %u", law,
			 gate_flow_text(g, part, i, flow), other, gate_chosen(g, part, i),
			 gate_sets[part->set].n);
}

static bool is_sticky(struct gate *g, const struct plan *p)
{
	const struct gate_part *first = p->share[SET_TEN], *again = p->again;
	__u32 i;

	for (i = 0; i < again->n; i++) {
		__u32 other = gate_chosen(g, first, again->n - 1 - i);

		if (gate_chosen(g, again, i) != other)
			return fail_alike(g, "sticky", again, i, other);
	}
	return true;
}

static bool is_by_address(struct gate *g, const struct plan *p)
{
	const struct gate_part *first = p->share[SET_TEN], *moved = p->moved;
	__u32 i;

	for (i = 0; i < moved->n; i++)
		if (gate_chosen(g, moved, i) != gate_chosen(g, first, i))
			return fail_alike(g, "by-address", moved, i,
					  gate_chosen(g, first, i));
	return true;
}

/* ---- consistent ------------------------------------------------------------------------ */

/* Of the flows of those that stay, how many had another backend before one went. */
static bool moves_few(struct gate *g, const struct gate_part *all,
		      const struct gate_part *less)
{
	__u32 i, others = 0, moved = 0, n = gate_sets[all->set].n;

	for (i = 0; i < all->n; i++) {
		if (gate_chosen(g, all, i) == gate_sets[less->set].gone)
			continue;
		others++;
		moved += gate_chosen(g, less, i) != gate_chosen(g, all, i);
	}
	if (moved <= others * (2.0 / n + 0.01))
		return true;
	return gate_fail(
		g,
		"consistent: %.0f%% of the others' flows move when 1 of %u backends "
		"goes",
		100.0 * moved / others, n);
}

/* A copy of the policy that has seen nothing stands for another balancer. */
static bool agrees_with_others(struct gate *g)
{
	const struct gate_part *part;
	__u32 here[128], i;

	gate_plan(g);
	part = gate_plan_part(g, g->meta.kind, SET_TEN, 0, FORWARDS, 128);
	gate_run_singly(g);
	for (i = 0; i < 128; i++)
		here[i] = gate_chosen(g, part, i);
	g->err = g->err ? g->err : gate_load(g);
	gate_plan(g);
	part = gate_plan_part(g, g->meta.kind, SET_TEN, 127, BACKWARDS, 128);
	if (!g->err)
		gate_run_singly(g);
	if (g->err || !gate_answers(g))
		return false;
	for (i = 0; i < 128; i++)
		if (gate_chosen(g, part, i) != here[127 - i])
			return fail_alike(g, "consistent, elsewhere", part, i,
					  here[127 - i]);
	return true;
}

static bool is_consistent(struct gate *g, const struct plan *p)
{
	return moves_few(g, p->share[SET_TEN], p->share[SET_TEN_LESS]) &&
	       moves_few(g, p->share[SET_FIFTY], p->share[SET_FIFTY_LESS]) &&
	       agrees_with_others(g);
}

/* ---- all of it ------------------------------------------------------------------------- */

static const struct law {
	__u32 promise;
	bool (*holds)(struct gate *g, const struct plan *p);
} laws[] = {
	{ LB_PROMISE_EVEN, is_even },
	{ LB_PROMISE_WEIGHT, is_by_weight },
	{ LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT, is_sticky },
	{ LB_PROMISE_ADDRESS, is_by_address },
	{ LB_PROMISE_CONSISTENT, is_consistent },
};

/* The least of some rounds: what else the machine does comes on top. */
static __u32 cost(const struct gate *g, const struct plan *p)
{
	__u32 i, least = ~0U;

	for (i = 0; i < COST_ROUNDS; i++)
		least = p->cost[i]->ns < least ? p->cost[i]->ns : least;
	return least > g->base_ns ? least - g->base_ns : 1;
}

bool gate_judge(struct gate *g)
{
	struct plan p;
	__u32 ns, n;
	size_t i;

	if (!is_in_time(g, &ns))
		return false;
	n = SHARES_NS / (ns + 1);
	ask_all(g, n < FLOWS_FEW ? FLOWS_FEW : n > FLOWS_ALL ? FLOWS_ALL : n, &p);
	if (g->err || !gate_answers(g))
		return false;
	g->cost_ns = cost(g, &p);
	for (i = 0; i < sizeof(laws) / sizeof(laws[0]); i++)
		if ((laws[i].promise & g->meta.promises) && !laws[i].holds(g, &p))
			return false;
	return is_safe_when_tuned(g);
}
