// SPDX-License-Identifier: GPL-2.0-only
/*
 * diff.c - what changes from one model to another, in words.
 */
#include "diff.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "address.h"
#include "number.h"
#include "param.h"
#include "rules.h"
#include "settings.h"

#define LINE_SIZE 1024

/*
 * A line in the making: "OBJECT set NAME" and then " KEYWORD OLD -> NEW" for each.  A change
 * leaves nearly all objects as they are, so names are made into text for those that differ.
 */
struct diff_line {
	const struct model_service *service; /* NULL: the line begins with @text */
	const struct model_backend *backend; /* NULL: the service's own line */
	char text[LINE_SIZE];
	size_t used;
	bool changed;
};

static void append(struct diff_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void append(struct diff_line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->used, room, format, args);
	va_end(args);
	if (n > 0)
		line->used += (size_t)n < room ? (size_t)n : room - 1;
}

/* "OBJECT set NAME", once. */
static void append_name(struct diff_line *line)
{
	char service[ENDPOINT_TEXT_SIZE], backend[ENDPOINT_TEXT_SIZE];
	const struct model_backend *b = line->backend;

	if (line->changed || !line->service)
		return;
	append(line, "%s set %s", b ? "backend" : "service",
	       service_text(line->service, service));
	if (b)
		append(line, " %s", backend_format(&b->address, b->port, backend));
}

static void append_change(struct diff_line *line, const char *keyword, const char *old,
			  const char *new)
{
	if (!strcmp(old, new))
		return;
	append_name(line);
	append(line, " %s %s -> %s", keyword, old, new);
	line->changed = true;
}

/* @zero: how 0 is said. */
static void append_number(struct diff_line *line, const char *keyword, __u32 old,
			  __u32 new, const char *zero)
{
	char from[NUMBER_TEXT_SIZE], to[NUMBER_TEXT_SIZE];

	if (old == new)
		return;
	snprintf(from, sizeof(from), "%u", old);
	snprintf(to, sizeof(to), "%u", new);
	append_change(line, keyword, old ? from : zero, new ? to : zero);
}

const char *backend_state_name(enum lb_backend_state state)
{
	static const char *const names[] = { "free", "active", "drain", "down" };

	return (size_t)state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

const char *policy_name(const struct model *m, int policy)
{
	if (policy < 0)
		return "default";
	if (policy >= LB_MAX_POLICIES || !m->policies[policy].used)
		return "?";
	return m->policies[policy].info.meta.name;
}

/*
 * Do they differ in nothing that has text?  Said of copies, as nearly all are; of others it
 * may say no, because of bytes that mean nothing.
 */
static bool is_copy(const struct model_service *a, const struct model_service *b)
{
	struct model_service x = *a;

	model_take_rest(&x, b);
	return !memcmp(&x, b, sizeof(x));
}

static size_t diff_service(const struct model *from, const struct model_service *a,
			   const struct model *to, const struct model_service *b,
			   void (*emit)(const char *line))
{
	char old[SETTING_TEXT_SIZE], new[SETTING_TEXT_SIZE];
	struct diff_line line = { .service = b };
	int i;

	if (is_copy(a, b))
		return 0;
	append_change(&line, "forward", forward_name(a->forward),
		      forward_name(b->forward));
	append_change(&line, "policy", policy_name(from, a->policy),
		      policy_name(to, b->policy));
	for (i = 0; i < N_SETTINGS; i++)
		append_change(&line, settings[i].keyword,
			      settings[i].text(a, settings[i].which, old),
			      settings[i].text(b, settings[i].which, new));
	append_change(&line, "comment", a->comment[0] ? a->comment : "none",
		      b->comment[0] ? b->comment : "none");

	if (line.changed)
		emit(line.text);
	return line.changed;
}

static void append_settings(struct diff_line *line, const struct model *m,
			    const struct model_service *s)
{
	char text[SETTING_TEXT_SIZE];
	int i;

	append(line, " forward %s policy %s", forward_name(s->forward),
	       policy_name(m, s->policy));
	for (i = 0; i < N_SETTINGS; i++)
		if (setting_is_set(&settings[i], s, text))
			append(line, " %s %s", settings[i].keyword, text);
	if (s->comment[0])
		append(line, " comment %s", s->comment);
}

static size_t emit_service(const char *verb, const struct model *m,
			   const struct model_service *s, void (*emit)(const char *line))
{
	char name[ENDPOINT_TEXT_SIZE];
	struct diff_line line = {};

	append(&line, "service %s %s", verb, service_text(s, name));
	if (!strcmp(verb, "add"))
		append_settings(&line, m, s);
	emit(line.text);
	return 1;
}

static size_t emit_backend(const char *verb, const struct model_service *s,
			   const struct model_backend *b, void (*emit)(const char *line))
{
	char service[ENDPOINT_TEXT_SIZE], backend[ENDPOINT_TEXT_SIZE];
	struct diff_line line = {};

	append(&line, "backend %s %s %s", verb, service_text(s, service),
	       backend_format(&b->address, b->port, backend));
	if (!strcmp(verb, "add"))
		append(&line, " weight %u state %s", b->weight,
		       backend_state_name(b->state));
	if (!strcmp(verb, "add") && b->priority)
		append(&line, " priority %u", b->priority);
	if (!strcmp(verb, "add") && b->max_flows)
		append(&line, " max-flows %u", b->max_flows);
	emit(line.text);
	return 1;
}

static size_t diff_backend(const struct model_service *s, const struct model_backend *a,
			   const struct model_backend *b, void (*emit)(const char *line))
{
	struct diff_line line = { .service = s, .backend = b };

	append_number(&line, "weight", a->weight, b->weight, "0");
	append_change(&line, "state", backend_state_name(a->state),
		      backend_state_name(b->state));
	append_number(&line, "priority", a->priority, b->priority, "0");
	append_number(&line, "max-flows", a->max_flows, b->max_flows, "off");

	if (line.changed)
		emit(line.text);
	return line.changed;
}

/* @a or @b is NULL: there is none. */
static size_t diff_backends(const struct model_service *a, const struct model_service *b,
			    void (*emit)(const char *line))
{
	size_t i, n = 0;

	for (i = 0; a && b && i < a->n_backends; i++) {
		const struct model_backend *old = &a->backends[i];

		if (!model_find_backend(b, &old->address, old->port))
			n += emit_backend("del", a, old, emit);
	}
	for (i = 0; b && i < b->n_backends; i++) {
		const struct model_backend *new = &b->backends[i];
		const struct model_backend *old = NULL;

		if (a)
			old = model_find_backend(a, &new->address, new->port);
		n += old ? diff_backend(b, old, new, emit)
			 : emit_backend("add", b, new, emit);
	}
	return n;
}

static size_t emit_rule(const char *key, const struct model_service *s,
			const struct model_rule *r, void (*emit)(const char *line))
{
	char service[ENDPOINT_TEXT_SIZE], rule[RULE_TEXT_SIZE];
	struct diff_line line = {};

	append(&line, "policy param match %s \"%s\" service %s", key,
	       rule_format(r, rule), service_text(s, service));
	emit(line.text);
	return 1;
}

/* @a is NULL: there is none. */
static size_t diff_rules(const struct model_service *a, const struct model_service *b,
			 void (*emit)(const char *line))
{
	char name[ENDPOINT_TEXT_SIZE], old[RULE_TEXT_SIZE], new[RULE_TEXT_SIZE];
	struct diff_line line = {};
	size_t i, n = 0;

	for (i = 0; a && i < a->n_rules; i++)
		if (!rule_find(b, &a->rules[i]))
			n += emit_rule("no-rule", a, &a->rules[i], emit);
	for (i = 0; i < b->n_rules; i++)
		if (!a || !rule_find(a, &b->rules[i]))
			n += emit_rule("rule", b, &b->rules[i], emit);

	/* Where segments without payload go. */
	if (n || !b->n_rules)
		return n;
	append(&line, "policy param match service %s", service_text(b, name));
	append_change(&line, "first rule", rule_format(&a->rules[0], old),
		      rule_format(&b->rules[0], new));
	if (line.changed)
		emit(line.text);
	return line.changed;
}

size_t model_diff(const struct model *from, const struct model *to,
		  void (*emit)(const char *line))
{
	struct diff_line line = {};
	size_t i, n = 0;

	append(&line, "policy set");
	append_change(&line, "default", policy_name(from, from->default_policy),
		      policy_name(to, to->default_policy));
	if (line.changed) {
		emit(line.text);
		n++;
	}
	n += param_diff(from, to, emit);

	for (i = 0; i < from->n_services; i++) {
		const struct model_service *s = &from->services[i];

		if (!model_find_same(to, s))
			n += emit_service("del", from, s, emit);
	}
	for (i = 0; i < to->n_services; i++) {
		const struct model_service *new = &to->services[i], *old;

		old = model_find_same(from, new);
		n += old ? diff_service(from, old, to, new, emit)
			 : emit_service("add", to, new, emit);
		n += diff_backends(old, new, emit);
		n += diff_rules(old, new, emit);
		n += param_diff_service(to, old, new, emit);
	}
	return n;
}

void diff_print(const char *line)
{
	puts(line);
}

/* Asked once: a file of commands makes many lines. */
static const char *user_name(void)
{
	static char name[64];
	const struct passwd *user;

	if (*name)
		return name;
	user = getpwuid(getuid());
	snprintf(name, sizeof(name), "%s", user ? user->pw_name : "?");
	openlog("lbctl", LOG_PID, LOG_DAEMON);
	return name;
}

void diff_log(const char *line)
{
	const char *user = user_name(), *sudo = getenv("SUDO_USER");

	syslog(LOG_NOTICE, "%s%s%s: %s", user, sudo ? " by sudo of " : "",
	       sudo ? sudo : "", line);
}
