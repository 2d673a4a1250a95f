// SPDX-License-Identifier: GPL-2.0-only
/*
 * param_rows.c - the tunables of policies as rows, as differences and as commands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "param.h"
#include "tunables.h"

#define VALUE_SIZE 24
#define LINE_SIZE  256

static bool is_declared(const struct model_policy *p, __u32 key)
{
	return p->used && key < LB_MAX_TUNABLES && p->info.tunables[key].name[0];
}

/* ---- rows ----------------------------------------------------------------------------- */

static const char *service_cell(const json_t *row, char *ret)
{
	const char *service = json_string_value(json_object_get(row, "service"));

	snprintf(ret, OUTPUT_CELL_SIZE, "%s", service ? service : "all");
	return ret;
}

static const char *range_cell(const json_t *row, char *ret)
{
	snprintf(ret, OUTPUT_CELL_SIZE, "%lld-%lld",
		 json_integer_value(json_object_get(row, "min")),
		 json_integer_value(json_object_get(row, "max")));
	return ret;
}

const struct column param_columns[] = {
	{ .title = "PARAMETER", .key = "param" },
	{ .title = "VALUE", .key = "value", .format = COLUMN_NUMBER },
	{ .title = "SERVICE", .text = service_cell },
	{ .title = "INITIAL", .key = "initial", .format = COLUMN_NUMBER },
	{ .title = "RANGE", .text = range_cell },
	{ .title = "MEANS", .key = "means" },
};
const size_t n_param_columns = sizeof(param_columns) / sizeof(param_columns[0]);

static json_t *param_row(const struct model_policy *p, int slot, __u32 key,
			 const struct model_service *s)
{
	const struct lb_tunable *t = &p->info.tunables[key];
	const struct model_param *own = s ? param_find(s, slot, key) : NULL;
	bool set = s ? own != NULL : p->set >> key & 1;
	__u64 value = p->set >> key & 1 ? p->value[key] : t->initial;
	char name[ENDPOINT_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:I, s:o, s:b, s:I, s:I, s:I, s:s}", "policy",
			 p->info.meta.name, "param", t->name, "value",
			 (json_int_t)(own ? own->value : value), "service",
			 s ? json_string(service_text(s, name)) : json_null(), "set", set,
			 "initial", (json_int_t)t->initial, "min", (json_int_t)t->low,
			 "max", (json_int_t)t->high, "means", t->help);
}

json_t *param_rows(const struct model *m, int slot, const struct model_service *only)
{
	const struct model_policy *p = &m->policies[slot];
	json_t *rows = json_array();
	size_t i;
	__u32 key;

	for (key = 0; is_declared(p, key); key++) {
		json_array_append_new(rows, param_row(p, slot, key, only));
		for (i = 0; !only && i < m->n_services; i++)
			if (param_find(&m->services[i], slot, key))
				json_array_append_new(rows, param_row(p, slot, key,
								      &m->services[i]));
	}
	return rows;
}

/* ---- differences ---------------------------------------------------------------------- */

static const char *value_text(bool set, __u64 value, char ret[VALUE_SIZE])
{
	if (!set)
		return strcpy(ret, "default");
	snprintf(ret, VALUE_SIZE, "%llu", value);
	return ret;
}

static size_t diff_one(const struct lb_policy_info *info, __u32 key, const char *old,
		       const char *new, const char *service,
		       void (*emit)(const char *line))
{
	char line[LINE_SIZE];

	if (!strcmp(old, new))
		return 0;
	snprintf(line, sizeof(line), "policy param %s %s %s -> %s%s%s", info->meta.name,
		 info->tunables[key].name, old, new, service ? " service " : "",
		 service ? service : "");
	emit(line);
	return 1;
}

size_t param_diff(const struct model *from, const struct model *to,
		  void (*emit)(const char *line))
{
	char old[VALUE_SIZE], new[VALUE_SIZE];
	size_t n = 0;
	__u32 slot, key;

	for (slot = 0; slot < LB_MAX_POLICIES; slot++) {
		const struct model_policy *a = &from->policies[slot];
		const struct model_policy *b = &to->policies[slot];

		for (key = 0; is_declared(b, key); key++)
			n += diff_one(&b->info, key,
				      value_text(a->set >> key & 1, a->value[key], old),
				      value_text(b->set >> key & 1, b->value[key], new),
				      NULL, emit);
	}
	return n;
}

static const char *own_text(const struct model_service *s, int slot, __u32 key,
			    char ret[VALUE_SIZE])
{
	const struct model_param *own = s ? param_find(s, slot, key) : NULL;

	return value_text(own, own ? own->value : 0, ret);
}

size_t param_diff_service(const struct model *m, const struct model_service *old,
			  const struct model_service *new, void (*emit)(const char *line))
{
	char was[VALUE_SIZE], is[VALUE_SIZE], service[ENDPOINT_TEXT_SIZE];
	size_t n = 0;
	__u32 slot, key;

	if (!new->n_params && !(old && old->n_params))
		return 0;
	service_text(new, service);
	for (slot = 0; slot < LB_MAX_POLICIES; slot++)
		for (key = 0; is_declared(&m->policies[slot], key); key++)
			n += diff_one(&m->policies[slot].info, key,
				      own_text(old, slot, key, was),
				      own_text(new, slot, key, is), service, emit);
	return n;
}

/* ---- commands ------------------------------------------------------------------------- */

static int compare_name(const void *a, const void *b)
{
	const struct model_policy *const *x = a, *const *y = b;

	return strcmp((*x)->info.meta.name, (*y)->info.meta.name);
}

/* Policies that have tunables, by name. */
static size_t sorted(const struct model *m,
		     const struct model_policy *ret[LB_MAX_POLICIES])
{
	size_t i, n = 0;

	for (i = 0; i < LB_MAX_POLICIES; i++)
		if (is_declared(&m->policies[i], 0))
			ret[n++] = &m->policies[i];
	qsort(ret, n, sizeof(ret[0]), compare_name);
	return n;
}

void param_save(const struct model *m)
{
	const struct model_policy *p[LB_MAX_POLICIES];
	size_t i, n = sorted(m, p);
	__u32 key;

	for (i = 0; i < n; i++)
		for (key = 0; is_declared(p[i], key); key++)
			if (p[i]->set >> key & 1)
				printf("policy param %s %s %llu\n", p[i]->info.meta.name,
				       p[i]->info.tunables[key].name, p[i]->value[key]);
}

void param_save_service(const struct model *m, const struct model_service *s)
{
	const struct model_policy *p[LB_MAX_POLICIES];
	const struct model_param *own;
	char service[ENDPOINT_TEXT_SIZE];
	size_t i, n = s->n_params ? sorted(m, p) : 0;
	__u32 key;

	for (i = 0; i < n; i++)
		for (key = 0; is_declared(p[i], key); key++) {
			own = param_find(s, p[i] - m->policies, key);
			if (own)
				printf("policy param %s %s %llu service %s\n",
				       p[i]->info.meta.name,
				       p[i]->info.tunables[key].name, own->value,
				       service_text(s, service));
		}
}
