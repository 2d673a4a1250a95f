/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow_victim.bpf.h - who has to go when a bucket needs room.
 *
 * flow_table.bpf.h has the rule (invariant 4).
 */
#ifndef LB_FLOW_VICTIM_BPF_H
#define LB_FLOW_VICTIM_BPF_H

#include "flow_table.bpf.h"

/*
 * A candidate for eviction as one number, the greatest is the best: rank, age, way.
 * Where all ways are looked at it is computed without a branch: eight ways of five ranks
 * are 390,625 paths to the verifier (more than a million steps on 6.18), and mispredictions
 * to the processor.
 */
enum rank {
	RANK_NONE,
	RANK_OLDEST,
	RANK_HALF_OPEN,
	RANK_EXPIRED,
	RANK_FREE,
	RANK_SHARE /* a half-open way is the one that half-open newcomers may have */
};

#define SCORE(rank, age, way) ((__u64)(rank) << 40 | (__u64)(age) << 8 | (way))
#define SCORE_RANK(score)     ((__u32)((score) >> 40))
#define SCORE_AGE(score)      ((__u32)((score) >> 8))
#define SCORE_WAY(score)      ((__u32)(score)&7)

/* So that ages are in order as numbers without a sign: one may be below 0, as another CPU's
 * clock may be ahead of ours. */
#define AGE_BIAS (1U << 31)

/* Keep clang from seeing through arithmetic that stands for a branch. */
#define hide(x) asm volatile("" : "+r"(x))

/* 1 if @x, below 2^63, is zero, else 0. */
static __always_inline __u64 is_zero(__u64 x)
{
	x = (x - 1) >> 63;
	hide(x);
	return x;
}

/* The greater of two numbers below 2^63. */
static __always_inline __u64 greater(__u64 a, __u64 b)
{
	__u64 less = a - b, mask = (__s64)less >> 63;

	hide(mask);
	return a - (less & mask);
}

/* ---- eight ways at once: a byte each, of which bit 0 counts ----------------------- */

#define BYTES 0x0101010101010101ULL

static __always_inline __u32 bytes_count(__u64 x)
{
	return (x * BYTES) >> 56;
}

static __always_inline __u32 bytes_first(__u64 x)
{
	return ((x & -x) * 0x0001020304050607ULL) >> 56;
}

/* Bit 0 of four lanes of 16 bits, in four bytes. */
static __always_inline __u64 lanes_to_bytes(__u64 x)
{
	x = (x | x >> 8) & 0x0000ffff0000ffffULL;
	return (x | x >> 16) & 0xffffffff;
}

/* The ways that have a flow.  A tag that is not 0 is odd. */
static __always_inline __u64 ways_taken(const struct lb_bucket *b)
{
	__u64 low = *(volatile const __u64 *)&b->tag[0] & LANES;
	__u64 high = *(volatile const __u64 *)&b->tag[4] & LANES;

	return lanes_to_bytes(low) | lanes_to_bytes(high) << 32;
}

/* The ways whose flow is half-open, or was if it has gone. */
static __always_inline __u64 ways_half_open(const struct lb_bucket *b)
{
	__u64 state = *(volatile const __u64 *)b->state & LB_WAY_STATE(-1) * BYTES;

	_Static_assert(LB_FLOW_HALF_OPEN == 0, "");
	return ~(state + 0x7f * BYTES) >> 7 & BYTES;
}

/* ---- the choice --------------------------------------------------------------------- */

#define RANK_OF(state, rank) ((rank) << 4 * (state))

/* What a flow that has not timed out is to a newcomer, four bits for each state.  A closed
 * one lingers for last ACKs only while nobody needs its way. */
#define RANKS_UDP                                                                        \
	(RANK_OF(LB_FLOW_DATAGRAM, RANK_OLDEST) |                                        \
	 RANK_OF(LB_FLOW_ANSWERED, RANK_OLDEST) | RANK_OF(LB_FLOW_STREAM, RANK_OLDEST) | \
	 RANK_OF(LB_FLOW_CLOSED, RANK_EXPIRED))
#define RANKS_TCP                                                                        \
	(RANK_OF(LB_FLOW_ESTABLISHED, RANK_OLDEST) |                                     \
	 RANK_OF(LB_FLOW_CLIENT_FIN, RANK_OLDEST) |                                      \
	 RANK_OF(LB_FLOW_BACKEND_FIN, RANK_OLDEST))
#define RANKS_TO_HALF_OPEN (RANKS_UDP | RANK_OF(LB_FLOW_HALF_OPEN, RANK_SHARE))
#define RANKS_TO_OTHERS                                                                  \
	(RANKS_UDP | RANKS_TCP | RANK_OF(LB_FLOW_HALF_OPEN, RANK_HALF_OPEN))

/*
 * Of @ways of @b, all of which have a flow, the one that a newcomer may have, best first by
 * invariant 4.  RANK_NONE: none.
 *
 * A global function, so that the verifier looks at it once and takes what it returns for
 * any number.
 */
__noinline __u64 bucket_scan(const struct lb_bucket *b, bool half_open, __u64 ways,
			     __u32 now)
{
	__u64 ranks = half_open ? RANKS_TO_HALF_OPEN : RANKS_TO_OTHERS, best = 0;
	const struct timeouts *t = &lb_profiles;

	if (!b)
		return 0;

#pragma unroll
	for (__u32 way = 0; way < LB_FLOW_WAYS; way++) {
		__u32 age = now - b->seen[way] + AGE_BIAS;
		__u64 late = (__s64)((__u64)t->of[b->state[way]] + AGE_BIAS - age) >> 63;
		__u64 rank = ranks >> 4 * LB_WAY_STATE(b->state[way]) & 0xf;
		__u64 eligible = -(ways >> 8 * way & 1);

		hide(late);
		rank ^= (rank ^ RANK_EXPIRED) & late;
		hide(eligible);
		best = greater(best, SCORE(rank, age, way) & eligible);
	}
	if (SCORE_RANK(best) == RANK_SHARE)
		best -= SCORE(RANK_SHARE - RANK_HALF_OPEN, 0, 0);
	return best;
}

/* The one half-open way @way, unless it has timed out. */
static __always_inline __u64 half_open_way(const struct lb_bucket *b, __u32 way,
					   __u32 now)
{
	asm volatile("%0 &= 7" : "+r"(way));
	if (flow_expired(&lb_profiles, b->state[way], b->seen[way], now))
		return 0;
	return SCORE(RANK_HALF_OPEN, now - b->seen[way] + AGE_BIAS, way);
}

/*
 * The way of @b that a newcomer may have; of RANK_FREE the age is the number of free ways.
 *
 * A look at each way costs 50 ns, so what tags and states tell eight ways at once is
 * asked first: where nobody is about to be evicted or a SYN takes the place of another, as
 * nearly always, that is the answer.
 */
__noinline __u64 bucket_victim(const struct lb_bucket *b, bool half_open, __u32 now)
{
	__u64 free, half, score = 0;

	if (!b)
		return 0;

	free = ways_taken(b) ^ BYTES;
	half = half_open ? ways_half_open(b) & ~free : 0;
	if (half & (half - 1)) /* all but one have timed out, if not all */
		score = bucket_scan(b, true, free ^ BYTES, now);
	else if (half)
		score = half_open_way(b, bytes_first(half), now);
	if (SCORE_RANK(score) == RANK_HALF_OPEN)
		return score;
	if (free)
		return SCORE(RANK_FREE, bytes_count(free), bytes_first(free));
	return bucket_scan(b, half_open, BYTES, now);
}

static __always_inline enum lb_event rank_event(__u32 rank)
{
	return rank == RANK_EXPIRED	? LB_EVENT_EVICTED_EXPIRED
	       : rank == RANK_HALF_OPEN ? LB_EVENT_EVICTED_HALF_OPEN
					: LB_EVENT_EVICTED_OLDEST;
}

#endif /* LB_FLOW_VICTIM_BPF_H */
