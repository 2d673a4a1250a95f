/* SPDX-License-Identifier: GPL-2.0-only */
/* floor.h - what floor.bpf.c and floor.c agree on. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <linux/types.h>

/* Of 16 bytes, as most have it. */
struct floor_key {
	__u32 ends[3]; /* both addresses; both ports */
	__u32 protocol;
};

#endif /* BENCH_FLOOR_H */
