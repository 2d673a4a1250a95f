/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * words.h - the words of one command, taken one by one; options; close misses.
 */
#ifndef LB_WORDS_H
#define LB_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* What a command comes to.  Whoever returns another one than DONE has reported. */
enum outcome {
	DONE,
	REFUSED, /* or failed: exit status 1 */
	USAGE,	 /* the words make no command: exit status 2 */
};

struct words {
	char **word;
	int n;
	int at; /* the next one */
};

/* The next word; NULL: there is none. */
const char *words_next(struct words *w);
/* Take the next word if it is @keyword. */
bool words_take(struct words *w, const char *keyword);
/* The next word; reports that "@what is missing" if there is none. */
const char *words_want(struct words *w, const char *what);
/* Reports what is left over. */
enum outcome words_end(struct words *w);

struct option_word {
	const char *word;
	const char *value; /* what its value is; NULL: it has none */
	/* Read @value into @to; reports.  NULL: of a version to come. */
	enum outcome (*take)(void *to, const char *value);
};

/* Take all words that are left: [KEYWORD VALUE]...; reports. */
enum outcome options_parse(struct words *w, const struct option_word *options, size_t n,
			   void *to);

#define MISS_TEXT_SIZE 96
/* "; did you mean 'X'?" with the nearest of @words, or "" if none is near. */
char *did_you_mean(const char *word, const char *const *words, size_t n, char *ret);

#endif /* LB_WORDS_H */
