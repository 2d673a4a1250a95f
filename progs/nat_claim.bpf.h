/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_claim.bpf.h - a source port for a new flow, that no live flow has towards its backend.
 *
 * The search starts at hash(client address) + client port, so that the connections of one
 * client take different ports until its own port numbers repeat.  It goes through the ports
 * that share a cache line of lb_nat with that one, then through those of the next line.
 */
#ifndef LB_NAT_CLAIM_BPF_H
#define LB_NAT_CLAIM_BPF_H

#include <bpf/bpf_endian.h>

#include "flow_write.bpf.h"
#include "nat.bpf.h"

/* Lines to be tried.  In a full flow table half of all places are taken, and all eight of a
 * line in one of 20, or of 6 if the backends' ports are few. */
#define NAT_GROUPS 6

/* Places whose flows are looked at together: their cache misses overlap. */
#define NAT_AT_ONCE 2

/* What is looked for, and where. */
struct nat_search {
	__u64 prefix; /* of the tuple's hash */
	__u64 ports;  /* its last word, without nat_port */
	__u64 mine;   /* what a place gets */
	__u32 low;
	__u32 span; /* high - low */
	__u32 port; /* to begin with */
	__u32 now;
};

static __always_inline struct lb_nat_group *search_group(int family,
							 const struct nat_search *s)
{
	return nat_group(family, s->prefix, s->ports | LB_NAT_PORT(bpf_htons(s->port)));
}

/* The port of the place @i places after that of s->port. */
static __always_inline __u32 search_port(const struct nat_search *s, __u32 i)
{
	return (s->port & ~(LB_NAT_PLACES - 1)) | ((s->port + i) & (LB_NAT_PLACES - 1));
}

static __always_inline bool is_in_range(const struct nat_search *s, __u32 port)
{
	return port - s->low <= s->span;
}

/* Go on to the ports of the next line, or of the range's first; false if that is @first's. */
static __always_inline bool search_on(struct nat_search *s, __u32 first)
{
	s->port = (s->port & ~(LB_NAT_PLACES - 1)) + LB_NAT_PLACES;
	if (!is_in_range(s, s->port))
		s->port = s->low;
	return (s->port ^ first) >= LB_NAT_PLACES;
}

/* ---- free places ------------------------------------------------------------------ */

/*
 * Is what @word names over?  The version of a flow that is just being written is odd, and
 * rounds up to the one that its claim names.
 */
static __always_inline bool nat_is_free(int family, __u64 word)
{
	__u32 way = NAT_POSITION(word);
	struct lb_bucket *b = bucket_get(family, way / LB_FLOW_WAYS);

	return !b || ((READ_ONCE(flow_at(b, family, way)->version) + 1) & ~1U) !=
			     NAT_VERSION(word);
}

/*
 * The port to begin with, if it is free: a connection whose flow was lost goes on with the port
 * that its backend knows.
 */
static __always_inline __u32 nat_first(int family, struct lb_nat_group *g,
				       const struct nat_search *s)
{
	__u64 *place = &g->flow[s->port & (LB_NAT_PLACES - 1)];
	__u64 word = READ_ONCE(*place);

	return nat_is_free(family, word) &&
			       __sync_bool_compare_and_swap(place, word, s->mine)
		       ? s->port
		       : 0;
}

/* Places that were given back, in which there is nothing to look after. */
static __always_inline __u32 nat_empty(struct lb_nat_group *g, const struct nat_search *s)
{
#pragma unroll
	for (__u32 i = 0; i < LB_NAT_PLACES; i++) {
		__u32 port = search_port(s, i);
		__u64 *place = &g->flow[port & (LB_NAT_PLACES - 1)];

		if (!READ_ONCE(*place) && is_in_range(s, port) &&
		    __sync_bool_compare_and_swap(place, 0, s->mine))
			return port;
	}
	return 0;
}

static __always_inline __u32 nat_free(int family, const struct nat_search *s)
{
	struct lb_nat_group *g = search_group(family, s);
	__u32 port;

	if (!g)
		return 0;
	port = nat_first(family, g, s) ?: nat_empty(g, s);
	if (port)
		return port;

#pragma unroll
	for (__u32 first = 0; first < LB_NAT_PLACES; first += NAT_AT_ONCE) {
		__u64 word[NAT_AT_ONCE];
		__u32 free = 0;

#pragma unroll
		for (__u32 i = 0; i < NAT_AT_ONCE; i++) {
			port = search_port(s, first + i);
			word[i] = READ_ONCE(g->flow[port & (LB_NAT_PLACES - 1)]);
			free |= (nat_is_free(family, word[i]) && is_in_range(s, port))
				<< i;
		}
#pragma unroll
		for (__u32 i = 0; i < NAT_AT_ONCE; i++) {
			port = search_port(s, first + i);
			if ((free >> i & 1) &&
			    __sync_bool_compare_and_swap(
				    &g->flow[port & (LB_NAT_PLACES - 1)], word[i],
				    s->mine))
				return port;
		}
	}
	return 0;
}

/*
 * The first port of the line that no flow has, now s->mine; 0: none.
 *
 * Global functions: the verifier need not look at them for each line anew.
 */
__noinline __u32 nat_free4(const struct nat_search *s)
{
	return s ? nat_free(4, s) : 0;
}

__noinline __u32 nat_free6(const struct nat_search *s)
{
	return s ? nat_free(6, s) : 0;
}

/* ---- places of flows that are over ------------------------------------------------ */

/* The age (see AGE_BIAS) of the flow that @word names if it is closed or timed out, else 0. */
static __always_inline __u32 nat_age(int family, __u64 word, __u32 now)
{
	__u32 way = NAT_POSITION(word);
	struct lb_bucket *b = bucket_get(family, way / LB_FLOW_WAYS);

	if (!b || READ_ONCE(flow_at(b, family, way)->version) != NAT_VERSION(word))
		return 0;

	asm volatile("%0 &= 7" : "+r"(way));
	if (LB_WAY_STATE(b->state[way]) != LB_FLOW_CLOSED &&
	    !flow_expired(&lb_profiles, b->state[way], b->seen[way], now))
		return 0;
	return now - b->seen[way] + AGE_BIAS;
}

static __always_inline __u64 nat_oldest(int family, const struct nat_search *s)
{
	struct lb_nat_group *g = search_group(family, s);
	__u32 most = 0;
	__u64 ret = 0;

	if (!g)
		return 0;

#pragma unroll
	for (__u32 i = 0; i < LB_NAT_PLACES; i++) {
		__u32 port = search_port(s, i);
		__u64 word = READ_ONCE(g->flow[port & (LB_NAT_PLACES - 1)]);
		__u32 age = is_in_range(s, port) ? nat_age(family, word, s->now) : 0;

		if (age > most) {
			most = age;
			ret = word;
		}
	}
	return ret;
}

/* What is in the place of the line whose flow has been over for longest; 0: none is. */
__noinline __u64 nat_oldest4(const struct nat_search *s)
{
	return s ? nat_oldest(4, s) : 0;
}

__noinline __u64 nat_oldest6(const struct nat_search *s)
{
	return s ? nat_oldest(6, s) : 0;
}

/* End the flow that @holder names, and take its port; 0: another CPU was faster. */
static __always_inline __u32 nat_take_over(const struct nat_search *s, int family,
					   __u64 holder, const struct flow_place *p)
{
	struct lb_nat_group *g = search_group(family, s);
	__u32 position = NAT_POSITION(holder);
	struct lb_bucket *b = bucket_get(family, position / LB_FLOW_WAYS);
	bool held = b == p->first || b == p->bucket;

	if (!g || !b || (!held && !bucket_lock(b)))
		return 0;
	if (flow_at(b, family, position)->version == NAT_VERSION(holder))
		flow_evict(b, family, position & 7, LB_EVENT_PORT_TAKEN);
	if (!held)
		bucket_unlock(b);

#pragma unroll
	for (__u32 i = 0; i < LB_NAT_PLACES; i++) {
		__u32 port = search_port(s, i);
		__u64 *place = &g->flow[port & (LB_NAT_PLACES - 1)];

		if (READ_ONCE(*place) == holder)
			return __sync_bool_compare_and_swap(place, holder, s->mine) ? port
										    : 0;
	}
	return 0;
}

/* ---- giving back ------------------------------------------------------------------ */

/* The tuple of the flow in the way that is reserved, if its port is translated. */
static __always_inline bool nat_tuple_of(int family, const struct flow_place *p,
					 union nat_tuple *t)
{
	const struct lb_flow *f = flow_at(p->bucket, family, p->way);
	const __u64 *key = flow_key(p->bucket, family, p->way);
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(f->backend));
	const struct lb_service *service =
		service_get(family == 4 ? ((const struct lb_flow_key4 *)key)->service
					: ((const struct lb_flow_key6 *)key)->service);

	if (!backend || !service || service->forward != LB_FORWARD_FULLNAT)
		return false;
	if (family == 4) {
		t->v4.backend = backend->address[0];
		t->v4.address = service->address[0];
		t->v4.backend_port = backend->port;
		t->v4.nat_port = f->nat_port;
		t->v4.protocol = service->protocol;
	} else {
		__builtin_memcpy(t->v6.backend, backend->address, 16);
		__builtin_memcpy(t->v6.address, f + 1, 16); /* lb_flow6.origin */
		t->v6.backend_port = backend->port ?: f->origin_port;
		t->v6.nat_port = f->nat_port;
		t->v6.protocol = service->protocol;
	}
	return true;
}

/*
 * A flow that goes for a new one empties its place, so that who finds it need not look at the
 * flow to see that it is over: two cache misses less for each new flow while the table is
 * full (64k: 600 to 540 ns).  Nothing relies on it: lbctl may have changed the service, and
 * flows end in stages that do not know of ports.
 *
 * Nobody but us writes to the place of a flow that is there and whose lock we have.  @t is
 * for our use: the stack is small.
 */
static __always_inline void nat_give_back(int family, const struct flow_place *p,
					  union nat_tuple *t)
{
	__u32 version = flow_at(p->bucket, family, p->way)->version;
	__u64 holder = LB_NAT(p->index * LB_FLOW_WAYS + p->way, version), ports;
	struct lb_nat_group *g;
	__u64 *place;

	if ((version & 1) || !nat_tuple_of(family, p, t))
		return;
	ports = t->word[tuple_words(family) - 1];
	g = nat_group(family, tuple_prefix(t, family), ports);
	if (!g)
		return;
	place = &g->flow[LB_NAT_PLACE(ports)];
	if (READ_ONCE(*place) == holder)
		WRITE_ONCE(*place, 0);
}

/* ---- the search ------------------------------------------------------------------- */

/*
 * Clear the way of the flow that is being made in @p, and give it a source port for tuple @t,
 * whose nat_port is 0 and which is lost, from @low to @high.  0: all that were tried belong
 * to live flows.
 */
static __always_inline __be16 nat_claim(int family, union nat_tuple *t, __u32 start,
					__u32 low, __u32 high, struct flow_place *p,
					__u32 now)
{
	__u32 span = high - low, first = low + start % (span + 1 ?: 1), port;
	struct nat_search s = {
		.prefix = tuple_prefix(t, family),
		.ports = t->word[tuple_words(family) - 1],
		.mine = LB_NAT(p->index * LB_FLOW_WAYS + p->way, p->version),
		.low = low,
		.span = span,
		.port = first,
		.now = now,
	};
	struct lb_nat_group *g = search_group(family, &s);

	/* The cache misses for the place that is given back and those to be searched overlap. */
	if (!g)
		return 0;
	(void)READ_ONCE(g->flow[0]);
	nat_give_back(family, p, t);
	flow_clear(p, family);

#pragma unroll
	for (int i = 0; i < NAT_GROUPS; i++) {
		port = family == 4 ? nat_free4(&s) : nat_free6(&s);
		if (port)
			return bpf_htons(port);
		if (!search_on(&s, first))
			break;
	}

	s.port = first;
#pragma unroll
	for (int i = 0; i < NAT_GROUPS; i++) {
		__u64 holder = family == 4 ? nat_oldest4(&s) : nat_oldest6(&s);

		if (holder)
			return bpf_htons(nat_take_over(&s, family, holder, p));
		if (!search_on(&s, first))
			break;
	}
	return 0;
}

#endif /* LB_NAT_CLAIM_BPF_H */
