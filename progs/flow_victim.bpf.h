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
 * Computed without a branch: eight ways of five ranks are 390,625 paths to the verifier
 * (more than a million steps on 6.18), and mispredictions to the processor.
 */
enum rank {
	RANK_OLDEST = 1 << 0,
	RANK_HALF_OPEN = 1 << 1,
	RANK_EXPIRED = 1 << 2,
	RANK_FREE = 1 << 3
};

#define SCORE(rank, age, way) ((__u64)(rank) << 40 | (__u64)(age) << 8 | (way))
#define SCORE_RANK(score)     ((__u32)((score) >> 40))
#define SCORE_AGE(score)      ((__u32)((score) >> 8))
#define SCORE_WAY(score)      ((__u32)(score)&7)

/* Keep clang from seeing through arithmetic that stands for a branch. */
#define hide(x) asm volatile("" : "+r"(x))

/* 1 if @x, below 2^63, is zero, else 0. */
static __always_inline __u64 is_zero(__u64 x)
{
	x = (x - 1) >> 63;
	hide(x);
	return x;
}

/* @x if @bit is 1, 0 if it is 0. */
static __always_inline __u64 only_if(__u64 bit, __u64 x)
{
	__u64 mask = -bit;

	hide(mask);
	return x & mask;
}

/* The greater of two numbers below 2^63. */
static __always_inline __u64 greater(__u64 a, __u64 b)
{
	__u64 less = a - b;

	hide(less);
	return b + only_if(1 ^ less >> 63, less);
}

/* Shifts where the ranks are constants: 6.18 follows both values of a mask and'ed with one. */
static __always_inline __u64 way_rank(__u64 free, __u64 expired, __u32 state,
				      __u64 spare_tcp)
{
	__u64 half_open = is_zero(state ^ LB_FLOW_HALF_OPEN);
	__u64 udp = (state + 8 - LB_FLOW_DATAGRAM) >> 3; /* the last three of eight */
	__u64 oldest = udp | (1 ^ spare_tcp);

	expired &= 1 ^ free;
	half_open &= 1 ^ (free | expired);
	oldest &= 1 ^ (free | expired | half_open);
	return oldest | half_open << 1 | expired << 2 | free << 3;
}

/*
 * The way of @b that a newcomer may have, best first by invariant 4; of RANK_FREE the
 * age is the number of free ways.  @except is spared, or NO_WAY.  0: none.
 *
 * A global function, so that the verifier looks at it once and takes what it returns for
 * any number.
 */
__noinline __u64 bucket_victim(const struct lb_bucket *b, bool half_open, __u32 except,
			       __u32 now)
{
	const struct timeouts *t = &lb_profiles;
	__u64 best = 0, share = 0, n_free = 0;

	if (!b)
		return 0;

#pragma unroll
	for (__u32 way = 0; way < LB_FLOW_WAYS; way++) {
		__u64 age = (__s64)(__s32)(now - b->seen[way]);
		__u64 free = is_zero(b->tag[way]);
		__u64 expired, rank, score;

		age = greater(age, 0); /* another CPU's clock may be ahead of ours */
		/* A closed flow lingers for last ACKs only while nobody needs its way. */
		expired = (t->of[b->state[way]] - age) >> 63 |
			  is_zero(LB_WAY_STATE(b->state[way]) ^ LB_FLOW_CLOSED);
		rank = way_rank(free, expired, LB_WAY_STATE(b->state[way]), half_open);
		n_free += free;
		age = only_if(free, n_free) | only_if(1 ^ free, age);

		score = only_if((1 ^ is_zero(rank)) & (1 ^ is_zero(way ^ except)),
				SCORE(rank, age, way));
		best = greater(best, score);
		share = greater(share, only_if(is_zero(rank ^ RANK_HALF_OPEN), score));
	}
	return half_open && share ? share : best;
}

static __always_inline enum lb_event rank_event(__u32 rank)
{
	return rank == RANK_EXPIRED	? LB_EVENT_EVICTED_EXPIRED
	       : rank == RANK_HALF_OPEN ? LB_EVENT_EVICTED_HALF_OPEN
					: LB_EVENT_EVICTED_OLDEST;
}

#endif /* LB_FLOW_VICTIM_BPF_H */
