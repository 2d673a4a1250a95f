// SPDX-License-Identifier: GPL-2.0-only
/*
 * report.c - one plain line on stderr per problem.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

static const char *current_file;
static unsigned int current_line;
static bool is_quiet, is_verbose;

static void print_line(const char *format, va_list args)
{
	if (current_file)
		fprintf(stderr, "%s:%u: ", current_file, current_line);
	else
		fputs("lbctl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

void report_warning(const char *format, ...)
{
	va_list args;

	if (is_quiet)
		return;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

void report_detail(const char *format, ...)
{
	va_list args;

	if (!is_verbose)
		return;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void report_at(const char *file, unsigned int line)
{
	current_file = file;
	current_line = line;
}

void report_set(bool quiet, bool verbose)
{
	is_quiet = quiet;
	is_verbose = verbose;
}

bool report_is_verbose(void)
{
	return is_verbose;
}
