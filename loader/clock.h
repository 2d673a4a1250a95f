/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.h - how many jiffies a second has.
 */
#ifndef LB_CLOCK_H
#define LB_CLOCK_H

/* CONFIG_HZ, or -errno.  Takes a tenth of a second. */
int clock_measure_hz(void);

#endif /* LB_CLOCK_H */
