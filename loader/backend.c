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
#include "backend_options.h"
#include "change.h"
#include "check.h"
#include "flow_walk.h"
#include "names.h"
#include "report.h"
#include "rules.h"

/* Which services, and the backend in them. */
struct target {
	struct model_service *service; /* NULL: all */
	struct address address;
	__u16 port; /* 0: the service's */
	const char *service_text, *backend_text;
};

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
static enum outcome edit_backend(struct change *c, enum backend_verb verb,
				 struct model_service *s, struct model_backend *old,
				 const struct model_backend *new,
				 const struct backend_words *words)
{
	switch (verb) {
	case BACKEND_ADD:
		return old ? refuse_twice(s, old) : insert_backend(c, s, new);
	case BACKEND_REPLACE:
		if (!old)
			return insert_backend(c, s, new);
		copy_settings(old, new);
		return check_backend(s, old);
	case BACKEND_SET:
		set_backend(old, words);
		return check_backend(s, old);
	case BACKEND_DEL:
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
	case BACKEND_DRAIN:
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

bool backend_is_meant(const struct model_service *s, const struct model_backend *b,
		      const struct address *address, __u16 port, bool all)
{
	if (address_compare(&b->address, address))
		return false;
	return (all && !port) || b->port == model_backend_port(s, port);
}

/* `add` and `replace` in one service. */
static enum outcome make_backend(struct change *c, enum backend_verb verb,
				 const struct target *t, struct model_service *s,
				 const struct backend_words *words)
{
	struct model_backend new;

	model_init_backend(&new);
	new.address = t->address;
	new.port = model_backend_port(s, t->port);
	set_backend(&new, words);
	return edit_backend(c, verb, s, model_find_backend(s, &new.address, new.port),
			    &new, words);
}

/* The others, which stand together; counts in @done.  Backwards, since a backend may go. */
static enum outcome edit_those(struct change *c, enum backend_verb verb,
			       const struct target *t, struct model_service *s,
			       const struct backend_words *words, size_t *done)
{
	bool all = !t->service, any_port = all && !t->port;
	__u16 port = any_port ? 0 : model_backend_port(s, t->port);
	size_t first = model_backend_place(s, &t->address, port), i = first;
	enum outcome outcome = DONE;

	while (i < s->n_backends &&
	       backend_is_meant(s, &s->backends[i], &t->address, t->port, all))
		i++;
	while (i-- > first && !outcome) {
		struct model_backend *b = &s->backends[i];

		outcome = edit_backend(c, verb, s, b, b, words);
		++*done;
	}
	return outcome;
}

static enum outcome edit_target(struct change *c, enum backend_verb verb,
				const struct target *t, const struct backend_words *words)
{
	bool makes = verb == BACKEND_ADD || verb == BACKEND_REPLACE;
	struct model_service *s = t->service ? t->service : c->to->services;
	struct model_service *end = t->service ? s + 1
					       : c->to->services + c->to->n_services;
	enum outcome outcome = DONE;
	size_t done = 0;

	for (; s < end && !outcome; s++) {
		if (!makes) {
			outcome = edit_those(c, verb, t, s, words, &done);
		} else if (t->service || t->address.family == s->address.family) {
			outcome = make_backend(c, verb, t, s, words);
			done++;
		}
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

static enum outcome edit(struct change *c, enum backend_verb verb, struct words *w)
{
	struct backend_words words = {};
	struct target target;
	enum outcome outcome;

	outcome = read_target(c, w, &target);
	if (!outcome)
		outcome = backend_options(verb, w, &words);
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
	c->wait_then_del = verb == BACKEND_DEL;
	c->wait_service = target.service_text;
	c->wait_backend = target.backend_text;
	return edit_target(c, verb, &target, &words);
}

enum outcome backend_add(struct change *c, struct words *w)
{
	return edit(c, BACKEND_ADD, w);
}

enum outcome backend_set(struct change *c, struct words *w)
{
	return edit(c, BACKEND_SET, w);
}

enum outcome backend_replace(struct change *c, struct words *w)
{
	return edit(c, BACKEND_REPLACE, w);
}

enum outcome backend_drain(struct change *c, struct words *w)
{
	return edit(c, BACKEND_DRAIN, w);
}

enum outcome backend_del(struct change *c, struct words *w)
{
	return edit(c, BACKEND_DEL, w);
}
