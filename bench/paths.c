// SPDX-License-Identifier: GPL-2.0-only
/*
 * paths - ns per packet of each way through the balancer, one JSON object a line.
 *
 * Each row is run as a test: what cannot be measured, or has gone another way than its name
 * says, is said on standard error, is an error, and does not keep the others from it.
 */
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "path.h"

static const char usage[] =
	"usage: paths [--only PATTERN] [--quick] [--list]\n"
	"  --only PATTERN  rows whose CASE/MODE/FAMILY/FLOWS/BYTES has it, with * and ?\n"
	"  --quick         an eighth of the packets\n"
	"  --list          say which rows there are\n";

/* Standard output as it was: cmocka writes what tests say to where it was. */
static FILE *out;

static void print_row(const struct row *row, const struct result *r)
{
	fprintf(out, "{\"case\": \"%s\", ", row->name);
	if (row_mode(row))
		fprintf(out, "\"mode\": \"%s\", ", row_mode(row));
	fprintf(out,
		"\"family\": \"ipv%d\", "
		"\"flows\": %u, \"table\": %u, \"bytes\": %u, "
		"\"net_ns_min\": %.1f, \"net_ns_median\": %.1f, "
		"\"gross_ns_min\": %.1f, \"loop_ns_min\": %.1f, "
		"\"verified_share\": %.6f}\n",
		row->service.family, row->flows, row->table, row->bytes, r->times.net.min,
		r->times.net.median, r->times.gross.min, r->times.floor.min, r->verified);
	fflush(out);
}

static void run_row(void **state)
{
	const struct row *row = *state;
	struct result r;

	path_run(row, &r);
	print_row(row, &r);
	if (r.verified < 0.999)
		fail_msg("%.4f of the packets went the way that was to be measured",
			 r.verified);
}

/* Do as cmocka_run_group_tests() does with the rows that @pattern means. */
static int run_rows(const char *pattern, bool list)
{
	struct CMUnitTest *tests = calloc(n_rows, sizeof(*tests));
	char(*names)[64] = calloc(n_rows, sizeof(*names));
	size_t n = 0;
	int failed = 0;

	for (size_t i = 0; i < n_rows; i++) {
		row_name(&rows[i], names[n], sizeof(names[n]));
		if (fnmatch(pattern, names[n], 0))
			continue;
		if (list)
			fprintf(out, "%s\n", names[n]);
		tests[n] = (struct CMUnitTest){ .name = names[n],
						.test_func = run_row,
						.initial_state = (void *)&rows[i] };
		n++;
	}
	if (!n) {
		fprintf(stderr, "paths: no row has '%s' in its name (see --list)\n",
			pattern);
		failed = 1;
	} else if (!list) {
		balancer_open_hosts();
		failed = _cmocka_run_group_tests("paths", tests, n, NULL, NULL);
	}
	free(names);
	free(tests);
	return failed;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "only", required_argument, NULL, 'o' },
		{ "quick", no_argument, NULL, 'q' },
		{ "list", no_argument, NULL, 'l' },
		{},
	};
	char pattern[128] = "*";
	bool list = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'o') {
			snprintf(pattern, sizeof(pattern), "*%s*", optarg);
		} else if (c == 'q') {
			measure_batch >>= 3;
		} else if (c == 'l') {
			list = true;
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	out = fdopen(dup(STDOUT_FILENO), "w");
	if (!out || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		perror("paths");
		return 1;
	}
	return run_rows(pattern, list) ? 1 : 0;
}
