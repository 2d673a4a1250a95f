// SPDX-License-Identifier: GPL-2.0-only
/*
 * words.c - the words of one command, taken one by one; options; close misses.
 */
#include "words.h"

#include <stdio.h>
#include <string.h>
#include <linux/types.h>

#include "report.h"

#define WORD_MAX    32 /* longer ones are no misspelt keyword */
#define OPTIONS_MAX 32

/* What IPVS and others call what we have. */
static const struct {
	const char *theirs, *ours;
} foreign[] = {
	{ "rr", "round-robin" },
	{ "wrr", "weighted" },
	{ "maglev", "hash" },
	{ "mh", "hash" },
	{ "sh", "source-hash" },
	{ "lc", "least-conn" },
	{ "wlc", "least-conn" },
	{ "sed", "least-conn" },
	{ "leastconn", "least-conn" },
	{ "real-server", "backend" },
	{ "real", "backend" },
	{ "server", "backend" },
	{ "upstream", "backend" },
	{ "virtual-service", "service" },
	{ "virtual", "service" },
	{ "vip", "service" },
	{ "scheduler", "policy" },
	{ "connection", "flow" },
	{ "conn", "flow" },
	{ "interface", "chain" },
	{ "masquerading", "fullnat" },
	{ "masq", "nat" },
	{ "gatewaying", "dsr" },
	{ "tunnel", "ipip" },
	{ "persistent", "persistence" },
	{ "edit", "set" },
	{ "create", "add" },
	{ "remove", "del" },
	{ "restore", "apply" },
	{ "load", "apply" },
	{ "zero", "clear" },
	{ "restart", "replace" },
	{ "scheduler-name", "policy" },
};

const char *words_next(struct words *w)
{
	return w->at < w->n ? w->word[w->at++] : NULL;
}

bool words_take(struct words *w, const char *keyword)
{
	if (w->at == w->n || strcmp(w->word[w->at], keyword))
		return false;
	w->at++;
	return true;
}

const char *words_want(struct words *w, const char *what)
{
	const char *word = words_next(w);

	if (!word)
		report("%s is missing (see 'lbctl -h')", what);
	return word;
}

enum outcome words_end(struct words *w)
{
	const char *word = words_next(w);

	if (!word)
		return DONE;
	report("'%s': one word too many (see 'lbctl -h')", word);
	return USAGE;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters to insert, delete, change or swap with their neighbour. */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][WORD_MAX + 1], n = strlen(a), m = strlen(b), i, j;

	for (j = 0; j <= m; j++)
		row[0][j] = j;

	for (i = 1; i <= n; i++) {
		size_t *now = row[i % 3], *last = row[(i + 2) % 3];

		now[0] = i;
		for (j = 1; j <= m; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1,
				      last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && row[(i + 1) % 3][j - 2] + 1 < now[j])
				now[j] = row[(i + 1) % 3][j - 2] + 1;
		}
	}
	return row[n % 3][m];
}

static const char *translate(const char *word, const char *const *words, size_t n)
{
	size_t i, j;

	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		for (j = 0; !strcmp(word, foreign[i].theirs) && j < n; j++)
			if (!strcmp(words[j], foreign[i].ours))
				return words[j];
	return NULL;
}

static const char *nearest(const char *word, const char *const *words, size_t n)
{
	size_t i, best = strlen(word) / 3 + 1; /* further off is another word */
	const char *found = NULL;

	if (strlen(word) > WORD_MAX)
		return NULL;

	for (i = 0; i < n; i++) {
		size_t far;

		if (strlen(words[i]) > WORD_MAX)
			continue;
		if (word[0] && word[1] && !strncmp(words[i], word, strlen(word)))
			return words[i]; /* words are not shortened, but we see it */
		far = distance(word, words[i]);
		if (far < best || (far == best && !found && far < strlen(words[i]))) {
			best = far;
			found = words[i];
		}
	}
	return found;
}

char *did_you_mean(const char *word, const char *const *words, size_t n, char *ret)
{
	const char *found = translate(word, words, n);

	if (!found)
		found = nearest(word, words, n);

	*ret = '\0';
	if (found)
		snprintf(ret, MISS_TEXT_SIZE, "; did you mean '%s'?", found);
	return ret;
}

static enum outcome unknown_option(const char *word, const struct option_word *options,
				   size_t n)
{
	const char *words[OPTIONS_MAX];
	char miss[MISS_TEXT_SIZE];
	size_t i;

	for (i = 0; i < n && i < OPTIONS_MAX; i++)
		words[i] = options[i].word;

	report("'%s': unknown keyword%s", word, did_you_mean(word, words, i, miss));
	return USAGE;
}

static enum outcome option_parse(struct words *w, const struct option_word *option,
				 void *to)
{
	const char *value = NULL;

	if (!option->take) {
		report("'%s': not built yet in this version", option->word);
		return REFUSED;
	}
	if (option->value) {
		value = words_next(w);
		if (!value) {
			report("'%s': its value is missing: %s", option->word,
			       option->value);
			return USAGE;
		}
	}
	return option->take(to, value);
}

enum outcome options_parse(struct words *w, const struct option_word *options, size_t n,
			   void *to)
{
	const char *word;
	__u32 seen = 0;

	while ((word = words_next(w))) {
		enum outcome outcome;
		size_t i;

		for (i = 0; i < n; i++)
			if (!strcmp(word, options[i].word))
				break;
		if (i == n)
			return unknown_option(word, options, n);
		if (seen & 1U << i) {
			report("'%s' is given twice", word);
			return USAGE;
		}
		seen |= 1U << i;

		outcome = option_parse(w, &options[i], to);
		if (outcome)
			return outcome;
	}
	return DONE;
}
