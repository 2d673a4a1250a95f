/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * endpoints.bpf.h - is this exact address, port and protocol any business of ours?
 *
 * An array-based table with two candidate buckets of four ways, one cache line (IPv4): a
 * kernel hash map costs more than twice as much, and every foreign packet pays for this.
 */
#ifndef LB_ENDPOINTS_BPF_H
#define LB_ENDPOINTS_BPF_H

#include "chain.bpf.h"
#include "order.bpf.h"
#include <lb/hash.h>

/* (IPv4 address, port, protocol, kind) -> what it is to us.  Written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LB_ENDPOINT_BUCKETS);
	__type(key, __u32);
	__type(value, struct lb_endpoint_bucket4);
} lb_endpoints4 SEC(".maps");

/* The same for IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LB_ENDPOINT_BUCKETS);
	__type(key, __u32);
	__type(value, struct lb_endpoint_bucket6);
} lb_endpoints6 SEC(".maps");

/* struct lb_endpoint_key4 or lb_endpoint_key6. */
struct endpoint_key {
	__u64 word[3];
};

static __always_inline __u32 bucket4_value(__u32 index, const __u64 *key)
{
	const struct lb_endpoint_bucket4 *b = bpf_map_lookup_elem(&lb_endpoints4, &index);

	if (!b)
		return 0;
#pragma unroll
	for (int i = 0; i < LB_ENDPOINT_WAYS; i++)
		if (b->way[i].key[0] == key[0] && b->way[i].value)
			return READ_ONCE(b->way[i].value);
	return 0;
}

static __always_inline __u32 bucket6_value(__u32 index, const __u64 *key)
{
	const struct lb_endpoint_bucket6 *b = bpf_map_lookup_elem(&lb_endpoints6, &index);

	if (!b)
		return 0;
#pragma unroll
	for (int i = 0; i < LB_ENDPOINT_WAYS; i++)
		if (b->way[i].value &&
		    !((b->way[i].key[0] ^ key[0]) | (b->way[i].key[1] ^ key[1]) |
		      (b->way[i].key[2] ^ key[2])))
			return READ_ONCE(b->way[i].value);
	return 0;
}

static __always_inline __u32 bucket_value(int family, __u32 hash, const __u64 *key)
{
	__u32 index = hash & (LB_ENDPOINT_BUCKETS - 1);

	return family == 4 ? bucket4_value(index, key) : bucket6_value(index, key);
}

/* The value of @key, or 0.  @family is a constant. */
static __always_inline __u32 endpoint_find(int family, const struct endpoint_key *key)
{
	__u64 h = lb_hash(key->word, family == 4 ? 1 : 3, lb_params.seed);

	return bucket_value(family, LB_BUCKET_1(h), key->word)
		       ?: bucket_value(family, LB_BUCKET_2(h), key->word);
}

#endif /* LB_ENDPOINTS_BPF_H */
