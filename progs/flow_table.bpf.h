/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow_table.bpf.h - which backend a connection is with, and when that is forgotten.
 *
 * A set-associative table per address family in a plain ARRAY map.  A flow is in one of
 * two buckets that its hash names; a bucket is one cache line of tags, states and times
 * for eight ways, followed by the eight flows.  A known flow costs that line and its own.
 * The kernel's LRU maps cost more, hand out recycled nodes to readers, and keep the
 * eviction to themselves; here it is ours, so that a SYN flood cannot evict a connection
 * and a backend's count of live flows is exact.
 *
 *	flow_find()		look a packet's flow up and copy it, without a lock
 *	and in flow_write.bpf.h
 *	flow_reserve()		lock, find again or choose a way for the newcomer
 *	  flow_clear()		... that nobody sees from here on
 *	  flow_publish()	... is filled and shown
 *	  flow_abandon()	... or given back
 *	flow_evict()		the one way in which a flow ends
 *	flow_change_state()	and what else is written into a living flow
 *	flow_set_hop()
 *
 * lbctl iterates by mapping the arrays and reading as flow_copy() does.  It never takes a
 * lock: it could be killed while it holds one.
 *
 * Invariants
 *
 * 1. Writers hold the lock of the bucket they write to.  Whoever adds a flow holds the
 *    lock of its first bucket from the last search to the end, even if it is placed in the
 *    second: so a flow is never there twice.  Locks are tried a bounded number of times,
 *    so that taking a second one cannot deadlock; failing is counted (busy) or retried by
 *    the next packet.
 * 2. flow.version is even while a flow is there, odd while the way is free or being
 *    written, and goes up with each change of tenant.  Readers take no lock: they read the
 *    version, then the rest, then the version again, and use only the copy.  (position,
 *    version) names a flow for good; whatever writes to it later checks both under lock.
 * 3. `seen` alone is written without a lock.  At worst the way's next tenant looks used.
 * 4. A way goes: free, then timed out or closed, then half-open, then the one seen longest
 *    ago.  Half-open flows (SYN seen, the client's first ACK not) hold at most one way of a
 *    bucket, and make room only by a free, timed-out or closed way, one another, or a UDP
 *    flow.  TCP flows beyond that leave one way of their bucket to others.  So a flood of
 *    SYNs, with or without resets or FINs, finds its one way in eight and evicts no
 *    connection, and a full table still accepts new ones.
 * 5. lb_records.live[backend] counts the flows that name the backend and are not closed; it
 *    changes under the flow's lock only.  Flows of a backend's former incarnation are dead
 *    and were never counted for the new one.
 *
 * Times are 32-bit jiffies: a way untouched for 2^31 of them (24 days at 1000 Hz) looks
 * young again.  By then its timeout has long been noticed, or nobody asked.
 */
#ifndef LB_FLOW_TABLE_BPF_H
#define LB_FLOW_TABLE_BPF_H

#include <linux/in.h>

#include "chain.bpf.h"
#include "flow_state.bpf.h"
#include "order.bpf.h"
#include "services.bpf.h"
#include <lb/hash.h>

/* Flows of IPv4: bucket -> eight ways.  Sized by the loader (lb_params.flow_buckets). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct lb_bucket4);
} lb_flows4 SEC(".maps");

/* Flows of IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct lb_bucket6);
} lb_flows6 SEC(".maps");

struct timeouts {
	__u32 of[LB_MAX_PROFILES * LB_FLOW_STATES]; /* index: LB_WAY */
};
_Static_assert(sizeof(struct timeouts) == LB_MAX_PROFILES * sizeof(struct lb_profile),
	       "");

/* All profiles.  Written by lbctl.  Global data: see lb_switches. */
struct timeouts lb_profiles SEC(".data.lb_profiles");

#define NO_WAY LB_FLOW_WAYS

/* ---- where things are ------------------------------------------------------------ */

/* @family is a constant wherever these are inlined: no code is left of the choice. */
static __always_inline struct lb_bucket *bucket_get(int family, __u32 index)
{
	if (family == 4)
		return bpf_map_lookup_elem(&lb_flows4, &index);
	return bpf_map_lookup_elem(&lb_flows6, &index);
}

static __always_inline __u32 bucket_first(__u64 hash)
{
	return LB_BUCKET_1(hash) & (lb_params.flow_buckets - 1);
}

static __always_inline __u32 bucket_second(__u64 hash)
{
	__u32 second = LB_BUCKET_2(hash) & (lb_params.flow_buckets - 1);

	return second == bucket_first(hash) ? second ^ 1 : second;
}

static __always_inline __u64 *flow_key(struct lb_bucket *b, int family, __u64 way)
{
	asm volatile("%0 &= 7" : "+r"(way)); /* the bound, where the verifier looks */
	if (family == 4)
		return ((struct lb_bucket4 *)b)->flow[way].key;
	return ((struct lb_bucket6 *)b)->flow[way].key;
}

static __always_inline struct lb_flow *flow_at(struct lb_bucket *b, int family, __u64 way)
{
	asm volatile("%0 &= 7" : "+r"(way));
	if (family == 4)
		return &((struct lb_bucket4 *)b)->flow[way].flow;
	return &((struct lb_bucket6 *)b)->flow[way].flow;
}

/* The key of @f, without another mask and shift to get there. */
static __always_inline __u64 *key_of(struct lb_flow *f, int family)
{
	if (family == 4)
		return (void *)f - offsetof(struct lb_flow4, flow);
	return (void *)f - offsetof(struct lb_flow6, flow);
}

static __always_inline int key_words(int family)
{
	return family == 4 ? 1 : 3;
}

static __always_inline bool key_equal(const __u64 *a, const __u64 *b, int family)
{
	if (family == 4)
		return a[0] == b[0];
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]));
}

/* ---- reading --------------------------------------------------------------------- */

static __always_inline bool flow_expired(const struct timeouts *t, __u8 way, __u32 seen,
					 __u32 now)
{
	/* Signed: another CPU may have seen the flow after we took the time. */
	return (__s32)(now - seen) > (__s32)t->of[way];
}

/*
 * Copy the flow in @way into @pkt if it is there, whole, and not timed out; with
 * @any_key also its key, else only if it has pkt->key.
 */
static __always_inline bool flow_copy(struct lb_pkt *pkt, struct lb_bucket *b, int family,
				      __u64 way, bool any_key)
{
	const struct timeouts *t = &lb_profiles;
	struct lb_flow *f = flow_at(b, family, way);
	__u64 *key = key_of(f, family);
	__u32 version = READ_ONCE(f->version);
	__u32 seen;

	if (version & 1)
		return false;

	f = load_after(f, version);
	key = load_after(key, version);
	b = load_after(b, version);
	if (!any_key && !key_equal(pkt->key, key, family))
		return false;

	asm volatile("%0 &= 7" : "+r"(way));
	seen = READ_ONCE(b->seen[way]);
	pkt->way = READ_ONCE(b->state[way]);
	pkt->backend = READ_ONCE(f->backend);
	pkt->nat_port = READ_ONCE(f->nat_port);
	pkt->hop = READ_ONCE(f->hop);
	pkt->hop_expires = READ_ONCE(f->hop_expires);
	if (any_key) {
		pkt->key[0] = READ_ONCE(key[0]);
		if (family == 6) {
			pkt->key[1] = READ_ONCE(key[1]);
			pkt->key[2] = READ_ONCE(key[2]);
		}
	}

	f = load_after(f,
		       seen + pkt->hop + pkt->hop_expires + pkt->backend + pkt->key[0]);
	if (READ_ONCE(f->version) != version || flow_expired(t, pkt->way, seen, pkt->now))
		return false;

	pkt->version = version;
	return true;
}

#define LANES 0x0001000100010001ULL

/*
 * Which of four tags are @tag: bit 15 of each such lane.  The borrow may show a lane
 * above a true one falsely, which costs a comparison of keys and no more.
 */
static __always_inline __u64 tags_equal(__u64 tags, __u16 tag)
{
	__u64 x = tags ^ (tag * LANES);

	return (x - LANES) & ~x & (LANES << 15);
}

/* The lowest lane set, without a loop: one of four powers of 2^16 picks its number. */
static __always_inline __u32 lane_first(__u64 lanes)
{
	return (((lanes & -lanes) >> 15) * 0x0000000100020003ULL) >> 48;
}

/* The way of @b whose tag and key are @pkt's, or NO_WAY.  Without the lock, a hint. */
static __always_inline __u32 bucket_search(const struct lb_pkt *pkt, int family,
					   struct lb_bucket *b)
{
	/* b->tag itself is read in halfwords, as it is aligned. */
	const volatile __u64 *all = (const void *)b->tag;
	__u16 mine = LB_TAG(pkt->hash);

#pragma unroll
	for (int half = 0; half < 2; half++) {
		__u64 tags = all[half];
		__u64 lanes = tags_equal(tags, mine);

#pragma unroll
		for (int try = 0; try < 4; try++) {
			__u32 way = 4 * half + lane_first(lanes);

			if (!lanes)
				break;
			if (key_equal(pkt->key, flow_key(b, family, way), family))
				return way;
			lanes &= lanes - 1;
		}
	}
	return NO_WAY;
}

/* The way of bucket @index that holds pkt->key, copied into @pkt; or NO_WAY. */
static __always_inline __u32 bucket_find(struct lb_pkt *pkt, int family, __u32 index,
					 struct lb_bucket *b)
{
	__u32 way = bucket_search(pkt, family, b);

	if (way == NO_WAY || !flow_copy(pkt, b, family, way, false))
		return NO_WAY;

	pkt->position = index * LB_FLOW_WAYS + way;
	return way;
}

static __always_inline void flow_touch(struct lb_bucket *b, __u64 way, __u32 now)
{
	asm volatile("%0 &= 7" : "+r"(way));
	if (b->seen[way] != now) /* do not dirty the line more than once a jiffy */
		WRITE_ONCE(b->seen[way], now);
}

/* Can this packet begin a flow? */
static __always_inline bool may_choose(const struct lb_pkt *pkt)
{
	return pkt->protocol != IPPROTO_TCP || tcp_is_syn(pkt->tcp_flags);
}

/*
 * Is the flow that was copied into @pkt of no use, although it has not timed out?  Its
 * backend may be gone, or be down and the packet can go elsewhere, or a new connection
 * comes from the same port.
 */
static __always_inline bool flow_is_over(const struct lb_pkt *pkt)
{
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));

	if (!backend || READ_ONCE(backend->ref) != pkt->backend)
		return true;
	if (READ_ONCE(backend->state) == LB_BACKEND_DOWN && may_choose(pkt))
		return true;
	return LB_WAY_STATE(pkt->way) == LB_FLOW_CLOSED && tcp_is_syn(pkt->tcp_flags);
}

/*
 * Find the flow of pkt->key and pkt->hash: the copy is in @pkt, pkt->version is not 0,
 * and it counts as seen, but by an error.  Else pkt->version is 0.
 */
static __always_inline bool flow_find(struct lb_pkt *pkt, int family)
{
	__u32 index = bucket_first(pkt->hash);
	struct lb_bucket *b = bucket_get(family, index);
	__u32 way;

	pkt->version = 0;
	if (!b)
		return false;

	way = bucket_find(pkt, family, index, b);
	if (way == NO_WAY) {
		index = bucket_second(pkt->hash);
		b = bucket_get(family, index);
		if (!b)
			return false;
		way = bucket_find(pkt, family, index, b);
	}
	if (way == NO_WAY || flow_is_over(pkt)) {
		pkt->version = 0;
		pkt->backend = LB_NO_BACKEND;
		return false;
	}

	/* A flow that has ended may go on to cause errors. */
	if (!(pkt->flags & LB_PKT_ERROR))
		flow_touch(b, way, pkt->now);
	return true;
}

#endif /* LB_FLOW_TABLE_BPF_H */
