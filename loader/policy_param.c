// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_param.c - `lbctl policy param`: what a policy is told, for all services or for one.
 *
 * Match is told rules; the others numbers, which their objects declare.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "names.h"
#include "number.h"
#include "param.h"
#include "report.h"
#include "rule_rows.h"
#include "rules.h"
#include "tunables.h"

#define LIST_SIZE 400

static bool has_params(const struct model_policy *p)
{
	return p->used &&
	       (p->info.tunables[0].name[0] || !strcmp(p->info.meta.name, RULES_POLICY));
}

static enum outcome report_none(const struct model *m, int slot)
{
	char list[LIST_SIZE] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < LB_MAX_POLICIES && used + LB_NAME_SIZE + 2 < sizeof(list); i++)
		if (has_params(&m->policies[i]))
			used += snprintf(list + used, sizeof(list) - used, "%s%s",
					 used ? ", " : "", m->policies[i].info.meta.name);
	report("policy '%s': has no parameters; these have: %s",
	       m->policies[slot].info.meta.name, list);
	return REFUSED;
}

/* ---- set ------------------------------------------------------------------------------ */

/* Nobody knows before there is an instance: take the word for it. */
static void declare(struct lb_policy_info *info, const char *key)
{
	int i;

	if (tunables_find(info->tunables, key) >= 0 || strlen(key) >= LB_NAME_SIZE)
		return;
	for (i = 0; i < LB_MAX_TUNABLES && info->tunables[i].name[0]; i++)
		;
	if (i == LB_MAX_TUNABLES)
		return;
	strcpy(info->tunables[i].name, key);
	info->tunables[i].high = LLONG_MAX;
}

static enum outcome take_key(struct change *c, struct words *w, int slot, int *ret)
{
	struct lb_policy_info *info = &c->to->policies[slot].info;
	const char *key = words_want(w, "the parameter"), *keys[LB_MAX_TUNABLES];
	char miss[MISS_TEXT_SIZE];
	size_t n;

	if (!key)
		return USAGE;
	if (c->is_blind)
		declare(info, key);
	if (!info->tunables[0].name[0])
		return report_none(c->to, slot);
	*ret = tunables_find(info->tunables, key);
	if (*ret >= 0)
		return DONE;
	for (n = 0; n < LB_MAX_TUNABLES && info->tunables[n].name[0]; n++)
		keys[n] = info->tunables[n].name;
	report("'%s': no such parameter of '%s'%s (see 'lbctl policy param %s')", key,
	       info->meta.name, did_you_mean(key, keys, n, miss), info->meta.name);
	return USAGE;
}

/* @ret_set false: `default`. */
static enum outcome take_value(struct words *w, const struct lb_tunable *t, bool *ret_set,
			       __u64 *ret)
{
	const char *text = words_want(w, "its value, or 'default',");
	unsigned long value = 0;

	if (!text)
		return USAGE;
	*ret_set = strcmp(text, "default");
	if (*ret_set && !number_parse(text, t->low, t->high, &value)) {
		report("%s '%s': not a number from %llu to %llu, nor 'default'", t->name,
		       text, t->low, t->high);
		return USAGE;
	}
	*ret = value;
	return DONE;
}

static enum outcome set_for_service(struct model_service *s, int slot, int key, bool set,
				    __u64 value)
{
	if (!set)
		param_unset(s, slot, key);
	else if (param_set(s, slot, key, value)) {
		report("out of memory");
		return REFUSED;
	}
	return DONE;
}

static enum outcome param_number(struct change *c, struct words *w, int slot)
{
	struct model_policy *p = &c->to->policies[slot];
	struct model_service *s = NULL;
	enum outcome outcome;
	__u64 value;
	bool set = false;
	int key = 0;

	outcome = take_key(c, w, slot, &key);
	if (!outcome)
		outcome = take_value(w, &p->info.tunables[key], &set, &value);
	if (!outcome && words_take(w, "service"))
		outcome = find_service(w, c->to, &s);
	if (!outcome)
		outcome = words_end(w);
	if (outcome)
		return outcome;

	if (s)
		return set_for_service(s, slot, key, set, value);
	p->set &= ~(1U << key);
	if (set) {
		p->set |= 1U << key;
		p->value[key] = value;
	}
	return DONE;
}

enum outcome policy_param(struct change *c, struct words *w)
{
	const char *name = words_want(w, "the policy's name");
	enum outcome outcome;
	int slot;

	if (!name)
		return USAGE;
	if (!strcmp(name, RULES_POLICY))
		return param_rule(c, w);
	outcome = change_find_policy(c, name, &slot);
	return outcome ? outcome : param_number(c, w, slot);
}

/* ---- show ----------------------------------------------------------------------------- */

static enum outcome show_model(const struct lbctl *l, struct words *w,
			       const struct model *m)
{
	const char *name = words_want(w, "the policy's name");
	struct model_service *only = NULL;
	enum outcome outcome;
	int slot;

	outcome = name ? find_policy(name, m, &slot) : USAGE;
	if (!outcome && words_take(w, "service"))
		outcome = find_service(w, m, &only);
	if (!outcome)
		outcome = words_end(w);
	if (outcome)
		return outcome;
	if (!has_params(&m->policies[slot]))
		return report_none(m, slot);
	if (!strcmp(name, RULES_POLICY))
		return output_list(l, "rules", rule_rows(m, only), rule_columns,
				   n_rule_columns, NULL);
	return output_list(l, "params", param_rows(m, slot, only), param_columns,
			   n_param_columns, NULL);
}

static enum outcome show(const struct lbctl *l, struct words *w)
{
	enum outcome outcome;
	struct state state;
	struct model m;

	if (state_open(&state, &l->where, STATE_READ))
		return REFUSED;
	if (state_read(&state, &m)) {
		report("%s: cannot read the state", state.dir);
		outcome = REFUSED;
	} else {
		outcome = show_model(l, w, &m);
		model_free(&m);
	}
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
