// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_options.c - the words behind `lbctl backend VERB SERVICE BACKEND`.
 *
 * Each is read by itself; whether they go together is asked in backend.c and check.c.
 */
#include "backend_options.h"

#include <string.h>

#include "number.h"
#include "report.h"

static enum outcome take_weight(void *to, const char *value)
{
	struct backend_words *b = to;
	unsigned long weight;

	if (!number_parse(value, 0, 65535, &weight)) {
		report("weight '%s': not a number from 0 to 65535", value);
		return USAGE;
	}
	b->weight = weight;
	b->has_weight = true;
	return DONE;
}

static enum outcome take_state(void *to, const char *value)
{
	static const char *const states[] = { "active", "drain", "down" };
	struct backend_words *b = to;
	char miss[MISS_TEXT_SIZE];
	int i;

	for (i = 0; i < 3; i++)
		if (!strcmp(value, states[i]))
			break;
	if (i == 3) {
		report("state '%s': not active, drain or down%s", value,
		       did_you_mean(value, states, 3, miss));
		return USAGE;
	}
	b->state = LB_BACKEND_ACTIVE + i;
	b->has_state = true;
	return DONE;
}

static enum outcome take_priority(void *to, const char *value)
{
	struct backend_words *b = to;
	unsigned long priority;

	if (!number_parse(value, 0, 65535, &priority)) {
		report("priority '%s': not a number from 0, the best, to 65535", value);
		return USAGE;
	}
	b->priority = priority;
	b->has_priority = true;
	return DONE;
}

static enum outcome take_max_flows(void *to, const char *value)
{
	struct backend_words *b = to;
	unsigned long max_flows = 0;

	if (strcmp(value, "off") && !number_parse(value, 1, ~0U, &max_flows)) {
		report("max-flows '%s': not a number from 1 to %u, and not 'off'", value,
		       ~0U);
		return USAGE;
	}
	b->max_flows = max_flows;
	b->has_max_flows = true;
	return DONE;
}

static enum outcome take_wait(void *to, const char *value)
{
	struct backend_words *b = to;

	if (!time_parse(value, &b->wait_ms) || !b->wait_ms) {
		report("wait '%s': not a time, as in 90s", value);
		return USAGE;
	}
	b->has_wait = true;
	return DONE;
}

static enum outcome take_force(void *to, const char *value)
{
	(void)value;
	((struct backend_words *)to)->force = true;
	return DONE;
}

static const struct option_word set_options[] = {
	{ "weight", "a number from 0 to 65535", take_weight },
	{ "state", "active, drain or down", take_state },
	{ "priority", "a number from 0 to 65535", take_priority },
	{ "max-flows", "a number, or off", take_max_flows },
};

static const struct option_word drain_options[] = {
	{ "wait", "a time, as in 90s", take_wait },
};

static const struct option_word del_options[] = {
	{ "wait", "a time, as in 90s", take_wait },
	{ "force", NULL, take_force },
};

enum outcome backend_options(enum backend_verb verb, struct words *w,
			     struct backend_words *b)
{
	if (verb == BACKEND_DRAIN)
		return options_parse(w, drain_options, 1, b);
	if (verb == BACKEND_DEL)
		return options_parse(w, del_options, 2, b);
	if (verb == BACKEND_SET && w->at == w->n) {
		report("backend set: what to set is missing (see 'lbctl -h')");
		return USAGE;
	}
	return options_parse(w, set_options, sizeof(set_options) / sizeof(set_options[0]),
			     b);
}
