// SPDX-License-Identifier: GPL-2.0-only
/*
 * rule_rows.c - the rules of policy match as rows, for `policy param` and `policy show`.
 */
#include "rule_rows.h"

#include <stdio.h>
#include <string.h>

#include "address.h"
#include "rules.h"

const struct column rule_columns[] = {
	{ .title = "SERVICE", .key = "service" },
	{ .title = "RULE", .key = "rule" },
};
const size_t n_rule_columns = sizeof(rule_columns) / sizeof(rule_columns[0]);

static json_t *bytes_value(const struct model_rule *r)
{
	char hex[2 * LB_MATCH_BYTES + 1];
	__u32 i;

	if (!r->n_bytes)
		return json_null();
	for (i = 0; i < r->n_bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", r->bytes[i]);
	return json_string(hex);
}

static json_t *rule_row(const struct model_service *s, const struct model_rule *r)
{
	char service[ENDPOINT_TEXT_SIZE], backend[ENDPOINT_TEXT_SIZE];
	char text[RULE_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:s}", "service",
			 service_text(s, service), "rule", rule_format(r, text),
			 "length_min", r->low, "length_max", r->high, "offset",
			 r->n_bytes ? json_integer(r->offset) : json_null(), "bytes",
			 bytes_value(r), "backend",
			 backend_format(&r->address, r->port, backend));
}

json_t *rule_rows(const struct model *m, const struct model_service *only)
{
	json_t *rows = json_array();
	size_t i, j;

	for (i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];

		for (j = 0; (!only || s == only) && j < s->n_rules; j++)
			json_array_append_new(rows, rule_row(s, &s->rules[j]));
	}
	return rows;
}
