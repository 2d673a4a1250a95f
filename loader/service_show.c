// SPDX-License-Identifier: GPL-2.0-only
/*
 * service_show.c - `lbctl service show` and `lbctl backend show`.
 */
#include "names.h"
#include "snapshot.h"

static const struct column backend_columns[] = {
	{ .title = "SERVICE", .key = "service" },
	{ .title = "BACKEND", .key = "backend" },
	{ .title = "STATE", .key = "state" },
	{ .title = "WEIGHT", .key = "weight", .format = COLUMN_NUMBER },
	{ .title = "FLOWS", .key = "flows", .format = COLUMN_COUNT },
	{ .title = "PACKETS", .key = "packets", .format = COLUMN_COUNT },
	{ .title = "BYTES", .key = "bytes", .format = COLUMN_COUNT },
	{ .title = "DROPS", .key = "drops", .format = COLUMN_COUNT },
	{ .title = "SINCE", .key = "since_unix_s", .format = COLUMN_DATE },
};

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
		outcome = output_list(
			l, "backends", backend_rows(&s, only), backend_columns,
			sizeof(backend_columns) / sizeof(backend_columns[0]), NULL);
	snapshot_close(&s);
	return outcome;
}
