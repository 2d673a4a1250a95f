// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_file.c - `lbctl explain FILE`: each packet of a file, one after another.
 *
 * They come one behind the other to the same private copy, so a connection's first packet
 * makes the flow that the others find.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "explain.h"
#include "number.h"
#include "output.h"
#include "packets.h"
#include "report.h"

/* Is the first word a file, or a client? */
bool explain_is_file(const struct words *w)
{
	const char *first = w->at < w->n ? w->word[w->at] : NULL;
	struct address a;
	__u16 port;

	if (!first || !backend_parse(first, &a, &port))
		return false;
	return w->at + 1 == w->n || !strcmp(w->word[w->at + 1], "dev") ||
	       !strcmp(w->word[w->at + 1], "limit");
}

static enum outcome take_dev(void *to, const char *value)
{
	((struct explain_file *)to)->dev = value;
	return DONE;
}

static enum outcome take_limit(void *to, const char *value)
{
	if (number_parse(value, 1, 1UL << 32, &((struct explain_file *)to)->limit))
		return DONE;
	report("limit '%s': not a number of packets from 1 on", value);
	return USAGE;
}

static const struct option_word options[] = {
	{ "dev", "the interface by which the packets come", take_dev },
	{ "limit", "how many packets", take_limit },
};

enum outcome explain_file_words(struct words *w, struct explain_file *ret)
{
	ret->path = words_next(w);
	ret->limit = -1UL;
	return options_parse(w, options, 2, ret);
}

/* Into @rows, or, if that is NULL, to stdout. */
static enum outcome explain_all(struct packets *packets, struct explained *x,
				struct aside *a, unsigned long limit, json_t *rows)
{
	enum outcome outcome = DONE;
	struct packet_read packet;
	const char *gap = "";

	while (!outcome && limit-- && packets_next(packets, &packet)) {
		x->packet = packet.bytes;
		x->length = packet.length;
		if (rows) {
			json_t *row = NULL;

			outcome = explain_try(a, x, &row);
			json_array_append_new(rows, row);
			continue;
		}
		fputs(gap, stdout);
		gap = "\n";
		outcome = explain_show(a, x);
	}
	return packets_failed(packets) ? REFUSED : outcome;
}

enum outcome explain_file(const struct lbctl *l, struct aside *a,
			  const struct explain_file *wish)
{
	struct explained x = { .state = &a->state };
	json_t *root = NULL, *rows = NULL;
	struct packets *packets;
	enum outcome outcome = explain_device(&a->state, wish->dev, &x.ifindex);

	if (outcome)
		return outcome;
	packets = packets_open(wish->path, &a->state);
	if (!packets)
		return REFUSED;
	if (l->json) {
		root = output_object();
		rows = json_array();
		json_object_set_new(root, "packets", rows);
	}
	outcome = explain_all(packets, &x, a, wish->limit, rows);
	packets_close(packets);
	if (!outcome && l->json)
		return output_json(l, root);
	json_decref(root);
	return outcome;
}
