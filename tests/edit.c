// SPDX-License-Identifier: GPL-2.0-only
/*
 * edit.c - commands that work on a model, without a kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "change.h"
#include "edit.h"

enum outcome edit_read(const char *text, struct script *ret)
{
	char path[] = "/tmp/swy-test-script.XXXXXX";
	int fd = mkstemp(path);
	enum outcome outcome;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	outcome = script_read(path, ret);
	unlink(path);
	return outcome;
}

enum outcome edit_model(struct model *m, const char *line)
{
	struct change c = { .to = m };
	struct script s;
	enum outcome outcome;

	assert_int_equal(edit_read(line, &s), DONE);
	s.lines[0].command = command_find(&s.lines[0].words);
	outcome = s.lines[0].command ? s.lines[0].command->edit(&c, &s.lines[0].words)
				     : USAGE;
	script_free(&s);
	return outcome;
}

const char *edit_says(struct model *m, const char *lines)
{
	static char said[1024];
	FILE *file = tmpfile();
	int was = dup(STDERR_FILENO);
	enum outcome outcome = DONE;
	char *copy = strdup(lines), *at = copy, *line;
	size_t n;

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	while (!outcome && (line = strsep(&at, ";")))
		outcome = edit_model(m, line);
	dup2(was, STDERR_FILENO);
	close(was);
	free(copy);

	rewind(file);
	n = fread(said, 1, sizeof(said) - 1, file);
	said[n] = '\0';
	fclose(file);
	if (!outcome != !n)
		fail_msg("'%s': outcome %d, said '%s'", lines, outcome, said);
	return said;
}
