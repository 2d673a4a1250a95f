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

/*
 * The value of @key in the bucket that @hash names, or 0; *ret_spilt: is it to be looked for
 * in its second bucket, too?  The mask is all that is to be done to @hash.
 */
static __always_inline __u32 bucket4_value(__u64 hash, const __u64 *key, bool *ret_spilt)
{
	const struct lb_endpoint_bucket4 *b =
		LB_OPAQUE(&lb_records.endpoints4[LB_BELOW(LB_ENDPOINT_BUCKETS, hash)]);

#pragma unroll
	for (int i = 0; i < LB_ENDPOINT_WAYS; i++) {
		/* Once: it may be cleared now. */
		__u32 value = READ_ONCE(b->way[i].value);

		if (b->way[i].key[0] == key[0] && value)
			return value;
	}
	*ret_spilt = READ_ONCE(b->way[0].spilt);
	return 0;
}

static __always_inline __u32 bucket6_value(__u64 hash, const __u64 *key, bool *ret_spilt)
{
	const struct lb_endpoint_bucket6 *b =
		LB_OPAQUE(&lb_records.endpoints6[LB_BELOW(LB_ENDPOINT_BUCKETS, hash)]);

#pragma unroll
	for (int i = 0; i < LB_ENDPOINT_WAYS; i++) {
		/* First: the key is whole then. */
		__u32 value = READ_ONCE(b->way[i].value);

		if (b->way[i].key[0] == key[0] && b->way[i].key[1] == key[1] &&
		    b->way[i].key[2] == key[2] && value)
			return value;
	}
	*ret_spilt = READ_ONCE(b->way[0].spilt);
	return 0;
}

static __always_inline __u32 bucket_value(int family, __u64 hash, const __u64 *key,
					  bool *ret_spilt)
{
	return family == 4 ? bucket4_value(hash, key, ret_spilt)
			   : bucket6_value(hash, key, ret_spilt);
}

_Static_assert(((LB_ENDPOINT_BUCKETS - 1) & ~LB_BUCKET_1(~0ULL)) == 0,
	       "the mask of a bucket's index has all that LB_BUCKET_1 and _2 take away");

/* The value of @key, or 0.  @family is a constant. */
static __always_inline __u32 endpoint_find(int family, const struct endpoint_key *key)
{
	__u64 h = lb_hash(key->word, family == 4 ? 1 : 3, lb_params.seed);
	bool spilt = false;
	__u32 value = bucket_value(family, h, key->word, &spilt);

	return spilt ? bucket_value(family, h >> 24, key->word, &spilt) : value;
}

#endif /* LB_ENDPOINTS_BPF_H */
