/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain.h - the parts of `lbctl explain`: which packet, and what is said of it.
 */
#ifndef LB_EXPLAIN_COMMAND_H
#define LB_EXPLAIN_COMMAND_H

#include <jansson.h>

#include "aside.h"
#include "command.h"
#include "frame.h"

/* What the words say. */
struct explain_wish {
	struct frame frame;
	const char *dev; /* NULL: not said */
};

/* CLIENT SERVICE [dev DEV] [flags F]; reports. */
enum outcome explain_words(struct words *w, struct explain_wish *ret);

/* The interface by which it comes: @dev, or the first that has the chain; 0: there is none.
 * Reports. */
enum outcome explain_device(const struct state *s, const char *dev, __u32 *ret);

/* A packet that was tried. */
struct explained {
	const struct state *state; /* of the copy */
	const __u8 *packet;	   /* as it came */
	__u32 length;
	__u32 ifindex;
	struct aside_result result;
};

/* Try @x->packet, which has all but the result; report what the kernel refuses. */
enum outcome explain_try(struct aside *a, struct explained *x, json_t **ret_row);
/* And print it, for people. */
enum outcome explain_show(struct aside *a, struct explained *x);

/* FILE [dev DEV] [limit N] (explain_file.c). */
struct explain_file {
	const char *path, *dev;
	unsigned long limit;
};

bool explain_is_file(const struct words *w);
enum outcome explain_file_words(struct words *w, struct explain_file *ret);
enum outcome explain_file(const struct lbctl *l, struct aside *a,
			  const struct explain_file *wish);

/* All that is to be said of it; NULL: no memory. */
json_t *explain_row(const struct explained *x);
/* What one of its stages did, in a few words (explain_stage.c). */
#define EXPLAIN_TEXT_SIZE 400
char *explain_stage(const struct explained *x, __u32 i, char *ret);
/* A row for people. */
void explain_print(const json_t *row);

#endif /* LB_EXPLAIN_COMMAND_H */
