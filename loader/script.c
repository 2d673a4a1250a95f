// SPDX-License-Identifier: GPL-2.0-only
/*
 * script.c - a file of commands, one a line, as words.
 *
 * Words are divided by blanks; '#' at the beginning of a word makes the rest of the line
 * a comment; "..." keeps blanks, and in it a backslash takes the next letter as it is.
 */
#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define FILE_MAX (64U << 20)

static enum outcome read_all(FILE *f, const char *file, char **ret)
{
	size_t size = 0, room = 4096;
	char *text = malloc(room);

	while (text) {
		size_t n = fread(text + size, 1, room - size - 1, f);
		char *grown;

		size += n;
		if (!n)
			break;
		if (room - size > 1)
			continue;
		room *= 2;
		grown = room <= FILE_MAX ? realloc(text, room) : NULL;
		if (!grown)
			free(text);
		text = grown;
	}

	if (!text) {
		report("%s: too long to be held in memory", file);
		return REFUSED;
	}
	if (ferror(f)) {
		report("%s: cannot read: %s", file, strerror(errno));
		free(text);
		return REFUSED;
	}
	text[size] = '\0';
	if (strlen(text) != size) {
		report("%s: holds a zero byte, so it is no file of commands", file);
		free(text);
		return REFUSED;
	}
	*ret = text;
	return DONE;
}

/* Take one word off *@at and end it; false: a quote is not closed. */
static bool take_word(char **at, char **ret)
{
	char *from = *at, *to = *at;
	bool quoted = false;

	*ret = to;
	for (; *from && (quoted || !strchr(" \t\r", *from)); from++) {
		if (*from == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *from == '\\' && from[1])
			from++;
		*to++ = *from;
	}

	*at = *from ? from + 1 : from;
	*to = '\0';
	return !quoted;
}

static enum outcome split_line(char *text, struct words *w)
{
	size_t most = strlen(text) / 2 + 1;

	w->word = calloc(most, sizeof(*w->word));
	if (!w->word) {
		report("out of memory");
		return REFUSED;
	}

	for (;;) {
		text += strspn(text, " \t\r");
		if (!*text || *text == '#')
			break;
		if (!take_word(&text, &w->word[w->n])) {
			report("the closing '\"' is missing");
			return REFUSED;
		}
		w->n++;
	}

	if (w->n && !strcmp(w->word[0], "lbctl"))
		w->at = 1;
	return DONE;
}

static enum outcome add_line(struct script *s, char *text, unsigned int number)
{
	struct script_line *grown, *line;
	enum outcome outcome;

	grown = reallocarray(s->lines, s->n + 1, sizeof(*grown));
	if (!grown) {
		report("out of memory");
		return REFUSED;
	}

	s->lines = grown;
	line = &grown[s->n++];
	memset(line, 0, sizeof(*line));
	line->number = number;

	report_at(s->file, number);
	outcome = split_line(text, &line->words);
	if (line->words.at == line->words.n) {
		free(line->words.word);
		s->n--;
	}
	return outcome;
}

enum outcome script_read(const char *file, struct script *ret)
{
	bool is_stdin = !strcmp(file, "-");
	FILE *f = is_stdin ? stdin : fopen(file, "re");
	enum outcome outcome;
	unsigned int number = 0;
	char *text, *line;

	memset(ret, 0, sizeof(*ret));
	ret->file = is_stdin ? "stdin" : file;
	if (!f) {
		report("%s: cannot open: %s", file, strerror(errno));
		return REFUSED;
	}

	outcome = read_all(f, ret->file, &ret->text);
	if (!is_stdin)
		fclose(f);

	text = ret->text;
	while (!outcome && (line = strsep(&text, "\n")))
		outcome = add_line(ret, line, ++number);

	report_at(NULL, 0);
	if (outcome)
		script_free(ret);
	return outcome;
}

void script_free(struct script *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->lines[i].words.word);
	free(s->lines);
	free(s->text);
	memset(s, 0, sizeof(*s));
}

char *script_quote(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + 3), *to = quoted;

	if (!quoted)
		return NULL;
	if (*text && *text != '#' && !strpbrk(text, " \t\r\"\\"))
		return strcpy(quoted, text);

	*to++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	strcpy(to, "\"");
	return quoted;
}
