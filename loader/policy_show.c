// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_show.c - `lbctl policy show`: what policies there are, and what they do.
 */
#include <stdio.h>
#include <string.h>

#include "made.h"
#include "names.h"
#include "output.h"
#include "report.h"
#include "rule_rows.h"
#include "rules.h"

static const char *kind_name(__u32 kind)
{
	static const char *const names[LB_TABLE_KIND_MAX] = { "uniform", "weighted",
							      "maglev", "primary" };

	return kind < LB_TABLE_KIND_MAX ? names[kind] : "?";
}

static json_t *promise_list(__u32 promises)
{
	json_t *list = json_array();

	if (promises & LB_PROMISE_EVEN)
		json_array_append_new(list, json_string("even"));
	if (promises & LB_PROMISE_STICKY)
		json_array_append_new(list, json_string("sticky"));
	if (promises & LB_PROMISE_CONSISTENT)
		json_array_append_new(list, json_string("consistent"));
	if (promises & LB_PROMISE_ADDRESS)
		json_array_append_new(list, json_string("by-address"));
	if (promises & LB_PROMISE_PACKET)
		json_array_append_new(list, json_string("per-packet"));
	return list;
}

static const char *promise_text(const json_t *row, char *ret)
{
	json_t *value;
	size_t i, used = 0;

	strcpy(ret, "-");
	json_array_foreach(json_object_get(row, "promises"), i, value)
		used += snprintf(ret + used, OUTPUT_CELL_SIZE - used, "%s%s",
				 i ? "," : "", json_string_value(value));
	return ret;
}

static const struct column policy_columns[] = {
	{ .title = "NAME", .key = "policy" },
	{ .title = "DEFAULT", .key = "default", .format = COLUMN_YES },
	{ .title = "SERVICES", .key = "services", .format = COLUMN_NUMBER },
	{ .title = "TABLE", .key = "table" },
	{ .title = "PROMISES", .text = promise_text },
	{ .title = "SINCE", .key = "since_unix_s", .format = COLUMN_DATE },
	{ .title = "PROGRAM", .key = "program", .format = COLUMN_NUMBER },
	{ .title = "FILE", .key = "file" },
};

/* Is it the policy whose rules the services have? */
static bool has_rules(const struct model *m, int slot)
{
	size_t i;

	if (strcmp(m->policies[slot].info.meta.name, RULES_POLICY))
		return false;
	for (i = 0; i < m->n_services; i++)
		if (m->services[i].n_rules)
			return true;
	return false;
}

static json_t *policy_row(const struct model *m, int slot)
{
	const struct lb_policy_info *info = &m->policies[slot].info;
	bool is_default = slot == m->default_policy;
	size_t i, services = 0;

	for (i = 0; i < m->n_services; i++) {
		int own = m->services[i].policy;

		services += own < 0 ? is_default : own == slot;
	}
	return json_pack("{s:s, s:i, s:b, s:i, s:s, s:o, s:I, s:i, s:s, s:o*}", "policy",
			 info->meta.name, "slot", slot, "default", is_default, "services",
			 (int)services, "table", kind_name(info->meta.kind), "promises",
			 promise_list(info->meta.promises), "since_unix_s",
			 (json_int_t)info->since, "program", (int)info->program, "file",
			 info->file, "rules",
			 has_rules(m, slot) ? rule_rows(m, NULL) : NULL);
}

static enum outcome show_model(const struct lbctl *l, struct words *w,
			       const struct model *m)
{
	const char *name = words_next(w);
	enum outcome outcome;
	int slot, only = -1;
	json_t *rows;

	outcome = words_end(w);
	if (!outcome && name)
		outcome = find_policy(name, m, &only);
	if (outcome)
		return outcome;

	rows = json_array();
	for (slot = 0; slot < LB_MAX_POLICIES; slot++)
		if (m->policies[slot].used && (only < 0 || only == slot))
			json_array_append_new(rows, policy_row(m, slot));
	outcome = output_list(l, "policies", rows, policy_columns,
			      sizeof(policy_columns) / sizeof(policy_columns[0]), NULL);
	if (outcome || l->json || only < 0 || !has_rules(m, only))
		return outcome;
	putchar('\n');
	return output_list(l, "rules", rule_rows(m, NULL), rule_columns, n_rule_columns,
			   NULL);
}

enum outcome policy_show(const struct lbctl *l, struct words *w)
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
