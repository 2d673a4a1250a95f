// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_rule.c - `lbctl policy param match rule` and `no-rule`.
 */
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "names.h"
#include "param.h"
#include "report.h"
#include "rules.h"

static enum outcome take_service(struct words *w, const struct model *m,
				 struct model_service **ret)
{
	enum outcome outcome;

	if (!words_take(w, "service")) {
		report("'service SERVICE' is missing: rules are a service's own");
		return USAGE;
	}
	outcome = find_service(w, m, ret);
	return outcome ? outcome : words_end(w);
}

static enum outcome remove_rule(struct model_service *s, const struct model_rule *r)
{
	char name[ENDPOINT_TEXT_SIZE], text[RULE_TEXT_SIZE];
	struct model_rule *old = rule_find(s, r);

	if (!old) {
		report("rule '%s': not one of %s (see 'lbctl policy param match')",
		       rule_format(r, text), service_text(s, name));
		return REFUSED;
	}
	model_del_rule(s, old);
	return DONE;
}

static enum outcome edit(struct model_service *s, bool adds, const char *value)
{
	struct model_rule rule;
	enum outcome outcome;

	if (adds && !strcmp(value, "none")) {
		while (s->n_rules)
			model_del_rule(s, &s->rules[s->n_rules - 1]);
		return DONE;
	}
	outcome = rule_parse(value, s, &rule);
	if (outcome)
		return outcome;
	return adds ? rule_add(s, &rule) : remove_rule(s, &rule);
}

enum outcome param_rule(struct change *c, struct words *w)
{
	static const char *const keys[] = { "rule", "no-rule" };
	char miss[MISS_TEXT_SIZE];
	const char *key, *value;
	struct model_service *s;
	enum outcome outcome;

	key = words_want(w, "what to set, 'rule' or 'no-rule',");
	if (!key)
		return USAGE;
	if (strcmp(key, keys[0]) && strcmp(key, keys[1])) {
		report("'%s': no such parameter of '" RULES_POLICY "'%s", key,
		       did_you_mean(key, keys, 2, miss));
		return USAGE;
	}
	value = words_want(w, "the rule");
	if (!value)
		return USAGE;
	outcome = take_service(w, c->to, &s);
	return outcome ? outcome : edit(s, !strcmp(key, keys[0]), value);
}
