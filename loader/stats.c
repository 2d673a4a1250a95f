// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats.c - `lbctl stats`: why packets left the chain, and what went through a service.
 *
 * With `rate`, everything is read twice and the difference is shown per second.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "names.h"
#include "number.h"
#include "reason.h"
#include "report.h"
#include "snapshot.h"

#define RATE_DEFAULT_MS 1000
#define RATE_MAX_MS	(3600 * 1000)

/* The global counters at one time. */
struct sample {
	struct lb_reason_count reasons[LB_REASON_MAX];
	__u64 events[LB_EVENT_MAX];
};

struct stats_words {
	bool has_service;
	struct service_name service;
	__u64 rate_ms; /* 0: no rate */
};

static enum outcome read_words(struct words *w, struct stats_words *ret)
{
	enum outcome outcome;

	memset(ret, 0, sizeof(*ret));
	if (w->at < w->n && strcmp(w->word[w->at], "rate")) {
		outcome = name_service(w, &ret->service);
		if (outcome)
			return outcome;
		ret->has_service = true;
	}
	if (words_take(w, "rate")) {
		const char *time = words_next(w);

		ret->rate_ms = RATE_DEFAULT_MS;
		if (time && (!time_parse(time, &ret->rate_ms) || !ret->rate_ms ||
			     ret->rate_ms > RATE_MAX_MS)) {
			report("rate '%s': not a time up to 1h, as in 1s", time);
			return USAGE;
		}
	}
	return words_end(w);
}

static void sleep_ms(__u64 ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* What was counted per second, or null if it was not asked for. */
static json_t *rate(__u64 before, __u64 after, __u64 ms)
{
	return ms ? json_real((after - before) * 1000.0 / ms) : json_null();
}

static enum outcome take_sample(const struct snapshot *s, struct sample *ret)
{
	if (!state_reasons(&s->state, ret->reasons) &&
	    !state_events(&s->state, ret->events))
		return DONE;
	report("%s: cannot read the counters", s->state.dir);
	return REFUSED;
}

static json_t *service_of(const struct snapshot *s, __u32 id_plus_1)
{
	char text[ENDPOINT_TEXT_SIZE];
	size_t i;

	for (i = 0; i < s->model.n_services; i++)
		if (s->model.services[i].id + 1 == (int)id_plus_1)
			return json_string(service_text(&s->model.services[i], text));
	return json_null();
}

static json_t *reason_rows(const struct snapshot *s, const struct sample *before,
			   const struct sample *after, const struct stats_words *words)
{
	json_t *rows = json_array();
	int i;

	for (i = 1; i < LB_REASON_MAX; i++) {
		const struct lb_reason_count *n = &after->reasons[i];

		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:s}", "reason",
				  reason_info[i].name, "verdict", reason_info[i].verdict,
				  "packets", (json_int_t)n->packets, "per_s",
				  rate(before->reasons[i].packets, n->packets,
				       words->rate_ms),
				  "last_s",
				  n->packets ? json_integer(snapshot_age(s, n->last))
					     : json_null(),
				  "service", service_of(s, n->service), "means",
				  reason_info[i].means));
	}
	return rows;
}

static json_t *event_rows(const struct sample *before, const struct sample *after,
			  const struct stats_words *words)
{
	json_t *rows = json_array();
	int i;

	for (i = 0; i < LB_EVENT_MAX; i++)
		json_array_append_new(rows,
				      json_pack("{s:s, s:I, s:o, s:s}", "event",
						event_info[i].name, "count",
						(json_int_t)after->events[i], "per_s",
						rate(before->events[i], after->events[i],
						     words->rate_ms),
						"means", event_info[i].means));
	return rows;
}

/* People do not read zeros, unless they ask with -v. */
static json_t *without_zeros(json_t *rows, const char *key, bool verbose)
{
	size_t i = 0;

	while (!verbose && i < json_array_size(rows))
		if (json_integer_value(json_object_get(json_array_get(rows, i), key)))
			i++;
		else
			json_array_remove(rows, i);
	return rows;
}

/* clang-format off */
static const struct column reason_columns[] = {
	{ .title = "REASON", .key = "reason" },
	{ .title = "VERDICT", .key = "verdict" },
	{ .title = "PACKETS", .key = "packets", .format = COLUMN_NUMBER },
	{ .title = "PER SEC", .key = "per_s", .format = COLUMN_NUMBER },
	{ .title = "LAST", .key = "last_s", .format = COLUMN_AGE },
	{ .title = "SERVICE", .key = "service" },
	{ .title = "MEANS", .key = "means" },
};

static const struct column event_columns[] = {
	{ .title = "EVENT", .key = "event" },
	{ .title = "COUNT", .key = "count", .format = COLUMN_NUMBER },
	{ .title = "PER SEC", .key = "per_s", .format = COLUMN_NUMBER },
	{ .title = "MEANS", .key = "means" },
};

static const struct column service_columns_of_stats[] = {
	{ .title = "SERVICE", .key = "service" },
	{ .title = "BACKEND", .below = "backend" },
	{ .title = "FLOWS", .key = "flows", .below = "flows", .format = COLUMN_NUMBER },
	{ .title = "PACKETS", .key = "packets", .below = "packets", .format = COLUMN_NUMBER },
	{ .title = "PER SEC", .key = "packets_per_s", .below = "packets_per_s",
	  .format = COLUMN_NUMBER },
	{ .title = "BYTES", .key = "bytes", .below = "bytes", .format = COLUMN_NUMBER },
	{ .title = "PER SEC", .key = "bytes_per_s", .below = "bytes_per_s",
	  .format = COLUMN_NUMBER },
	{ .title = "DROPS", .key = "drops", .below = "drops", .format = COLUMN_NUMBER },
	{ .title = "LAST", .key = "last_drop_s", .below = "last_drop_s", .format = COLUMN_AGE },
	{ .title = "FOR", .key = "drop_reason", .below = "drop_reason" },
};
/* clang-format on */

#define N_COLUMNS(columns) (sizeof(columns) / sizeof((columns)[0]))

static enum outcome print_sample(const struct lbctl *l, json_t *reason_list,
				 json_t *event_list)
{
	enum outcome outcome;
	json_t *root;

	if (l->json) {
		root = output_object();
		json_object_set_new(root, "reasons", reason_list);
		json_object_set_new(root, "events", event_list);
		return output_json(l, root);
	}

	without_zeros(reason_list, "packets", l->verbose);
	without_zeros(event_list, "count", l->verbose);
	outcome = output_table(reason_list, reason_columns, N_COLUMNS(reason_columns),
			       NULL);
	if (!outcome && json_array_size(event_list)) {
		putchar('\n');
		outcome = output_table(event_list, event_columns,
				       N_COLUMNS(event_columns), NULL);
	}
	json_decref(reason_list);
	json_decref(event_list);
	return outcome;
}

static enum outcome show_all(const struct lbctl *l, struct snapshot *s,
			     const struct stats_words *words)
{
	struct sample before, after;
	enum outcome outcome;

	outcome = take_sample(s, &before);
	if (outcome)
		return outcome;
	if (words->rate_ms) {
		sleep_ms(words->rate_ms);
		state_clock(&s->state, &s->now);
		outcome = take_sample(s, &after);
		if (outcome)
			return outcome;
	} else {
		after = before;
	}
	return print_sample(l, reason_rows(s, &before, &after, words),
			    event_rows(&before, &after, words));
}

static void add_rates(json_t *after, const json_t *before, __u64 ms)
{
	static const char *const keys[][2] = { { "packets", "packets_per_s" },
					       { "bytes", "bytes_per_s" } };
	size_t i;

	for (i = 0; i < 2; i++)
		json_object_set_new(
			after, keys[i][1],
			rate(json_integer_value(json_object_get(before, keys[i][0])),
			     json_integer_value(json_object_get(after, keys[i][0])), ms));
}

static void add_all_rates(json_t *after, const json_t *before, __u64 ms)
{
	json_t *backends = json_object_get(after, "backends"), *row;
	size_t i;

	add_rates(after, before, ms);
	json_array_foreach(backends, i, row)
		add_rates(row, json_array_get(json_object_get(before, "backends"), i),
			  ms);
}

static enum outcome show_service(const struct lbctl *l, struct snapshot *s,
				 const struct stats_words *words)
{
	const struct service_name *name = &words->service;
	char text[ENDPOINT_TEXT_SIZE];
	const struct model_service *service;
	json_t *before, *after, *rows;

	service = model_find_service(&s->model, name);
	if (!service) {
		report("service '%s': no such service (see 'lbctl service show')",
		       service_format(name, text));
		return REFUSED;
	}

	before = service_row(s, service);
	if (words->rate_ms) {
		sleep_ms(words->rate_ms);
		state_clock(&s->state, &s->now);
	}
	after = service_row(s, service);
	add_all_rates(after, before, words->rate_ms);
	json_decref(before);

	rows = json_array();
	json_array_append_new(rows, after);
	return output_list(l, "services", rows, service_columns_of_stats,
			   N_COLUMNS(service_columns_of_stats), "backends");
}

enum outcome stats_run(const struct lbctl *l, struct words *w)
{
	struct stats_words words;
	enum outcome outcome;
	struct snapshot s;

	outcome = read_words(w, &words);
	if (!outcome)
		outcome = snapshot_open(l, &s);
	if (outcome)
		return outcome;

	outcome = words.has_service ? show_service(l, &s, &words)
				    : show_all(l, &s, &words);
	snapshot_close(&s);
	return outcome;
}
