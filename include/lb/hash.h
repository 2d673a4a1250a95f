/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hash.h - the one hash of the data path, for both sides.
 *
 * Seeded, because clients choose what is hashed: with two secret odd multipliers it is
 * a multiply-shift family (Dietzfelbinger et al., 1997), so that nobody who does not
 * know the seeds can aim at a bucket.  Two multiplications for an 8-byte key.
 */
#ifndef LB_HASH_H
#define LB_HASH_H

#include <linux/types.h>

#define LB_INLINE static inline __attribute__((always_inline))

/* Take one more word of 64 bits, host order, into @h. */
LB_INLINE __u64 lb_hash_step(__u64 h, __u64 word, const volatile __u64 *seed)
{
	h = (h ^ word) * seed[1];
	return h ^ (h >> 32);
}

LB_INLINE __u64 lb_hash_end(__u64 h, const volatile __u64 *seed)
{
	h *= seed[2];
	return h ^ (h >> 32);
}

/* Hash @n words, a constant.  @seed is lb_params.seed: [1] and [2] are odd. */
LB_INLINE __u64 lb_hash(const __u64 *word, int n, const volatile __u64 *seed)
{
	__u64 h = seed[0];
	int i;

#ifdef __bpf__
#pragma unroll
#endif
	for (i = 0; i < n; i++)
		h = lb_hash_step(h, word[i], seed);

	return lb_hash_end(h, seed);
}

/* Three independent parts of one hash; the buckets are to be masked. */
#define LB_BUCKET_1(h) ((__u32)(h)&0xffffff)
#define LB_BUCKET_2(h) ((__u32)((h) >> 24) & 0xffffff)
#define LB_TAG(h)      ((__u16)((h) >> 48) | 1)

#endif /* LB_HASH_H */
