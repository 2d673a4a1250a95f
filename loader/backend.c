// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend.c - `lbctl backend add`, `set`, `replace`, `drain` and `del`.
 *
 * The service may be 'all': the command is then done to each service that can have the
 * backend (add, replace) or has it (the others).
 */
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "change.h"
#include "check.h"
#include "flow_walk.h"
#include "names.h"
#include "number.h"
#include "report.h"
#include "rules.h"

/* Which services, and the backend in them. */
struct target {
	struct model_service *service; /* NULL: all */
	struct address address;
	__u16 port; /* 0: the service's */
	const char *service_text, *backend_text;
};

enum verb { ADD, SET, REPLACE, DRAIN, DEL };

struct backend_words {
	bool has_weight, has_state, has_priority, has_max_flows;
	__u32 weight, priority, max_flows;
	enum lb_backend_state state;
	bool force;
	bool has_wait;
	__u64 wait_ms;
};

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

static enum outcome read_options(enum verb verb, struct words *w, struct backend_words *b)
{
	if (verb == DRAIN)
		return options_parse(w, drain_options, 1, b);
	if (verb == DEL)
		return options_parse(w, del_options, 2, b);
	if (verb == SET && w->at == w->n) {
		report("backend set: what to set is missing (see 'lbctl -h')");
		return USAGE;
	}
	return options_parse(w, set_options, sizeof(set_options) / sizeof(set_options[0]),
			     b);
}

static enum outcome read_target(struct change *c, struct words *w, struct target *ret)
{
	enum outcome outcome;

	memset(ret, 0, sizeof(*ret));
	if (w->at < w->n)
		ret->service_text = w->word[w->at];
	if (!words_take(w, "all")) {
		outcome = find_service(w, c->to, &ret->service);
		if (outcome)
			return outcome;
	}

	if (w->at < w->n)
		ret->backend_text = w->word[w->at];
	return name_backend(w, &ret->address, &ret->port);
}

static size_t count_backends(const struct model *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_services; i++)
		n += m->services[i].n_backends;
	return n;
}

static enum outcome insert_backend(struct change *c, struct model_service *s,
				   const struct model_backend *b)
{
	enum outcome outcome = check_backend(s, b);

	if (outcome)
		return outcome;
	if (count_backends(c->to) >= LB_MAX_BACKENDS - 1) {
		report("there are %d backends already, which is the limit",
		       LB_MAX_BACKENDS - 1);
		return REFUSED;
	}
	if (!model_add_backend(s, b)) {
		report("out of memory");
		return REFUSED;
	}
	return DONE;
}

static void set_backend(struct model_backend *b, const struct backend_words *words)
{
	if (words->has_weight)
		b->weight = words->weight;
	if (words->has_state)
		b->state = words->state;
	if (words->has_priority)
		b->priority = words->priority;
	if (words->has_max_flows)
		b->max_flows = words->max_flows;
}

static void copy_settings(struct model_backend *b, const struct model_backend *from)
{
	b->weight = from->weight;
	b->state = from->state;
	b->priority = from->priority;
	b->max_flows = from->max_flows;
}

static enum outcome refuse_twice(const struct model_service *s,
				 const struct model_backend *b)
{
	char name[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE];

	report("backend '%s' is in %s already; change it with 'backend set'",
	       backend_format(&b->address, b->port, text), service_text(s, name));
	return REFUSED;
}

static enum outcome refuse_named(const struct model_service *s,
				 const struct model_backend *b)
{
	char rule[RULE_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE];

	report("backend '%s': a rule of policy match sends to it: '%s'; remove that with "
	       "'policy param match no-rule' first",
	       backend_format(&b->address, b->port, text),
	       rule_format(rule_of_backend(s, b), rule));
	return REFUSED;
}

/* Where @old is NULL, the backend is not in @s. */
static enum outcome edit_backend(struct change *c, enum verb verb,
				 struct model_service *s, struct model_backend *old,
				 const struct model_backend *new,
				 const struct backend_words *words)
{
	switch (verb) {
	case ADD:
		return old ? refuse_twice(s, old) : insert_backend(c, s, new);
	case REPLACE:
		if (!old)
			return insert_backend(c, s, new);
		copy_settings(old, new);
		return check_backend(s, old);
	case SET:
		set_backend(old, words);
		return check_backend(s, old);
	case DEL:
		if (rule_of_backend(s, old))
			return refuse_named(s, old);
		if (words->has_wait)
			break;
		if (!words->force &&
		    backend_has_flows(c->state, s, old,
				      "say 'wait TIME', or 'force' to end them"))
			return REFUSED;
		model_del_backend(s, old);
		return DONE;
	case DRAIN:
		break;
	}
	old->state = LB_BACKEND_DRAIN;
	return DONE;
}

static enum outcome refuse_missing(const struct target *t)
{
	char name[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE];

	if (!t->service) {
		report("backend '%s': in no service (see 'lbctl backend show')",
		       t->backend_text);
		return REFUSED;
	}
	report("backend '%s': not in %s (see 'lbctl backend show')",
	       backend_format(&t->address, model_backend_port(t->service, t->port), text),
	       service_text(t->service, name));
	return REFUSED;
}

static enum outcome edit_target(struct change *c, enum verb verb, const struct target *t,
				const struct backend_words *words)
{
	bool makes = verb == ADD || verb == REPLACE;
	enum outcome outcome = DONE;
	size_t i, done = 0;

	for (i = 0; i < c->to->n_services && !outcome; i++) {
		struct model_service *s = &c->to->services[i];
		struct model_backend new, *old;

		if (t->service && t->service != s)
			continue;
		if (makes && !t->service && t->address.family != s->address.family)
			continue;

		model_init_backend(&new);
		new.address = t->address;
		new.port = model_backend_port(s, t->port);
		set_backend(&new, words);
		old = model_find_backend(s, &new.address, new.port);
		if (!old && !makes)
			continue;
		outcome = edit_backend(c, verb, s, old, &new, words);
		done++;
	}

	if (done)
		return outcome;
	if (makes) {
		report("backend '%s': there is no service of its family",
		       t->backend_text);
		return REFUSED;
	}
	return refuse_missing(t);
}

static enum outcome edit(struct change *c, enum verb verb, struct words *w)
{
	struct backend_words words = {};
	struct target target;
	enum outcome outcome;

	outcome = read_target(c, w, &target);
	if (!outcome)
		outcome = read_options(verb, w, &words);
	if (outcome)
		return outcome;
	if (words.has_wait && words.force) {
		report("'wait' and 'force' exclude each other");
		return USAGE;
	}
	if (words.has_wait && c->is_script) {
		report("'wait' cannot stand in a file");
		return USAGE;
	}

	c->wait_ms = words.wait_ms;
	c->wait_then_del = verb == DEL;
	c->wait_service = target.service_text;
	c->wait_backend = target.backend_text;
	return edit_target(c, verb, &target, &words);
}

enum outcome backend_add(struct change *c, struct words *w)
{
	return edit(c, ADD, w);
}

enum outcome backend_set(struct change *c, struct words *w)
{
	return edit(c, SET, w);
}

enum outcome backend_replace(struct change *c, struct words *w)
{
	return edit(c, REPLACE, w);
}

enum outcome backend_drain(struct change *c, struct words *w)
{
	return edit(c, DRAIN, w);
}

enum outcome backend_del(struct change *c, struct words *w)
{
	return edit(c, DEL, w);
}
