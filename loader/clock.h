/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.h - how many jiffies a second has, and a time.
 */
#ifndef LB_CLOCK_H
#define LB_CLOCK_H

#include <linux/types.h>

/* CONFIG_HZ, or -errno.  Takes a tenth of a second. */
int clock_measure_hz(void);

/* Rounded up: a time that is not 0 is at least one. */
__u32 clock_jiffies(__u64 ms, __u32 hz);
/* 0 if @hz is, as in an instance that is not complete. */
__u64 clock_ms(__u32 jiffies, __u32 hz);

#endif /* LB_CLOCK_H */
