// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay_show.c - what came of the packets of a file, as tables or as JSON.
 */
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "reason.h"
#include "replay.h"
#include "report.h"
#include "trace.h"

static const struct column backend_columns[] = {
	{ .title = "SERVICE", .key = "service" },
	{ .title = "BACKEND", .key = "backend" },
	{ .title = "FLOWS", .key = "flows", .format = COLUMN_NUMBER },
	{ .title = "PACKETS", .key = "packets", .format = COLUMN_NUMBER },
	{ .title = "BYTES", .key = "bytes", .format = COLUMN_NUMBER },
	{ .title = "THEN: FLOWS", .key = "flows_then", .format = COLUMN_NUMBER },
	{ .title = "PACKETS", .key = "packets_then", .format = COLUMN_NUMBER },
	{ .title = "BYTES", .key = "bytes_then", .format = COLUMN_NUMBER },
};

static const struct column reason_columns[] = {
	{ .title = "REASON", .key = "reason" },
	{ .title = "VERDICT", .key = "verdict" },
	{ .title = "PACKETS", .key = "packets", .format = COLUMN_NUMBER },
	{ .title = "MEANS", .key = "means" },
};

static const struct column both_reason_columns[] = {
	{ .title = "REASON", .key = "reason" },
	{ .title = "VERDICT", .key = "verdict" },
	{ .title = "PACKETS", .key = "packets", .format = COLUMN_NUMBER },
	{ .title = "THEN", .key = "packets_then", .format = COLUMN_NUMBER },
	{ .title = "MEANS", .key = "means" },
};

static const struct column move_columns[] = {
	{ .title = "SERVICE", .key = "service" },
	{ .title = "FROM", .key = "from" },
	{ .title = "TO", .key = "to" },
	{ .title = "FLOWS", .key = "flows", .format = COLUMN_NUMBER },
};

#define N(columns) (sizeof(columns) / sizeof((columns)[0]))

static __u64 get(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static const char *text_or_null(const char *backend)
{
	return strcmp(backend, "-") ? backend : NULL;
}

/* "SERVICE BACKEND": neither has a blank in it. */
static json_t *backend_row(const char *key, const json_t *now, const json_t *then,
			   bool both)
{
	const char *blank = strchr(key, ' ');
	json_t *row;

	row = json_pack("{s:s%, s:s?, s:I, s:I, s:I}", "service", key,
			(size_t)(blank - key), "backend", text_or_null(blank + 1),
			"flows", get(now, "flows"), "packets", get(now, "packets"),
			"bytes", get(now, "bytes"));
	if (!both)
		return row;
	json_object_set_new(row, "flows_then", json_integer(get(then, "flows")));
	json_object_set_new(row, "packets_then", json_integer(get(then, "packets")));
	json_object_set_new(row, "bytes_then", json_integer(get(then, "bytes")));
	return row;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of both, sorted; the caller frees. */
static const char **sorted_keys(json_t *all, size_t *ret_n)
{
	const char **keys = calloc(json_object_size(all) + 1, sizeof(*keys)), *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach(all, key, value)
		if (keys)
			keys[n++] = key;
	if (keys)
		qsort(keys, n, sizeof(*keys), compare);
	*ret_n = n;
	return keys;
}

static json_t *backend_rows(const struct replay_sum *now, const struct replay_sum *then)
{
	json_t *all = json_copy(now->backends), *rows = json_array();
	const char **keys;
	size_t i, n;

	if (then)
		json_object_update_missing(all, then->backends);
	keys = sorted_keys(all, &n);
	for (i = 0; i < n; i++)
		json_array_append_new(
			rows,
			backend_row(keys[i], json_object_get(now->backends, keys[i]),
				    then ? json_object_get(then->backends, keys[i])
					 : NULL,
				    then));
	free(keys);
	json_decref(all);
	return rows;
}

static json_t *reason_rows(const struct replay_sum *now, const struct replay_sum *then)
{
	json_t *rows = json_array(), *row;
	__u32 i;

	for (i = 0; i < LB_REASON_MAX; i++) {
		if (!now->reasons[i] && !(then && then->reasons[i]))
			continue;
		row = json_pack("{s:s, s:s, s:I}", "reason", reason_info[i].name,
				"verdict", reason_info[i].verdict, "packets",
				(json_int_t)now->reasons[i]);
		if (then)
			json_object_set_new(row, "packets_then",
					    json_integer(then->reasons[i]));
		json_object_set_new(row, "means", json_string(reason_info[i].means));
		json_array_append_new(rows, row);
	}
	return rows;
}

/* ---- what moves ----------------------------------------------------------------------- */

static void count_move(json_t *moves, const char *flow, const char *from, const char *to)
{
	const char *blank = strchr(flow, ' ');
	char key[3 * TRACE_TEXT_SIZE];
	json_t *row;

	snprintf(key, sizeof(key), "%.*s %s %s", (int)(blank - flow), flow, from, to);
	row = json_object_get(moves, key);
	if (!row) {
		row = json_pack("{s:s%, s:s?, s:s?, s:i}", "service", flow,
				(size_t)(blank - flow), "from", text_or_null(from), "to",
				text_or_null(to), "flows", 0);
		json_object_set_new(moves, key, row);
	}
	json_object_set_new(row, "flows", json_integer(get(row, "flows") + 1));
}

/* A flow that one of them does not know went nowhere by it. */
static json_t *move_rows(const struct replay_sum *now, const struct replay_sum *then,
			 __u64 *ret_n)
{
	json_t *moves = json_object(), *rows = json_array(), *value, *all;
	const char *flow, **keys;
	size_t i, n;

	*ret_n = 0;
	all = json_copy(now->flows);
	json_object_update_missing(all, then->flows);
	json_object_foreach(all, flow, value) {
		const char *from = json_string_value(json_object_get(now->flows, flow));
		const char *to = json_string_value(json_object_get(then->flows, flow));

		if (!strcmp(from ?: "-", to ?: "-"))
			continue;
		count_move(moves, flow, from ?: "-", to ?: "-");
		++*ret_n;
	}
	json_decref(all);
	keys = sorted_keys(moves, &n);
	for (i = 0; i < n; i++)
		json_array_append(rows, json_object_get(moves, keys[i]));
	free(keys);
	json_decref(moves);
	return rows;
}

/* ---- all of it ------------------------------------------------------------------------- */

static json_t *make(const struct replay_sum *now, const struct replay_sum *then,
		    const struct packets_left *left)
{
	json_t *root = output_object();
	__u64 moved;

	if (!root)
		return NULL;
	json_object_set_new(root, "packets", json_integer(now->packets));
	json_object_set_new(root, "packets_ours", json_integer(left->ours));
	json_object_set_new(root, "packets_other", json_integer(left->other));
	json_object_set_new(root, "flows", json_integer(json_object_size(now->flows)));
	json_object_set_new(root, "backends", backend_rows(now, then));
	json_object_set_new(root, "reasons", reason_rows(now, then));
	if (then) {
		json_object_set_new(root, "moves", move_rows(now, then, &moved));
		json_object_set_new(root, "moved_flows", json_integer(moved));
	}
	return root;
}

static void tell_left(const struct packets_left *left)
{
	if (left->ours)
		report_warning(
			"%llu packets were left out: interfaces that have the chain sent "
			"them themselves",
			left->ours);
	if (left->other)
		report_warning(
			"%llu packets were left out: there is no IP in what was kept",
			left->other);
}

static enum outcome print(const json_t *root, bool both)
{
	const struct column *reasons = both ? both_reason_columns : reason_columns;
	enum outcome outcome;

	outcome = output_table(json_object_get(root, "backends"), backend_columns,
			       N(backend_columns) - (both ? 0 : 3), NULL);
	putchar('\n');
	if (!outcome)
		outcome = output_table(json_object_get(root, "reasons"), reasons,
				       both ? N(both_reason_columns) : N(reason_columns),
				       NULL);
	if (outcome || !both)
		return outcome;
	putchar('\n');
	if (get(root, "moved_flows"))
		outcome = output_table(json_object_get(root, "moves"), move_columns,
				       N(move_columns), NULL);
	printf("%llu of %llu flows would move\n", get(root, "moved_flows"),
	       get(root, "flows"));
	return outcome;
}

enum outcome replay_show(const struct lbctl *l, const struct replay_sum *now,
			 const struct replay_sum *then, const struct packets_left *left)
{
	json_t *root = make(now, then, left);
	enum outcome outcome;

	if (!root)
		return REFUSED;
	if (l->json)
		return output_json(l, root);
	tell_left(left);
	outcome = print(root, then);
	json_decref(root);
	return outcome;
}
