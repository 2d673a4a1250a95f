/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_claim.bpf.h - a source port for a new flow, that no live flow has towards its backend.
 *
 * The search starts at hash(client address) + client port, so that the connections of one
 * client take different ports until its own port numbers repeat.
 */
#ifndef LB_NAT_CLAIM_BPF_H
#define LB_NAT_CLAIM_BPF_H

#include <bpf/bpf_endian.h>

#include "flow_write.bpf.h"
#include "nat.bpf.h"

#define NAT_TRIES 8

enum holder { HOLDER_NONE, HOLDER_OVER, HOLDER_LIVE };

#define HOLDER(holder, age) ((__u64)(holder) << 32 | (__u32)(age))

/*
 * Who holds a place, and for how long has it been idle?  The version of a flow that is
 * just being written is odd, and rounds up to the one that its claim names.
 */
static __always_inline __u64 nat_holder(int family, __u64 word, __u32 now)
{
	const struct timeouts *t = &lb_profiles;
	__u32 way = NAT_POSITION(word), version, idle;
	struct lb_bucket *b = bucket_get(family, way / LB_FLOW_WAYS);

	if (!b)
		return HOLDER(HOLDER_NONE, 0);
	version = READ_ONCE(flow_at(b, family, way)->version);
	if (((version + 1) & ~1U) != NAT_VERSION(word))
		return HOLDER(HOLDER_NONE, 0);

	asm volatile("%0 &= 7" : "+r"(way));
	idle = now - b->seen[way];
	if (!(version & 1) && (LB_WAY_STATE(b->state[way]) == LB_FLOW_CLOSED ||
			       flow_expired(t, b->state[way], b->seen[way], now)))
		return HOLDER(HOLDER_OVER, idle);
	return HOLDER(HOLDER_LIVE, idle);
}

/* Global functions: the verifier need not look at them for each try anew. */
__noinline __u64 nat_holder4(__u64 word, __u32 now)
{
	return word ? nat_holder(4, word, now) : HOLDER(HOLDER_NONE, 0);
}

__noinline __u64 nat_holder6(__u64 word, __u32 now)
{
	return word ? nat_holder(6, word, now) : HOLDER(HOLDER_NONE, 0);
}

/* A tuple in other hands that may be had. */
struct nat_claim {
	__u64 *place;
	__u64 holder;
	__u32 age;
	__be16 port;
};

/* End the closed or timed-out flow that holds the tuple, and take it for @mine. */
static __always_inline __be16 nat_take_over(const struct nat_claim *c, int family,
					    const struct flow_place *p, __u64 mine)
{
	__u32 position = NAT_POSITION(c->holder);
	__u32 index = position / LB_FLOW_WAYS;
	struct lb_bucket *b = bucket_get(family, index);
	bool held = b == p->first || b == p->bucket;

	if (!b || (!held && !bucket_lock(b)))
		return 0;
	if (flow_at(b, family, position)->version == NAT_VERSION(c->holder))
		flow_evict(b, family, position & 7, LB_EVENT_PORT_TAKEN);
	if (!held)
		bucket_unlock(b);

	return __sync_val_compare_and_swap(c->place, c->holder, mine) == c->holder
		       ? c->port
		       : 0;
}

/*
 * Give the flow that is being made in @p a source port for tuple @t, whose nat_port is
 * open, from @low to @high.  0: all that were tried belong to live flows.
 */
static __always_inline __be16 nat_claim(int family, union nat_tuple *t, __u32 start,
					__u32 low, __u32 high, const struct flow_place *p,
					__u32 now)
{
	__u64 mine = LB_NAT(p->index * LB_FLOW_WAYS + p->way, p->version);
	__be16 *port = family == 4 ? &t->v4.nat_port : &t->v6.nat_port;
	__u64 *last = &t->word[tuple_words(family) - 1];
	__u64 prefix = tuple_prefix(t, family);
	__u32 span = high - low + 1;
	struct nat_claim over = {};

	start %= span ?: 1;
#pragma unroll
	for (int i = 0; i < NAT_TRIES; i++) {
		__u64 *place, word, holder;
		__u32 age;

		*port = bpf_htons(low + start);
		place = nat_place(family, prefix, *last);
		if (!place)
			return 0;
		word = READ_ONCE(*place);
		holder = family == 4 ? nat_holder4(word, now) : nat_holder6(word, now);
		age = holder;
		holder >>= 32;
		if (holder == HOLDER_NONE &&
		    __sync_val_compare_and_swap(place, word, mine) == word)
			return *port;
		if (holder == HOLDER_OVER && (!over.place || age > over.age))
			over = (struct nat_claim){ place, word, age, *port };
		start = start + 1 < span ? start + 1 : 0;
	}

	return over.place ? nat_take_over(&over, family, p, mine) : 0;
}

#endif /* LB_NAT_CLAIM_BPF_H */
