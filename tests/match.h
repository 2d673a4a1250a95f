/* SPDX-License-Identifier: GPL-2.0-only */
/* match.h - rules of the policy match, written as text. */
#ifndef TEST_MATCH_H
#define TEST_MATCH_H

#include <lb/abi.h>

#define ANY 65535 /* the longest payload */

/* Up to 16 bytes of @text at @offset_; "": any. */
/* clang-format off */
#define RULE(low_, high_, offset_, text, backend_)					\
	{ .low = (low_), .high = (high_), .offset = (offset_),				\
	  .n_bytes = sizeof(text) - 1, .word = TEXT_WORDS(text), .backend = (backend_) }
/* clang-format on */
#define TEXT_BYTE(t, i)                                                                  \
	((__u64)(__u8)(t "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")[i] << (i) % 8 * 8)
#define TEXT_WORD(t, i)                                                                  \
	(TEXT_BYTE(t, i) | TEXT_BYTE(t, i + 1) | TEXT_BYTE(t, i + 2) |                   \
	 TEXT_BYTE(t, i + 3) | TEXT_BYTE(t, i + 4) | TEXT_BYTE(t, i + 5) |               \
	 TEXT_BYTE(t, i + 6) | TEXT_BYTE(t, i + 7))
#define TEXT_WORDS(t)                                                                    \
	{                                                                                \
		TEXT_WORD(t, 0), TEXT_WORD(t, 8)                                         \
	}

#endif /* TEST_MATCH_H */
