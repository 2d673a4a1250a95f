// SPDX-License-Identifier: GPL-2.0-only
/*
 * verifier.c - what the kernel's verifier says of a program that it refuses.
 *
 * It says it in a log whose end tells why.  All that it walked through before is worth its
 * time with -v only: that may be a million lines.  Kernels before 6.4 keep the beginning of a
 * log that is too long, and then nobody knows why.
 */
#include "verifier.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define LOG_SIZE   (1 << 20)
#define LAST_LINES 20

/* The kernel's BPF_LOG_LEVEL1 and BPF_LOG_STATS, which are in no header. */
#define LOG_ALL	    1
#define LOG_OUTCOME 4

void verifier_listen(struct verifier_log *log, struct bpf_object *obj)
{
	struct bpf_program *prog;

	log->obj = obj;
	log->text = calloc(1, LOG_SIZE); /* pages are taken when something is in them */
	if (!log->text)
		return;
	bpf_object__for_each_program(prog, obj) {
		bpf_program__set_log_buf(prog, log->text, LOG_SIZE);
		bpf_program__set_log_level(prog,
					   report_is_verbose() ? LOG_ALL : LOG_OUTCOME);
	}
}

/* Statistics come last and are no reason.  If they are not there, the end was cut off. */
static bool is_statistics(const char *line)
{
	return !strncmp(line, "processed ", 10) ||
	       !strncmp(line, "verification time", 17) ||
	       !strncmp(line, "stack depth", 11);
}

void verifier_verdict(struct verifier_log *log, char ret[VERDICT_TEXT_SIZE])
{
	char *last[LAST_LINES], *line, *rest = log->text;
	bool has_end = false;
	size_t n = 0, i;

	*ret = '\0';
	while (rest && (line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		last[n++ % LAST_LINES] = line;
		if (is_statistics(line))
			has_end = true;
		else
			snprintf(ret, VERDICT_TEXT_SIZE, "%s", line);
	}
	if (!has_end)
		*ret = '\0';
	for (i = n > LAST_LINES ? n - LAST_LINES : 0; i < n; i++)
		report_detail("    %s", last[i % LAST_LINES]);
}

void verifier_close(struct verifier_log *log)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, log->obj)
		bpf_program__set_log_buf(prog, NULL, 0);
	free(log->text);
}
