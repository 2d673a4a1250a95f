/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat.bpf.h - translated tuples: which flow a reply belongs to, and which port is free.
 *
 * One word per place: the flow's position and version.  A tuple's hash names its only
 * place, so claiming the place with one compare-and-swap makes the tuple unique; two
 * tuples that share a place cannot both be had, and the second tries its next port.  A
 * place whose flow has ended (another version) is free: nobody has to clean up.  Ports that
 * are tried one after another are neighbours, so that they cost one cache miss.
 */
#ifndef LB_NAT_BPF_H
#define LB_NAT_BPF_H

#include "flow_table.bpf.h"

/* Hash of a translated IPv4 tuple -> its flow.  Sized by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* begins on a page: a group is one line */
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct lb_nat_group);
} lb_nat4 SEC(".maps");

/* Hash of a translated IPv6 tuple -> its flow. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* begins on a page: a group is one line */
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct lb_nat_group);
} lb_nat6 SEC(".maps");

/* A tuple of either family, and as the words that are hashed; the ports come last. */
union nat_tuple {
	struct lb_tuple4 v4;
	struct lb_tuple6 v6;
	__u64 word[5];
};

static __always_inline int tuple_words(int family)
{
	return family == 4 ? 2 : 5;
}

/* The hash of all of @t but the word with the ports. */
static __always_inline __u64 tuple_prefix(const union nat_tuple *t, int family)
{
	__u64 h = lb_params.seed[0];

#pragma unroll
	for (int i = 0; i < tuple_words(family) - 1; i++)
		h = lb_hash_step(h, t->word[i], lb_params.seed);
	return h;
}

/* Where the tuple is whose last word is @ports, and those next to it. */
static __always_inline struct lb_nat_group *nat_group(int family, __u64 prefix,
						      __u64 ports)
{
	__u64 h = lb_hash_end(lb_hash_step(prefix, LB_NAT_GROUP(ports), lb_params.seed),
			      lb_params.seed);
	__u32 index = LB_BUCKET_1(h) & (lb_params.nat_slots / LB_NAT_PLACES - 1);

	if (family == 4)
		return bpf_map_lookup_elem(&lb_nat4, &index);
	return bpf_map_lookup_elem(&lb_nat6, &index);
}

#define NAT_POSITION(word) ((__u32)(word)-1)
#define NAT_VERSION(word)  ((__u32)((word) >> 32))

/* Copy the flow that @t belongs to into @pkt with its key, or return false. */
static __always_inline bool nat_find(struct lb_pkt *pkt, int family,
				     const union nat_tuple *t)
{
	__u64 ports = t->word[tuple_words(family) - 1], word;
	struct lb_nat_group *g = nat_group(family, tuple_prefix(t, family), ports);
	struct lb_bucket *b;

	pkt->version = 0;
	if (!g)
		return false;
	word = READ_ONCE(g->flow[LB_NAT_PLACE(ports)]);
	if (!word)
		return false;

	b = bucket_get(family, NAT_POSITION(word) / LB_FLOW_WAYS);
	if (!b || !flow_copy(pkt, b, family, NAT_POSITION(word), true))
		return false;
	if (pkt->version != NAT_VERSION(word)) {
		pkt->version = 0;
		return false;
	}

	pkt->position = NAT_POSITION(word);
	return true;
}

/*
 * The flow that nat_find() found counts as seen, but by an error: not before it is known to
 * be the one.
 */
static __always_inline void nat_touch(const struct lb_pkt *pkt, int family)
{
	struct lb_bucket *b = bucket_get(family, pkt->position / LB_FLOW_WAYS);

	if (b && !(pkt->flags & LB_PKT_ERROR))
		flow_touch(b, pkt->position, pkt->now);
}

#endif /* LB_NAT_BPF_H */
