/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow_write.bpf.h - the writing half of the flow table: add, change and end flows.
 *
 * flow_table.bpf.h has the invariants.
 */
#ifndef LB_FLOW_WRITE_BPF_H
#define LB_FLOW_WRITE_BPF_H

#include "flow_table.bpf.h"
#include "flow_victim.bpf.h"
#include "live.bpf.h"

/* enum lb_event -> how often. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_EVENT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} lb_events SEC(".maps");

#define LOCK_TRIES 32 /* about a microsecond; a holder needs a tenth of it */

/* Prefer a flow's first bucket while it has so many free ways: a search ends there. */
#define ROOMY 3

static __always_inline void count_event(enum lb_event event)
{
	__u32 key = event;
	__u64 *n = bpf_map_lookup_elem(&lb_events, &key);

	if (n)
		(*n)++;
}

static __noinline bool bucket_lock(struct lb_bucket *b)
{
#pragma unroll
	for (int i = 0; i < LOCK_TRIES; i++)
		if (!__sync_val_compare_and_swap(&b->lock, 0, 1))
			return true;
	return false;
}

static __always_inline void bucket_unlock(struct lb_bucket *b)
{
	store_barrier(&b->lock);
	WRITE_ONCE(b->lock, 0);
}

/* One flow more or less that is live; none if it is of a former incarnation. */
static __always_inline void live_add(__u32 ref, __s64 n)
{
	__u32 id = LB_BACKEND_REF_ID(ref);
	const struct lb_backend *backend = backend_get(id);
	__u64 *live = live_get(id);

	if (backend && live && READ_ONCE(backend->ref) == ref)
		__sync_fetch_and_add(live, n);
}

/* End the flow in @way, if there is one.  The bucket is locked. */
static __noinline void flow_evict(struct lb_bucket *b, int family, __u32 way,
				  enum lb_event why)
{
	struct lb_flow *f = flow_at(b, family, way);

	asm volatile("%0 &= 7" : "+r"(way));
	if (!b->tag[way])
		return;

	WRITE_ONCE(b->tag[way], 0);
	if (LB_WAY_STATE(b->state[way]) != LB_FLOW_CLOSED)
		live_add(f->backend, -1);
	WRITE_ONCE(f->version, f->version | 1);
	store_barrier(&b->lock);
	count_event(why);
}

/* A way that is ours alone until the flow is published or abandoned. */
struct flow_place {
	struct lb_bucket *first;  /* of the flow; locked */
	struct lb_bucket *bucket; /* where the way is; locked */
	__u32 index;		  /* of that bucket */
	__u32 way;
	__u32 version;	   /* the flow will have */
	enum lb_event why; /* the flow that is there has to go */
};

static __always_inline void place_unlock(struct flow_place *p)
{
	if (p->bucket != p->first)
		bucket_unlock(p->bucket);
	bucket_unlock(p->first);
}

/* @p is as @score says. */
static __always_inline void place_set(struct flow_place *p, int family, __u64 score)
{
	p->way = SCORE_WAY(score);
	p->why = rank_event(SCORE_RANK(score));
	p->version = (flow_at(p->bucket, family, p->way)->version | 1) + 1;
}

/* End the flow that is in the reserved way, and hide the way from readers. */
static __always_inline void flow_clear(struct flow_place *p, int family)
{
	flow_evict(p->bucket, family, p->way, p->why);
	WRITE_ONCE(flow_at(p->bucket, family, p->way)->version, p->version - 1);
	store_barrier(&p->bucket->lock);
}

/* A dead flow may still have our key.  End it, so that there is never more than one. */
static __always_inline enum lb_reason end_dead(struct lb_pkt *pkt, struct flow_place *p,
					       int family)
{
	__u32 way = bucket_search(pkt, family, p->first);
	struct lb_bucket *second;

	if (way != NO_WAY) {
		flow_evict(p->first, family, way, LB_EVENT_EVICTED_DEAD);
		return LB_REASON_NONE;
	}

	second = bucket_get(family, bucket_second(pkt->hash));
	if (!second || bucket_search(pkt, family, second) == NO_WAY)
		return LB_REASON_NONE;
	if (!bucket_lock(second))
		return LB_REASON_BUSY;

	way = bucket_search(pkt, family, second);
	if (way != NO_WAY)
		flow_evict(second, family, way, LB_EVENT_EVICTED_DEAD);
	bucket_unlock(second);
	return LB_REASON_NONE;
}

/*
 * The same flow may have been made by another CPU, or be there dead.  Tags tell: nearly
 * never is there one like ours.
 */
static __always_inline bool may_be_there(const struct lb_pkt *pkt,
					 const struct lb_bucket *first,
					 const struct lb_bucket *second)
{
	__u16 tag = LB_TAG(pkt->hash);
	__u64 lanes = 0;

#pragma unroll
	for (int half = 0; half < 2; half++) {
		lanes |= tags_equal(*(volatile const __u64 *)&first->tag[4 * half], tag);
		lanes |= tags_equal(*(volatile const __u64 *)&second->tag[4 * half], tag);
	}
	return lanes;
}

/* The flow of pkt->key, if it is there by now, or what is left of it.  @p->first is locked. */
static __always_inline enum lb_reason find_again(struct lb_pkt *pkt, struct flow_place *p,
						 int family)
{
	__u32 chosen = pkt->backend;

	if (flow_find(pkt, family))
		return LB_REASON_KNOWN_FLOW;
	pkt->backend = chosen;
	return end_dead(pkt, p, family);
}

/*
 * Choose between the two buckets, without their locks: what is chosen is but a hint.  Its
 * flow is touched, so that its cache miss is over when it has to go.
 */
static __always_inline bool prefer_second(int family, struct lb_bucket *first,
					  struct lb_bucket *second, bool half_open,
					  __u32 now)
{
	__u64 here = bucket_victim(first, half_open, now), there;
	bool ret = false;

	if (SCORE_RANK(here) != RANK_FREE || SCORE_AGE(here) < ROOMY) {
		there = bucket_victim(second, half_open, now);
		ret = there > here;
		here = ret ? there : here;
	}
	(void)READ_ONCE(flow_at(ret ? second : first, family, SCORE_WAY(here))->version);
	return ret;
}

/* The best way of the second bucket, which is locked if there is one. */
static __always_inline __u64 place_second(struct flow_place *p, struct lb_bucket *second,
					  __u32 index, bool half_open, __u32 now)
{
	__u64 score;

	if (!bucket_lock(second))
		return 0;
	score = bucket_victim(second, half_open, now);
	/* It may have filled up before we had its lock: a flow ends for want of room only. */
	if (!SCORE_RANK(score) || (SCORE_RANK(score) == RANK_OLDEST &&
				   bucket_victim(p->first, half_open, now) > score)) {
		bucket_unlock(second);
		return 0;
	}
	p->bucket = second;
	p->index = index;
	return score;
}

/*
 * Find room for the flow of pkt->key, in @p.  KNOWN_FLOW: another CPU was faster, the flow
 * is copied into @pkt and there is no @p.
 */
static __always_inline enum lb_reason flow_reserve(struct lb_pkt *pkt, int family,
						   bool half_open, struct flow_place *p)
{
	__u32 index = bucket_second(pkt->hash);
	struct lb_bucket *second = bucket_get(family, index);
	enum lb_reason reason = LB_REASON_NONE;
	__u64 score = 0;
	bool there;

	p->index = bucket_first(pkt->hash);
	p->bucket = p->first = bucket_get(family, p->index);
	if (!p->first || !second)
		return LB_REASON_ABORTED;
	there = prefer_second(family, p->first, second, half_open, pkt->now);
	if (!bucket_lock(p->first))
		return LB_REASON_BUSY;

	if (may_be_there(pkt, p->first, second))
		reason = find_again(pkt, p, family);
	if (reason) {
		bucket_unlock(p->first);
		return reason;
	}

	if (there)
		score = place_second(p, second, index, half_open, pkt->now);
	if (!score)
		score = bucket_victim(p->first, half_open, pkt->now);
	if (!SCORE_RANK(score)) {
		bucket_unlock(p->first);
		return LB_REASON_TABLE_FULL;
	}
	place_set(p, family, score);
	return LB_REASON_NONE;
}

/* Fill the reserved way with the flow of @pkt and show it. */
static __always_inline void flow_publish(struct lb_pkt *pkt, int family,
					 struct flow_place *p)
{
	struct lb_flow *f = flow_at(p->bucket, family, p->way);
	__u64 *key = flow_key(p->bucket, family, p->way);
	__u32 way = p->way;

	key[0] = pkt->key[0];
	if (family == 6) {
		key[1] = pkt->key[1];
		key[2] = pkt->key[2];
		__builtin_memcpy(f + 1, pkt->origin, sizeof(pkt->origin)); /* lb_flow6 */
	}
	f->backend = pkt->backend;
	f->nat_port = pkt->nat_port;
	f->origin_port = pkt->origin_port;
	f->hop = 0;
	f->hop_expires = pkt->now;

	asm volatile("%0 &= 7" : "+r"(way));
	p->bucket->state[way] = pkt->way;
	p->bucket->seen[way] = pkt->now;
	store_barrier(&p->bucket->lock);
	WRITE_ONCE(f->version, p->version);
	WRITE_ONCE(p->bucket->tag[way], LB_TAG(pkt->hash));

	live_add(pkt->backend, 1);
	count_event(LB_EVENT_FLOW_NEW);
	pkt->flags |= LB_PKT_NEW_FLOW;
	pkt->version = p->version;
	pkt->position = p->index * LB_FLOW_WAYS + way;
	place_unlock(p);
}

static __always_inline void flow_abandon(struct flow_place *p)
{
	place_unlock(p);
}

/* Lock the bucket of (@position, @version); NULL if it is another flow by now or busy. */
static __always_inline struct lb_bucket *flow_lock(int family, __u32 position,
						   __u32 version)
{
	struct lb_bucket *b = bucket_get(family, position / LB_FLOW_WAYS);

	if (!b || !bucket_lock(b))
		return NULL;
	if (flow_at(b, family, position)->version == version)
		return b;

	bucket_unlock(b);
	return NULL;
}

/* Invariant 4: the connection in @way leaves one way of its bucket to others. */
static __always_inline void leave_a_way(struct lb_bucket *b, int family, __u32 way,
					__u32 now)
{
	__u64 others = ways_taken(b), oldest;

	if (others != BYTES)
		return;
	others ^= 1ULL << 8 * (way & 7);
	if (SCORE_RANK(bucket_scan(b, true, others, now)))
		return;
	oldest = bucket_scan(b, false, others, now);
	if (SCORE_RANK(oldest))
		flow_evict(b, family, SCORE_WAY(oldest), LB_EVENT_EVICTED_OLDEST);
}

/*
 * Move the flow of @pkt to @state.  If its bucket is busy nothing happens: the next packet
 * tries again, and a FIN that is missed costs the idle timeout.
 */
static __always_inline void flow_change_state(struct lb_pkt *pkt, int family, __u32 state)
{
	struct lb_bucket *b = flow_lock(family, pkt->position, pkt->version);
	__u32 way = pkt->position;

	if (!b)
		return;

	asm volatile("%0 &= 7" : "+r"(way));
	if (LB_WAY_STATE(b->state[way]) == LB_WAY_STATE(pkt->way)) {
		b->state[way] = LB_WAY(state, LB_WAY_PROFILE(pkt->way));
		if (state == LB_FLOW_CLOSED)
			live_add(pkt->backend, -1);
	}

	if (LB_WAY_STATE(pkt->way) == LB_FLOW_HALF_OPEN && state != LB_FLOW_CLOSED)
		leave_a_way(b, family, way, pkt->now);
	bucket_unlock(b);
}

/* Remember the next hop towards the client until @expires. */
static __always_inline void flow_set_hop(struct lb_pkt *pkt, int family, __u64 hop,
					 __u32 expires)
{
	struct lb_bucket *b = flow_lock(family, pkt->position, pkt->version);
	struct lb_flow *f;

	if (!b)
		return;

	f = flow_at(b, family, pkt->position);
	WRITE_ONCE(f->hop, hop);
	WRITE_ONCE(f->hop_expires, expires);
	bucket_unlock(b);
}

#endif /* LB_FLOW_WRITE_BPF_H */
