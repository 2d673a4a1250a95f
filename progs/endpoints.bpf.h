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
#include "records.bpf.h"
#include <lb/hash.h>

/* struct lb_endpoint_key4 or lb_endpoint_key6. */
struct endpoint_key {
	__u64 word[3];
};

static __always_inline __u32 bucket4_value(__u32 index, const __u64 *key)
{
	const struct lb_endpoint_bucket4 *b =
		LB_OPAQUE(&lb_records.endpoints4[LB_BELOW(LB_ENDPOINT_BUCKETS, index)]);

#pragma unroll
	for (int i = 0; i < LB_ENDPOINT_WAYS; i++)
		if (b->way[i].key[0] == key[0] && b->way[i].value)
			return READ_ONCE(b->way[i].value);
	return 0;
}

static __always_inline __u32 bucket6_value(__u32 index, const __u64 *key)
{
	const struct lb_endpoint_bucket6 *b =
		LB_OPAQUE(&lb_records.endpoints6[LB_BELOW(LB_ENDPOINT_BUCKETS, index)]);

#pragma unroll
	for (int i = 0; i < LB_ENDPOINT_WAYS; i++)
		if (b->way[i].value &&
		    !((b->way[i].key[0] ^ key[0]) | (b->way[i].key[1] ^ key[1]) |
		      (b->way[i].key[2] ^ key[2])))
			return READ_ONCE(b->way[i].value);
	return 0;
}

static __always_inline __u32 bucket_value(int family, __u32 index, const __u64 *key)
{
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
