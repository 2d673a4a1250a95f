// SPDX-License-Identifier: GPL-2.0-only
/*
 * eviction.c - the order of eviction as laws, not as the algorithm that keeps them.
 */
#include <string.h>

#include "eviction.h"

enum rank { OLDEST, HALF_OPEN, OVER };

static enum rank rank_of(const struct eviction *e, const struct flow *f)
{
	__u8 state = LB_WAY_STATE(f->way);

	if (state == LB_FLOW_CLOSED || e->now - f->seen > e->timeout[state])
		return OVER;
	return state == LB_FLOW_HALF_OPEN ? HALF_OPEN : OLDEST;
}

bool eviction_is_close(__u32 age, __u32 limit)
{
	return limit + EVICTION_SLACK - age < 2 * EVICTION_SLACK;
}

static bool is_close(const struct eviction *e, const struct flow *f)
{
	return eviction_is_close(e->now - f->seen, e->timeout[LB_WAY_STATE(f->way)]);
}

static bool is_connection(const struct eviction *e, const struct flow *f)
{
	return rank_of(e, f) == OLDEST && LB_WAY_STATE(f->way) < LB_FLOW_DATAGRAM;
}

const struct flow *eviction_at(const struct eviction *e, __u32 position)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->flow[i].position == position)
			return &e->flow[i];
	return NULL;
}

static bool has_key(const struct flow *f, const __u64 *key)
{
	return !memcmp(f->key, key, sizeof(f->key));
}

/* @victim had to go, and @f, NULL if the way was free, did not. */
static void judge_pair(const struct eviction *e, const struct flow *victim,
		       const struct flow *f, bool syn)
{
	/* Half-open flows have one way, so they replace one another first. */
	if (syn && rank_of(e, victim) == HALF_OPEN)
		return;
	if (!f)
		fail_msg("a flow was evicted though a way was free");
	if (syn && is_connection(e, f))
		return;
	if (rank_of(e, f) > rank_of(e, victim))
		fail_msg("a flow of rank %d was evicted, one of rank %d not",
			 rank_of(e, victim), rank_of(e, f));
	if (rank_of(e, f) == rank_of(e, victim) && (__s32)(f->seen - victim->seen) < 0)
		fail_msg("a flow was evicted though another was older");
}

void eviction_judge(const struct eviction *e, __u32 position, const __u64 *key, bool syn)
{
	__u32 bucket = position / LB_FLOW_WAYS * LB_FLOW_WAYS;
	const struct flow *victim = eviction_at(e, position), *f;

	if (victim && has_key(victim, key))
		return;
	for (__u32 way = bucket; way < bucket + LB_FLOW_WAYS; way++) {
		f = eviction_at(e, way);
		if (f && is_close(e, f))
			return;
	}
	if (syn && victim && is_connection(e, victim))
		fail_msg("a syn evicted a connection");
	for (__u32 way = bucket; way < bucket + LB_FLOW_WAYS; way++) {
		f = eviction_at(e, way);
		/* Its own dead flow went before: that way counts as free. */
		if (f && has_key(f, key))
			f = NULL;
		if (syn && f && f != victim && rank_of(e, f) == HALF_OPEN)
			fail_msg("a syn is beside another half-open flow");
		if (victim && f != victim)
			judge_pair(e, victim, f, syn);
	}
}

void eviction_judge_refusal(const struct eviction *e, int family, const __u64 *key)
{
	__u32 bucket[2];

	flows_buckets(e->stage, flows_hash(e->stage, family, key), bucket);
	for (__u32 i = 0; i < 2 * LB_FLOW_WAYS; i++) {
		const struct flow *f = eviction_at(
			e, bucket[i / LB_FLOW_WAYS] * LB_FLOW_WAYS + i % LB_FLOW_WAYS);

		if (!f)
			fail_msg("refused, though a way was free");
		if (!is_close(e, f) && !is_connection(e, f))
			fail_msg("refused, though a flow could go");
	}
}
