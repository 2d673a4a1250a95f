// SPDX-License-Identifier: GPL-2.0-only
/*
 * paths - ns per packet of each way through the balancer, one JSON object a line.
 *
 * Each row is run as a test: what cannot be measured, or has gone another way than its name
 * says, is said on standard error, is an error, and does not keep the others from it.
 */
#include <fnmatch.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "path.h"

#define MAX_PATTERNS 32

static const char usage[] =
	"usage: paths [--only PATTERN]... [--quick] [--list]\n"
	"  --only PATTERN  rows whose CASE/MODE/FAMILY/FLOWS/BYTES begins so; * and ? may be\n"
	"                  in it\n"
	"  --quick         an eighth of the packets; twice: an eighth of those\n"
	"  --list          say which rows there are\n";

/* Standard output as it was: cmocka writes what tests say to where it was. */
static FILE *out;

static void print_times(const struct row *row, const struct result *r)
{
	fprintf(out,
		", \"bytes\": %u, \"net_ns_min\": %.1f, \"net_ns_median\": %.1f, "
		"\"gross_ns_min\": %.1f, \"loop_ns_min\": %.1f, "
		"\"verified_share\": %.6f",
		row->bytes, r->times.net.min, r->times.net.median, r->times.gross.min,
		r->times.floor.min, r->verified);
	if (r->refused > 0)
		fprintf(out, ", \"refused_share\": %.6f", r->refused);
	if (row->linked)
		fprintf(out, ", \"stages_ns\": %.1f", r->stages_ns);
}

static void print_memory(const struct row *row, const struct result *r)
{
	fprintf(out, ", \"bytes_per_flow\": %.0f, \"mib\": %.0f", r->bytes / row->table,
		r->bytes / (1 << 20));
}

static void print_row(const struct row *row, const struct result *r)
{
	fprintf(out, "{\"case\": \"%s\"", row->name);
	if (row_mode(row))
		fprintf(out, ", \"mode\": \"%s\"", row_mode(row));
	fprintf(out, ", \"family\": \"ipv%d\", \"flows\": %u, \"table\": %u",
		row->service.family, row->flows, row->table);
	if (row->path == PATH_MEMORY)
		print_memory(row, r);
	else
		print_times(row, r);
	fputs("}\n", out);
	fflush(out);
}

static void run_row(void **state)
{
	const struct row *row = *state;
	struct result r = {};

	path_run(row, &r);
	print_row(row, &r);
	if (r.verified < 0.999)
		fail_msg("%.4f of the packets went the way that was to be measured",
			 r.verified);
}

/* What --only said. */
static struct {
	char text[MAX_PATTERNS][128];
	size_t n;
} only;

static bool is_wanted(const char *name)
{
	for (size_t i = 0; i < only.n; i++)
		if (!fnmatch(only.text[i], name, 0))
			return true;
	return !only.n;
}

static int add_pattern(const char *text)
{
	if (only.n == MAX_PATTERNS) {
		fprintf(stderr, "paths: more than %d patterns\n", MAX_PATTERNS);
		return -1;
	}
	snprintf(only.text[only.n++], sizeof(only.text[0]), "%s*", text);
	return 0;
}

/* Do as cmocka_run_group_tests() does with the rows that are wanted. */
static int run_rows(bool list)
{
	struct CMUnitTest *tests = calloc(n_rows, sizeof(*tests));
	char(*names)[64] = calloc(n_rows, sizeof(*names));
	size_t n = 0;
	int failed = 0;

	for (size_t i = 0; i < n_rows; i++) {
		row_name(&rows[i], names[n], sizeof(names[n]));
		if (!is_wanted(names[n]))
			continue;
		if (list)
			fprintf(out, "%s\n", names[n]);
		tests[n] = (struct CMUnitTest){ .name = names[n],
						.test_func = run_row,
						.initial_state = (void *)&rows[i] };
		n++;
	}
	if (!n) {
		fputs("paths: no row has such a name: see --list\n", stderr);
		failed = 1;
	} else if (!list) {
		balancer_open_hosts();
		failed = _cmocka_run_group_tests("paths", tests, n, NULL, NULL);
	}
	free(names);
	free(tests);
	return failed;
}

/* Before all others on these CPUs: a batch is longer than what the scheduler gives at once. */
static void take_precedence(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &first))
		perror("paths: no real-time priority, so figures have other programs in them");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "only", required_argument, NULL, 'o' },
		{ "quick", no_argument, NULL, 'q' },
		{ "list", no_argument, NULL, 'l' },
		{},
	};
	bool list = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'o') {
			if (add_pattern(optarg))
				return 2;
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
	take_precedence();
	return run_rows(list) ? 1 : 0;
}
