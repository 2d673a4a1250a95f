/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * number.h - numbers and times as users write them, and as tables show them.
 */
#ifndef LB_NUMBER_H
#define LB_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define NUMBER_TEXT_SIZE 32

/* Decimal digits only, no sign, no leading zero; false if it is none or out of range. */
bool number_parse(const char *text, unsigned long low, unsigned long high,
		  unsigned long *ret);
/* N[ms|s|m|h|d], bare = s; at most 30 days. */
bool time_parse(const char *text, __u64 *ret_ms);

/* The largest unit that loses nothing: 90000 is "90s", 120000 is "2m". */
char *time_format(__u64 ms, char *ret);
/* For people: 12s, 4m02s, 3h10m, 2d04h */
char *age_format(__u64 seconds, char *ret);
/* For people: 48211, 121.6k, 91.2G */
char *count_format(__u64 count, char *ret);
/* For people: 2026-10-11 02:14 */
char *date_format(__u64 seconds, char *ret);

#endif /* LB_NUMBER_H */
