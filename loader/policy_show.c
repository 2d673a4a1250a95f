// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_show.c - `lbctl policy show`: what policies there are, and which tables are theirs.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "generation.h"
#include "made.h"
#include "names.h"
#include "output.h"
#include "param.h"
#include "report.h"
#include "rule_rows.h"
#include "rules.h"

#define GENERATIONS_MAX 40 /* lines for people; -j has all */

/* What is shown. */
struct policies {
	const struct state *state;
	struct model model;
	int only; /* slot; -1: all */
};

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
	if (promises & LB_PROMISE_WEIGHT)
		json_array_append_new(list, json_string("by-weight"));
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

static const char *cost_text(const json_t *row, char *ret)
{
	json_int_t ns = json_integer_value(json_object_get(row, "cost_ns"));

	snprintf(ret, OUTPUT_CELL_SIZE, ns ? "%lld ns" : "-", (long long)ns);
	return ret;
}

static const char *gate_text(const json_t *row, char *ret)
{
	const char *gate = json_string_value(json_object_get(row, "gate"));

	if (!gate)
		return "-";
	/* What is not as it should be is to be seen. */
	snprintf(ret, OUTPUT_CELL_SIZE, "%s", strcmp(gate, "forced") ? gate : "FORCED");
	return ret;
}

/* With the beginning of the program's tag, and what it does not keep. */
static const char *file_text(const json_t *row, char *ret)
{
	const char *why = json_string_value(json_object_get(row, "broken_promise"));

	snprintf(ret, OUTPUT_CELL_SIZE, "%s %.6s%s%s",
		 json_string_value(json_object_get(row, "file")),
		 json_string_value(json_object_get(row, "tag")), why ? ": " : "",
		 why ? why : "");
	return ret;
}

static const struct column policy_columns[] = {
	{ .title = "NAME", .key = "policy" },
	{ .title = "DEFAULT", .key = "default", .format = COLUMN_YES },
	{ .title = "SERVICES", .key = "services", .format = COLUMN_NUMBER },
	{ .title = "TABLE", .key = "table" },
	{ .title = "PROMISES", .text = promise_text },
	{ .title = "DECISIONS", .key = "decisions", .format = COLUMN_COUNT },
	{ .title = "COST", .text = cost_text },
	{ .title = "SINCE", .key = "since_unix_s", .format = COLUMN_DATE },
	{ .title = "GATE", .text = gate_text },
	{ .title = "FILE", .text = file_text },
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

static __u64 decisions(const struct state *s, __u32 slot)
{
	int i, n = libbpf_num_possible_cpus(), fd = state_map_fd(s, "lb_policy_counts");
	struct lb_policy_count cpu[n];
	__u64 sum = 0;

	memset(cpu, 0, sizeof(cpu));
	if (fd >= 0) {
		if (!bpf_map_lookup_elem(fd, &slot, cpu))
			for (i = 0; i < n; i++)
				sum += cpu[i].decisions;
		close(fd);
	}
	return sum;
}

static json_t *gate_name(__u32 gate)
{
	switch (gate) {
	case LB_GATE_PASSED:
		return json_string("passed");
	case LB_GATE_FORCED:
		return json_string("forced");
	default:
		return json_null();
	}
}

static json_t *tag(const struct lb_policy_info *info)
{
	char text[2 * sizeof(info->tag) + 1];
	size_t i;

	for (i = 0; i < sizeof(info->tag); i++)
		sprintf(text + 2 * i, "%02x", info->tag[i]);
	return json_string(text);
}

static size_t count_services(const struct model *m, int slot)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_services; i++)
		n += service_policy(m, &m->services[i]) == (__u32)slot;
	return n;
}

static json_t *policy_row(const struct policies *p, int slot)
{
	const struct model *m = &p->model;
	const struct lb_policy_info *info = &m->policies[slot].info;

	return json_pack(
		"{s:s, s:i, s:b, s:I, s:s, s:o, s:I, s:o, s:I, s:i, s:o, s:o, s:s, s:o, s:o*, s:o*}",
		"policy", info->meta.name, "slot", slot, "default",
		slot == m->default_policy, "services",
		(json_int_t)count_services(m, slot), "table",
		table_kind_name(info->meta.kind), "promises",
		promise_list(info->meta.promises), "decisions",
		(json_int_t)decisions(p->state, slot), "cost_ns",
		info->cost_ns ? json_integer(info->cost_ns) : json_null(), "since_unix_s",
		(json_int_t)info->since, "program", (int)info->program, "gate",
		gate_name(info->gate), "broken_promise",
		*info->why ? json_string(info->why) : json_null(), "file", info->file,
		"tag", tag(info), "rules", has_rules(m, slot) ? rule_rows(m, NULL) : NULL,
		"params", info->tunables[0].name[0] ? param_rows(m, slot, NULL) : NULL);
}

static json_t *policy_rows(const struct policies *p)
{
	json_t *rows = json_array();
	int slot;

	for (slot = 0; slot < LB_MAX_POLICIES; slot++)
		if (p->model.policies[slot].used && (p->only < 0 || p->only == slot))
			json_array_append_new(rows, policy_row(p, slot));
	return rows;
}

static json_t *generation_row(const struct policies *p, const struct generations *all,
			      const struct model_service *s)
{
	struct generation g = generation_of(all, s->id);
	const struct model *m = &p->model;
	char name[ENDPOINT_TEXT_SIZE];
	json_t *row;

	row = json_pack("{s:s, s:s, s:I}", "service", service_text(s, name), "policy",
			m->policies[service_policy(m, s)].info.meta.name, "generation",
			(json_int_t)g.table.generation);
	if (row && g.left_ms && g.previous.policy < LB_MAX_POLICIES)
		json_object_update_new(
			row,
			json_pack("{s:I, s:s, s:f, s:b}", "previous",
				  (json_int_t)g.previous.generation, "previous_policy",
				  m->policies[g.previous.policy].info.meta.name,
				  "previous_left_s", g.left_ms / 1000.0, "previous_asked",
				  !!(g.previous.promises & LB_PROMISE_CONSISTENT)));
	return row;
}

static json_t *generation_rows(const struct policies *p)
{
	json_t *rows = json_array();
	struct generations all;
	size_t i;

	generations_open(p->state, &all);
	for (i = 0; i < p->model.n_services; i++) {
		const struct model_service *s = &p->model.services[i];

		if (p->only < 0 || service_policy(&p->model, s) == (__u32)p->only)
			json_array_append_new(rows, generation_row(p, &all, s));
	}
	return rows;
}

static void print_generation(const json_t *row)
{
	json_t *left = json_object_get(row, "previous_left_s");
	char text[NUMBER_TEXT_SIZE];

	printf("%s  generation %lld", json_string_value(json_object_get(row, "service")),
	       (long long)json_integer_value(json_object_get(row, "generation")));
	if (left)
		printf(", previous %lld (%s) for %s more",
		       (long long)json_integer_value(json_object_get(row, "previous")),
		       json_string_value(json_object_get(row, "previous_policy")),
		       age_format((__u64)json_real_value(left) + 1, text));
	putchar('\n');
}

/* Of one policy all its services; else those where the previous one counts still. */
static void print_generations(const struct policies *p)
{
	json_t *rows = generation_rows(p), *row;
	size_t i, n = 0;

	json_array_foreach(rows, i, row) {
		if (p->only < 0 && !json_object_get(row, "previous_left_s"))
			continue;
		if (n++ < GENERATIONS_MAX)
			print_generation(row);
	}
	if (n > GENERATIONS_MAX)
		printf("and %zu services more; 'lbctl -j policy show' has all\n",
		       n - GENERATIONS_MAX);
	json_decref(rows);
}

static enum outcome print_json(const struct lbctl *l, const struct policies *p)
{
	json_t *root = output_object();

	json_object_set_new(root, "policies", policy_rows(p));
	json_object_set_new(root, "generations", generation_rows(p));
	return output_json(l, root);
}

static enum outcome print(const struct lbctl *l, const struct policies *p)
{
	json_t *rows = l->json ? NULL : policy_rows(p);
	enum outcome outcome;

	if (l->json)
		return print_json(l, p);
	outcome = output_table(rows, policy_columns,
			       sizeof(policy_columns) / sizeof(policy_columns[0]), NULL);
	json_decref(rows);
	if (outcome)
		return outcome;
	print_generations(p);
	if (p->only < 0)
		return DONE;
	if (p->model.policies[p->only].info.tunables[0].name[0]) {
		putchar('\n');
		outcome = output_list(l, "params", param_rows(&p->model, p->only, NULL),
				      param_columns, n_param_columns, NULL);
	}
	if (outcome || !has_rules(&p->model, p->only))
		return outcome;
	putchar('\n');
	return output_list(l, "rules", rule_rows(&p->model, NULL), rule_columns,
			   n_rule_columns, NULL);
}

enum outcome policy_show(const struct lbctl *l, struct words *w)
{
	const char *name = words_next(w);
	enum outcome outcome = words_end(w);
	struct policies p = { .only = -1 };
	struct state state;

	if (outcome)
		return outcome;
	if (state_open(&state, &l->where, STATE_READ))
		return REFUSED;
	p.state = &state;
	if (state_read(&state, &p.model)) {
		report("%s: cannot read the state", state.dir);
		outcome = REFUSED;
	} else {
		if (name)
			outcome = find_policy(name, &p.model, &p.only);
		if (!outcome)
			outcome = print(l, &p);
		model_free(&p.model);
	}
	state_close(&state);
	return outcome;
}
