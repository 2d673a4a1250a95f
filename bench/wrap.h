/* SPDX-License-Identifier: GPL-2.0-only */
/* wrap.h - what wrap.bpf.c and those who measure with it agree on. */
#ifndef BENCH_WRAP_H
#define BENCH_WRAP_H

#include <linux/types.h>

/* clang-format off */
#define WRAP_WORDS	10	/* of a frame's head, 64 bits each, that are written anew */
#define WRAP_STAMPS	64	/* 2^n */

/* Whose packet comes next. */
enum wrap_order {
	WRAP_RANDOM,	/* any of the flows, as a hash of the packet's number says */
	WRAP_UNIQUE,	/* the next flow */
	WRAP_CONFIRM,	/* the next flow's SYN, then its ACK */
};
/* clang-format on */

/* Set before the wrapper is loaded, so that the JIT sees constants. */
struct wrap_params {
	__u32 length;  /* of the frame */
	__u32 words;   /* of its head that are written anew */
	__u32 mask;    /* 2^n - 1 flows; 0: the frame's own alone */
	__u32 order;   /* enum wrap_order */
	__u32 port;    /* offset of the client's port */
	__u32 address; /* of the last word of its address */
	__u32 flags;   /* of TCP's flags; 0: it is not TCP */
	__u32 batch;   /* 2^n: packets between two time stamps */
};

struct wrap_state {
	__u64 word[WRAP_WORDS]; /* the frame's head */
	__u64 n;		/* the packet's number */
	__u64 stamp[WRAP_STAMPS];
};

#endif /* BENCH_WRAP_H */
