// SPDX-License-Identifier: GPL-2.0-only
/*
 * service_show.c - `lbctl service show` and `lbctl backend show`.
 */
#include <string.h>

#include "names.h"
#include "snapshot.h"

static const struct column backend_columns[] = {
	{ .title = "SERVICE", .key = "service" },
	{ .title = "BACKEND", .key = "backend" },
	{ .title = "STATE", .key = "state" },
	{ .title = "WEIGHT", .key = "weight", .format = COLUMN_NUMBER },
	{ .title = "PRIORITY", .key = "priority", .format = COLUMN_NUMBER },
	{ .title = "FLOWS", .key = "flows", .format = COLUMN_COUNT },
	{ .title = "OF", .key = "max_flows", .format = COLUMN_NUMBER },
	{ .title = "PACKETS", .key = "packets", .format = COLUMN_COUNT },
	{ .title = "BYTES", .key = "bytes", .format = COLUMN_COUNT },
	{ .title = "DROPS", .key = "drops", .format = COLUMN_COUNT },
	{ .title = "SINCE", .key = "since_unix_s", .format = COLUMN_DATE },
};

#define N_COLUMNS (sizeof(backend_columns) / sizeof(backend_columns[0]))

/* Not 0 and not null, in any row. */
static bool is_said(const json_t *rows, const char *key)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
		if (json_integer_value(json_object_get(row, key)))
			return true;
	return false;
}

/* What few have is shown where somebody has it. */
static size_t choose_columns(const json_t *rows, struct column *ret)
{
	size_t i, n = 0;

	for (i = 0; i < N_COLUMNS; i++) {
		const char *key = backend_columns[i].key;

		if ((strcmp(key, "priority") && strcmp(key, "max_flows")) ||
		    is_said(rows, key))
			ret[n++] = backend_columns[i];
	}
	return n;
}

static enum outcome show_backends(const struct lbctl *l, json_t *rows)
{
	struct column columns[N_COLUMNS];
	size_t n = choose_columns(rows, columns);

	return output_list(l, "backends", rows, columns, n, NULL);
}

enum outcome service_show(const struct lbctl *l, struct words *w)
{
	struct model_service *only;
	struct snapshot s;
	enum outcome outcome;
	json_t *rows;

	outcome = snapshot_open(l, &s);
	if (outcome)
		return outcome;

	outcome = find_service_or_all(w, &s.model, &only);
	if (!outcome)
		outcome = words_end(w);
	if (!outcome) {
		rows = service_rows(&s, only);
		if (l->json) {
			outcome = output_list(l, "services", rows, NULL, 0, NULL);
		} else {
			outcome = service_table(rows);
			json_decref(rows);
		}
	}
	snapshot_close(&s);
	return outcome;
}

enum outcome backend_show(const struct lbctl *l, struct words *w)
{
	struct model_service *only;
	struct snapshot s;
	enum outcome outcome;

	outcome = snapshot_open(l, &s);
	if (outcome)
		return outcome;

	outcome = find_service_or_all(w, &s.model, &only);
	if (!outcome)
		outcome = words_end(w);
	if (!outcome)
		outcome = show_backends(l, backend_rows(&s, only));
	snapshot_close(&s);
	return outcome;
}
