/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - one plain line on stderr per problem.
 *
 * What is reported is prefixed "lbctl: ", or "FILE:LINE: " while the line of a file is
 * in hand.  The text is lower case, names the object, the fact and the remedy, and has
 * no full stop and no newline.
 */
#ifndef LB_REPORT_H
#define LB_REPORT_H

#include <stdbool.h>

void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, but not with -q: nothing failed. */
void report_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* With -v only, no prefix. */
void report_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

void report_at(const char *file, unsigned int line); /* NULL: no file */
void report_set(bool quiet, bool verbose);
bool report_is_verbose(void);

#endif /* LB_REPORT_H */
