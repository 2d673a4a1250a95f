// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy.c - `lbctl policy set` and `load`.
 */
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "change.h"
#include "diff.h"
#include "names.h"
#include "object.h"
#include "report.h"
#include "tunables.h"

#define KEPT_SIZE 400

/* Say which services do not follow the new default. */
static void warn_kept(const struct model *m)
{
	char list[KEPT_SIZE] = "", name[ENDPOINT_TEXT_SIZE];
	size_t i, n = 0, used = 0;

	for (i = 0; i < m->n_services; i++) {
		if (m->services[i].policy < 0)
			continue;
		n++;
		if (used + ENDPOINT_TEXT_SIZE < sizeof(list))
			used += snprintf(list + used, sizeof(list) - used, "%s%s",
					 used ? ", " : "",
					 service_text(&m->services[i], name));
	}
	if (n)
		report_warning("%zu service%s own policy: %s%s", n,
			       n == 1 ? " keeps its" : "s keep their", list,
			       used + ENDPOINT_TEXT_SIZE < sizeof(list) ? "" : " ...");
}

enum outcome policy_set(struct change *c, struct words *w)
{
	const char *name = words_want(w, "the policy's name");
	struct model_service *s = NULL;
	enum outcome outcome;
	bool is_default;
	int slot = -1;

	if (!name)
		return USAGE;
	if (words_take(w, "service")) {
		outcome = find_service(w, c->to, &s);
		if (outcome)
			return outcome;
	}
	outcome = words_end(w);
	if (outcome)
		return outcome;

	is_default = s && !strcmp(name, "default");
	if (!is_default)
		outcome = change_find_policy(c, name, &slot);
	if (outcome)
		return outcome;

	if (s) {
		s->policy = slot;
		return DONE;
	}
	c->to->default_policy = slot;
	if (!c->is_script)
		warn_kept(c->to);
	return DONE;
}

static enum outcome take_name(void *to, const char *value)
{
	((struct policy_load *)to)->name = value;
	return DONE;
}

static enum outcome take_replace(void *to, const char *value)
{
	(void)value;
	((struct policy_load *)to)->replace = true;
	return DONE;
}

static enum outcome take_force(void *to, const char *value)
{
	(void)value;
	((struct policy_load *)to)->force = true;
	return DONE;
}

static const struct option_word load_options[] = {
	{ "name", "what to call it", take_name },
	{ "replace", NULL, take_replace },
	{ "force", NULL, take_force },
};

/* What the gate found, for who loaded it and for the log. */
static void tell_loaded(const struct state *s, const struct policy_load *p, bool quietly)
{
	const struct lb_policy_info *info = &s->policies[p->slot];
	char line[512];

	if (info->gate == LB_GATE_FORCED)
		report_warning(
			"policy '%s': FORCED, it does not keep what it promises: %s",
			info->meta.name, info->why);
	else if (!quietly)
		report_warning("policy '%s': passed the gate, %u ns a decision",
			       info->meta.name, info->cost_ns);
	snprintf(line, sizeof(line), "policy load %s: %s in slot %u, gate %s%s", p->path,
		 info->meta.name, p->slot,
		 info->gate == LB_GATE_FORCED ? "FORCED: " : "passed", info->why);
	diff_log(line);
}

static enum outcome take_load(struct words *w, struct policy_load *p)
{
	p->path = words_want(w, "the policy's object file");
	return p->path ? options_parse(w, load_options,
				       sizeof(load_options) / sizeof(load_options[0]), p)
		       : USAGE;
}

enum outcome policy_load(const struct lbctl *l, struct words *w)
{
	struct policy_load p = {};
	enum outcome outcome = take_load(w, &p);
	struct state state;

	if (outcome)
		return outcome;
	if (state_open(&state, &l->where, STATE_WRITE))
		return REFUSED;

	if (objects_locate(&state) || state_load_policy(&state, &p))
		outcome = REFUSED;
	else
		tell_loaded(&state, &p, false);
	state_close(&state);
	return outcome;
}

/* ---- in a file ------------------------------------------------------------------------ */

static enum outcome place(struct change *c, const struct policy_load *p,
			  const struct lb_policy_info *new, int *ret)
{
	const struct model_policy *policies = c->to->policies;
	int slot = model_find_policy(c->to, new->meta.name);

	if (slot >= 0 && !c->is_whole && !p->replace) {
		report("policy '%s': is loaded already, from %s; 'replace' takes the new "
		       "one, 'name NAME' another name",
		       new->meta.name, policies[slot].info.file);
		return REFUSED;
	}
	if (slot < 0)
		for (slot = 0; slot < LB_MAX_POLICIES && policies[slot].used;)
			slot++;
	*ret = slot;
	if (slot < LB_MAX_POLICIES)
		return DONE;
	report("policy '%s': there are %d policies already, which is the limit",
	       new->meta.name, LB_MAX_POLICIES);
	return REFUSED;
}

/* Its object is looked at; it is loaded once all lines are good. */
enum outcome policy_load_edit(struct change *c, struct words *w)
{
	struct policy_load p = {};
	enum outcome outcome = take_load(w, &p);
	struct lb_policy_info new;
	struct model_policy *to;
	int slot;

	if (outcome)
		return outcome;
	if ((c->state && objects_locate(c->state)) ||
	    state_peek_policy(c->state, &p, &new))
		return REFUSED;
	slot = model_find_policy(c->to, new.meta.name);
	if (slot >= 0 && c->to->policies[slot].info.digest == new.digest &&
	    !strcmp(c->to->policies[slot].info.path, new.path))
		return DONE; /* it is that one */
	outcome = place(c, &p, &new, &slot);
	if (outcome)
		return outcome;

	to = &c->to->policies[slot];
	if (to->used)
		tunables_translate(c->to, slot, new.tunables, false);
	p.is_new = !to->used;
	p.replace = true;
	p.slot = slot;
	to->used = true;
	to->info = new;
	if (c->n_loads < LB_MAX_POLICIES)
		c->loads[c->n_loads++] = p;
	return DONE;
}

enum outcome policy_load_all(struct change *c)
{
	size_t i;

	for (i = 0; i < c->n_loads; i++) {
		struct policy_load p = c->loads[i];

		if (state_load_policy(c->state, &p)) {
			policy_load_undo(c, i);
			return REFUSED;
		}
		if (!c->is_aside)
			tell_loaded(c->state, &p, true);
	}
	return DONE;
}

void policy_load_undo(struct change *c, size_t n)
{
	while (n-- > 0)
		if (c->loads[n].is_new && !c->state->config->dirty)
			state_withdraw_policy(c->state, c->loads[n].slot);
}
