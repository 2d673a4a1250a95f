// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_param.c - `lbctl policy param`: what a policy is told for each service.
 *
 * Only match has parameters: its rules.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "change.h"
#include "names.h"
#include "report.h"
#include "rule_rows.h"
#include "rules.h"

/* The policy's name, which must have parameters. */
static enum outcome take_policy(struct words *w, const struct model *m, bool any)
{
	const char *name = words_want(w, "the policy's name");
	enum outcome outcome = DONE;
	int slot;

	if (!name)
		return USAGE;
	if (!strcmp(name, RULES_POLICY))
		return DONE;
	if (!any)
		outcome = find_policy(name, m, &slot);
	if (outcome)
		return outcome;
	report("policy '%s': has no parameters; '%s' has", name, RULES_POLICY);
	return REFUSED;
}

static enum outcome take_service(struct words *w, const struct model *m,
				 struct model_service **ret)
{
	enum outcome outcome;

	if (!words_take(w, "service")) {
		report("'service SERVICE' is missing: parameters are a service's own");
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

enum outcome policy_param(struct change *c, struct words *w)
{
	static const char *const keys[] = { "rule", "no-rule" };
	char miss[MISS_TEXT_SIZE];
	const char *key, *value;
	struct model_service *s;
	enum outcome outcome;

	outcome = take_policy(w, c->to, c->is_blind);
	if (outcome)
		return outcome;
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

static enum outcome show(const struct lbctl *l, struct words *w)
{
	struct model_service *only = NULL;
	enum outcome outcome;
	struct state state;
	struct model m;

	if (state_open(&state, &l->where, STATE_READ))
		return REFUSED;
	if (state_read(&state, &m)) {
		report("%s: cannot read the state", state.dir);
		state_close(&state);
		return REFUSED;
	}
	outcome = take_policy(w, &m, false);
	if (!outcome && w->at < w->n)
		outcome = take_service(w, &m, &only);
	if (!outcome)
		outcome = output_list(l, "rules", rule_rows(&m, only), rule_columns,
				      n_rule_columns, NULL);
	model_free(&m);
	state_close(&state);
	return outcome;
}

enum outcome policy_param_run(const struct lbctl *l, struct words *w)
{
	static const struct command change = {
		.object = "policy",
		.verb = "param",
		.edit = policy_param,
	};
	bool shows = w->n - w->at < 2 || !strcmp(w->word[w->at + 1], "service");

	return shows ? show(l, w) : change_one(l, &change, w);
}
