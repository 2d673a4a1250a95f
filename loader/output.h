/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * output.h - rows as a table for people or as JSON for programs.
 *
 * Both are made of the same rows: a row is a JSON object, a table is what a list of
 * columns picks of it.  A column without a title is for JSON alone.
 */
#ifndef LB_OUTPUT_H
#define LB_OUTPUT_H

#include <jansson.h>
#include "command.h"
#include "number.h"

enum column_format {
	COLUMN_TEXT,
	COLUMN_NUMBER, /* all digits, to the right */
	COLUMN_COUNT,  /* large numbers are shortened, to the right */
	COLUMN_AGE,    /* seconds */
	COLUMN_DATE,   /* seconds since 1970 */
	COLUMN_YES,    /* "yes" or nothing */
};

struct column {
	const char *title;
	const char *key;   /* in the row; NULL: nothing */
	const char *below; /* in the rows that are in the row's list @nested */
	enum column_format format;
	/* Instead of key: what people see of the row; @ret has OUTPUT_CELL_SIZE. */
	const char *(*text)(const json_t *row, char *ret);
};

#define OUTPUT_CELL_SIZE 256

/* @nested: the key of a row's list that is shown as rows below it; or NULL. */
enum outcome output_table(const json_t *rows, const struct column *columns, size_t n,
			  const char *nested);

/* {"abi":1, ...}; NULL and reported if there is no memory. */
json_t *output_object(void);
/* Prints @root and frees it. */
enum outcome output_json(const struct lbctl *l, json_t *root);
/* One list, by -j as {"abi":1,"KEY":[...]}; takes @rows, which may be NULL. */
enum outcome output_list(const struct lbctl *l, const char *key, json_t *rows,
			 const struct column *columns, size_t n, const char *nested);

#endif /* LB_OUTPUT_H */
