// SPDX-License-Identifier: GPL-2.0-only
/*
 * number.c - numbers and times as users write them, and as tables show them.
 */
#include "number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME_MAX_MS (30ULL * 24 * 3600 * 1000)

static const struct unit {
	const char *name;
	__u64 ms;
} units[] = {
	{ "d", 24 * 3600 * 1000 },
	{ "h", 3600 * 1000 },
	{ "m", 60 * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

#define N_UNITS (sizeof(units) / sizeof(units[0]))

bool number_parse(const char *text, unsigned long low, unsigned long high,
		  unsigned long *ret)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9' || (*text == '0' && text[1]))
		return false;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value < low || value > high)
		return false;

	*ret = value;
	return true;
}

bool time_parse(const char *text, __u64 *ret_ms)
{
	size_t i, digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? text + digits : "s";
	char number[NUMBER_TEXT_SIZE];
	unsigned long value;

	if (digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';

	for (i = 0; i < N_UNITS; i++) {
		if (strcmp(unit, units[i].name))
			continue;
		if (!number_parse(number, 0, TIME_MAX_MS / units[i].ms, &value))
			return false;
		*ret_ms = value * units[i].ms;
		return true;
	}
	return false;
}

char *time_format(__u64 ms, char *ret)
{
	size_t i;

	for (i = 0; i < N_UNITS - 1; i++)
		if (ms && ms % units[i].ms == 0)
			break;

	if (!ms)
		strcpy(ret, "0s");
	else
		snprintf(ret, NUMBER_TEXT_SIZE, "%llu%s", ms / units[i].ms,
			 units[i].name);
	return ret;
}

char *age_format(__u64 seconds, char *ret)
{
	if (seconds < 60)
		snprintf(ret, NUMBER_TEXT_SIZE, "%llus", seconds);
	else if (seconds < 3600)
		snprintf(ret, NUMBER_TEXT_SIZE, "%llum%02llus", seconds / 60,
			 seconds % 60);
	else if (seconds < 86400)
		snprintf(ret, NUMBER_TEXT_SIZE, "%lluh%02llum", seconds / 3600,
			 seconds / 60 % 60);
	else
		snprintf(ret, NUMBER_TEXT_SIZE, "%llud%02lluh", seconds / 86400,
			 seconds / 3600 % 24);
	return ret;
}

char *count_format(__u64 count, char *ret)
{
	static const char suffix[] = "kMGTPE";
	double value = count;
	int i = -1;

	if (count < 1000000) {
		snprintf(ret, NUMBER_TEXT_SIZE, "%llu", count);
		return ret;
	}

	do {
		value /= 1000;
		i++;
	} while (value >= 999.95);
	snprintf(ret, NUMBER_TEXT_SIZE, "%.1f%c", value, suffix[i]);
	return ret;
}

char *date_format(__u64 seconds, char *ret)
{
	time_t when = seconds;
	struct tm tm;

	if (!localtime_r(&when, &tm) ||
	    !strftime(ret, NUMBER_TEXT_SIZE, "%Y-%m-%d %H:%M", &tm))
		strcpy(ret, "-");
	return ret;
}
