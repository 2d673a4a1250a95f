/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * words.bpf.h - keys as the words that are hashed and compared, made in registers.
 *
 * Written field by field and read as words, a key would wait in the store buffer: a load
 * that spans several stores is not forwarded but waits for all of them, 4 ns for each key.
 */
#ifndef LB_WORDS_BPF_H
#define LB_WORDS_BPF_H

#include <linux/types.h>

/* Two fields as they lie in memory, @first before @second, in one of twice the size. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PAIR8(first, second)  ((__u16)((__u8)(first) | (__u16)(__u8)(second) << 8))
#define PAIR16(first, second) ((__u32)(__u16)(first) | (__u32)(__u16)(second) << 16)
#define PAIR32(first, second) ((__u64)(__u32)(first) | (__u64)(__u32)(second) << 32)
#else
#define PAIR8(first, second)  ((__u16)((__u16)(__u8)(first) << 8 | (__u8)(second)))
#define PAIR16(first, second) ((__u32)(__u16)(first) << 16 | (__u16)(second))
#define PAIR32(first, second) ((__u64)(__u32)(first) << 32 | (__u32)(second))
#endif

/* Half of an IPv6 address. */
static __always_inline __u64 address_word(const __be32 *half)
{
	return PAIR32(half[0], half[1]);
}

#endif /* LB_WORDS_BPF_H */
