// SPDX-License-Identifier: GPL-2.0-only
/*
 * output.c - rows as a table for people or as JSON for programs.
 */
#include "output.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static const char *cell_number(json_int_t value, enum column_format format, char *ret)
{
	switch (format) {
	case COLUMN_COUNT:
		return count_format(value, ret);
	case COLUMN_AGE:
		return age_format(value, ret);
	case COLUMN_DATE:
		return date_format(value, ret);
	default:
		snprintf(ret, OUTPUT_CELL_SIZE, "%lld", (long long)value);
		return ret;
	}
}

/* @ret has OUTPUT_CELL_SIZE. */
static const char *cell_text(const json_t *value, enum column_format format, char *ret)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		return cell_number(json_integer_value(value), format, ret);
	if (json_is_real(value))
		return cell_number(json_real_value(value), format, ret);
	if (json_is_boolean(value)) {
		if (json_is_true(value))
			return "yes";
		return format == COLUMN_YES ? "" : "no";
	}
	return value ? "-" : "";
}

static int add_line(struct libscols_table *table, const json_t *row,
		    const struct column *columns, size_t n, bool is_below)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char cell[OUTPUT_CELL_SIZE];
	size_t i, at = 0;

	if (!line)
		return -1;
	for (i = 0; i < n; i++) {
		const char *key = is_below ? columns[i].below : columns[i].key;
		const json_t *value = key ? json_object_get(row, key) : NULL;
		const char *text;

		if (!columns[i].title)
			continue;
		if (columns[i].text && !is_below)
			text = columns[i].text(row, cell);
		else
			text = cell_text(value, columns[i].format, cell);
		if (scols_line_set_data(line, at++, text))
			return -1;
	}
	return 0;
}

static int fill(struct libscols_table *table, const json_t *rows,
		const struct column *columns, size_t n, const char *nested)
{
	size_t i, j;
	json_t *row, *below;

	for (i = 0; i < n; i++) {
		bool right = columns[i].format == COLUMN_NUMBER ||
			     columns[i].format == COLUMN_COUNT;

		if (columns[i].title &&
		    !scols_table_new_column(table, columns[i].title, 0,
					    right ? SCOLS_FL_RIGHT : 0))
			return -1;
	}

	json_array_foreach(rows, i, row) {
		if (add_line(table, row, columns, n, false))
			return -1;
		json_array_foreach(nested ? json_object_get(row, nested) : NULL, j,
				   below) {
			if (add_line(table, below, columns, n, true))
				return -1;
		}
	}
	return 0;
}

/* An empty table has its heads: nothing is there, and it is clear of what. */
static void print_heads(const struct column *columns, size_t n)
{
	const char *gap = "";
	size_t i;

	for (i = 0; i < n; i++) {
		if (!columns[i].title)
			continue;
		printf("%s%s", gap, columns[i].title);
		gap = "  ";
	}
	putchar('\n');
}

static void print_trimmed(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		size_t n = strlen(line);

		while (n && line[n - 1] == ' ')
			n--;
		if (n)
			printf("%.*s\n", (int)n, line);
	}
}

enum outcome output_table(const json_t *rows, const struct column *columns, size_t n,
			  const char *nested)
{
	struct libscols_table *table;
	char *text = NULL;
	int err = -1;

	if (!json_array_size(rows)) {
		print_heads(columns, n);
		return DONE;
	}

	table = scols_new_table();
	if (table) {
		scols_table_set_column_separator(table, "  ");
		scols_table_enable_nowrap(table, 1);
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		err = fill(table, rows, columns, n, nested);
	}
	if (!err)
		err = scols_print_table_to_string(table, &text);
	if (!err && text)
		print_trimmed(text);
	free(text);
	scols_unref_table(table);
	if (!err)
		return DONE;
	report("out of memory");
	return REFUSED;
}

json_t *output_object(void)
{
	json_t *root = json_pack("{s:i}", "abi", LB_ABI_VERSION);

	if (!root)
		report("out of memory");
	return root;
}

enum outcome output_json(const struct lbctl *l, json_t *root)
{
	size_t flags = JSON_REAL_PRECISION(15) |
		       (l->pretty ? JSON_INDENT(2) : JSON_COMPACT);
	char *text = root ? json_dumps(root, flags) : NULL;

	json_decref(root);
	if (!text) {
		report("out of memory");
		return REFUSED;
	}
	puts(text);
	free(text);
	return DONE;
}

enum outcome output_list(const struct lbctl *l, const char *key, json_t *rows,
			 const struct column *columns, size_t n, const char *nested)
{
	enum outcome outcome;
	json_t *root;

	if (!rows) {
		report("out of memory");
		return REFUSED;
	}
	if (!l->json) {
		outcome = output_table(rows, columns, n, nested);
		json_decref(rows);
		return outcome;
	}

	root = output_object();
	if (!root) {
		json_decref(rows);
		return REFUSED;
	}
	json_object_set_new(root, key, rows);
	return output_json(l, root);
}
