// SPDX-License-Identifier: GPL-2.0-only
/*
 * service.c - `lbctl service add`, `set`, `replace` and `del`.
 *
 * `add` makes a service that is not there, `set` changes what is said of one that is,
 * `replace` makes it what is said and nothing else, whether it was there or not; its
 * backends stay.
 */
#include <ctype.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "change.h"
#include "diff.h"
#include "names.h"
#include "number.h"
#include "report.h"

#define TIMEOUT_MAX_MS (7ULL * 24 * 3600 * 1000)

struct service_words {
	struct change *change;
	struct model_service *service;
};

static enum outcome take_forward(void *to, const char *value)
{
	static const char *const modes[] = { "fullnat", "nat", "dsr",
					     "ipip",	"gue", "local" };
	const size_t n = sizeof(modes) / sizeof(modes[0]);
	struct service_words *s = to;
	char miss[MISS_TEXT_SIZE];
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(value, modes[i]))
			break;
	if (i == n) {
		report("forward '%s': no such mode%s", value,
		       did_you_mean(value, modes, n, miss));
		return USAGE;
	}
	if (i) {
		report("forward '%s': not built yet; this version has fullnat", value);
		return REFUSED;
	}
	s->service->forward = LB_FORWARD_FULLNAT;
	return DONE;
}

static enum outcome take_policy(void *to, const char *value)
{
	struct service_words *s = to;

	if (!strcmp(value, "default")) {
		s->service->policy = -1;
		return DONE;
	}
	return change_find_policy(s->change, value, &s->service->policy);
}

static enum outcome take_ports(void *to, const char *value)
{
	const char *dash = strchr(value, '-');
	unsigned long low, high;
	struct service_words *s = to;
	char first[8] = "";

	if (dash && (size_t)(dash - value) < sizeof(first))
		memcpy(first, value, dash - value);
	if (!dash || !number_parse(first, 1, 65535, &low) ||
	    !number_parse(dash + 1, 1, 65535, &high) || low > high) {
		report("ports '%s': not a range LO-HI within 1-65535", value);
		return USAGE;
	}
	s->service->port_low = low;
	s->service->port_high = high;
	return DONE;
}

static enum outcome take_timeout(struct service_words *s, enum model_timeout which,
				 const char *value)
{
	__u64 ms;

	if (!time_parse(value, &ms) || !ms || ms > TIMEOUT_MAX_MS) {
		report("%s '%s': not a time from 1ms to 7d, as in 90s",
		       timeout_name(which), value);
		return USAGE;
	}
	if (which != TIMEOUT_IDLE && s->service->protocol != IPPROTO_TCP) {
		report("%s: a udp service has timeout-idle only", timeout_name(which));
		return REFUSED;
	}
	s->service->timeout_set |= 1U << which;
	s->service->timeout_ms[which] = ms;
	return DONE;
}

static enum outcome take_idle(void *to, const char *value)
{
	return take_timeout(to, TIMEOUT_IDLE, value);
}

static enum outcome take_half_open(void *to, const char *value)
{
	return take_timeout(to, TIMEOUT_HALF_OPEN, value);
}

static enum outcome take_closing(void *to, const char *value)
{
	return take_timeout(to, TIMEOUT_CLOSING, value);
}

static enum outcome take_closed(void *to, const char *value)
{
	return take_timeout(to, TIMEOUT_CLOSED, value);
}

static enum outcome take_comment(void *to, const char *value)
{
	struct service_words *s = to;
	const char *c;
	json_t *text;

	if (strlen(value) >= sizeof(s->service->comment)) {
		report("comment: longer than %zu bytes", sizeof(s->service->comment) - 1);
		return REFUSED;
	}
	for (c = value; *c; c++) {
		if (!iscntrl((unsigned char)*c))
			continue;
		report("comment: holds a control character");
		return USAGE;
	}
	text = json_string(value);
	if (!text) {
		report("comment: not UTF-8");
		return USAGE;
	}
	json_decref(text);
	strcpy(s->service->comment, value);
	return DONE;
}

static const struct option_word service_options[] = {
	{ "forward", "fullnat", take_forward },
	{ "policy", "a policy's name, or default", take_policy },
	{ "ports", "LO-HI", take_ports },
	{ "timeout-idle", "a time, as in 90s", take_idle },
	{ "timeout-half-open", "a time, as in 90s", take_half_open },
	{ "timeout-closing", "a time, as in 90s", take_closing },
	{ "timeout-closed", "a time, as in 90s", take_closed },
	{ "comment", "a text", take_comment },
	{ "persistence", "", NULL },
	{ "src", "", NULL },
	{ "slots", "", NULL },
	{ "on-empty", "", NULL },
	{ "on-unknown", "", NULL },
	{ "grace", "", NULL },
	{ "slow-start", "", NULL },
	{ "mss", "", NULL },
	{ "icmp-reply", "", NULL },
};

static enum outcome read_options(struct change *c, struct words *w,
				 struct model_service *s)
{
	struct service_words to = { .change = c, .service = s };

	return options_parse(w, service_options,
			     sizeof(service_options) / sizeof(service_options[0]), &to);
}

static enum outcome insert_service(struct change *c, const struct model_service *s)
{
	if (c->to->n_services >= LB_MAX_SERVICES) {
		report("there are %d services already, which is the limit",
		       LB_MAX_SERVICES);
		return REFUSED;
	}
	if (!model_add_service(c->to, s)) {
		report("out of memory");
		return REFUSED;
	}
	return DONE;
}

static void name_new(struct model_service *s, const struct service_name *name)
{
	model_init_service(s);
	model_set_name(s, name);
}

enum outcome service_add(struct change *c, struct words *w)
{
	struct service_name name;
	struct model_service s;
	enum outcome outcome;
	char text[ENDPOINT_TEXT_SIZE];

	outcome = name_service(w, &name);
	if (outcome)
		return outcome;
	name_new(&s, &name);
	outcome = read_options(c, w, &s);
	if (outcome)
		return outcome;

	if (model_find_service(c->to, &name)) {
		report("service '%s' is there already; change it with 'service set'",
		       service_format(&name, text));
		return REFUSED;
	}
	return insert_service(c, &s);
}

enum outcome service_set(struct change *c, struct words *w)
{
	struct model_service *s;
	enum outcome outcome;

	outcome = find_service(w, c->to, &s);
	if (outcome)
		return outcome;
	if (w->at == w->n) {
		report("service set: what to set is missing (see 'lbctl -h')");
		return USAGE;
	}
	return read_options(c, w, s);
}

enum outcome service_replace(struct change *c, struct words *w)
{
	struct service_name name;
	struct model_service s, *old;
	enum outcome outcome;

	outcome = name_service(w, &name);
	if (outcome)
		return outcome;
	name_new(&s, &name);
	outcome = read_options(c, w, &s);
	if (outcome)
		return outcome;

	old = model_find_service(c->to, &name);
	if (!old)
		return insert_service(c, &s);

	s.id = old->id;
	s.since = old->since;
	s.generation = old->generation;
	s.n_backends = old->n_backends;
	s.backends = old->backends;
	s.n_rules = old->n_rules;
	s.rules = old->rules;
	*old = s;
	return DONE;
}

enum outcome service_del(struct change *c, struct words *w)
{
	struct model_service *s;
	enum outcome outcome;

	outcome = find_service(w, c->to, &s);
	if (outcome)
		return outcome;
	words_take(w, "force");
	outcome = words_end(w);
	if (outcome)
		return outcome;

	model_del_service(c->to, s);
	return DONE;
}
