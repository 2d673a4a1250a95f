/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * script.h - a file of commands, one a line, as words.
 */
#ifndef LB_SCRIPT_H
#define LB_SCRIPT_H

#include "command.h"

struct script_line {
	struct words words;
	unsigned int number;
	const struct command *command;
};

struct script {
	const char *file; /* for messages; NULL: the command line */
	char *text;	  /* the words' memory */
	struct script_line *lines;
	size_t n;
};

/* @file "-": standard input; reports. */
enum outcome script_read(const char *file, struct script *ret);
void script_free(struct script *s);

/* @text as one word of a file: in quotes if it must be.  The caller frees; NULL: no
 * memory. */
char *script_quote(const char *text);

#endif /* LB_SCRIPT_H */
