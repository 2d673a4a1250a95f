/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edit.h - commands that work on a model, without a kernel.
 */
#ifndef TEST_EDIT_H
#define TEST_EDIT_H

#include "model.h"
#include "script.h"

/* What script_read() makes of a file with this text. */
enum outcome edit_read(const char *text, struct script *ret);
/* Have one command, as in a file, work on @m. */
enum outcome edit_model(struct model *m, const char *line);
/* The same, of several commands divided by ';', until one is refused.  Returns what was
 * reported, valid until the next call, or "". */
const char *edit_says(struct model *m, const char *lines);

#endif /* TEST_EDIT_H */
