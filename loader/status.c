// SPDX-License-Identifier: GPL-2.0-only
/*
 * status.c - `lbctl`: what runs, and what is wrong.
 *
 * Problems (problems.c) come before the services, so that a cause is found in a minute.
 */
#include <stdio.h>
#include <string.h>

#include "chain.h"
#include "devices.h"
#include "diff.h"
#include "snapshot.h"

#define EXPANDED_MAX 40 /* with more services only the unhealthy are expanded */

static json_t *flow_table_row(const struct snapshot *s)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "size",
			 (json_int_t)s->state.config->flows, "v4", (json_int_t)s->flows4,
			 "v6", (json_int_t)s->flows6, "half_open",
			 (json_int_t)s->half_open);
}

static enum outcome print_json(const struct lbctl *l, const struct snapshot *s)
{
	json_t *root = output_object();

	json_object_set_new(root, "version", json_string(s->state.config->version));
	json_object_set_new(root, "default_policy",
			    json_string(policy_name(&s->model, s->model.default_policy)));
	json_object_set_new(root, "devices", device_rows(&s->state));
	json_object_set_new(root, "flow_table", flow_table_row(s));
	json_object_set_new(root, "problems", problem_rows(s));
	json_object_set_new(root, "services", service_rows(s, NULL));
	return output_json(l, root);
}

static void print_devices(const struct state *state)
{
	char since[NUMBER_TEXT_SIZE], name[IF_NAMESIZE];
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &state->devices[i];

		if (!device_is_attached(dev))
			continue;
		printf("%-6s %-6s  %s  priority %u  since %s\n",
		       device_name(state, dev, name), attach_mode_name(dev->mode),
		       dev->how == LB_HOW_DISPATCHER ? "dispatcher" : "ALONE",
		       dev->priority, date_format(dev->since, since));
	}
}

static void print_flow_table(const struct snapshot *s)
{
	__u64 size = s->state.config->flows;

	printf("flows  %llu of %llu v4 (%llu%%)  %llu v6  half-open %llu"
	       "   default policy %s   abi %u\n",
	       s->flows4, size, size ? s->flows4 * 100 / size : 0, s->flows6,
	       s->half_open, policy_name(&s->model, s->model.default_policy),
	       s->state.config->abi);
}

static void print_problems(const json_t *problems)
{
	json_t *row;
	size_t i;

	json_array_foreach(problems, i, row)
		printf("! %s  %s; %s\n",
		       json_string_value(json_object_get(row, "object")),
		       json_string_value(json_object_get(row, "text")),
		       json_string_value(json_object_get(row, "remedy")));
}

/* Leave the backends of healthy services out; returns how many services that were. */
static size_t fold_healthy(json_t *rows)
{
	json_t *row, *backends;
	size_t i, folded = 0;

	json_array_foreach(rows, i, row) {
		json_int_t usable =
			json_integer_value(json_object_get(row, "backends_usable"));

		backends = json_object_get(row, "backends");
		if (!usable || (size_t)usable != json_array_size(backends))
			continue;
		json_array_clear(backends);
		folded++;
	}
	return folded;
}

static enum outcome print_services(const struct snapshot *s)
{
	json_t *rows = service_rows(s, NULL);
	enum outcome outcome = DONE;
	size_t folded = 0;

	if (json_array_size(rows) > EXPANDED_MAX)
		folded = fold_healthy(rows);
	if (json_array_size(rows))
		outcome = service_table(rows);
	if (folded)
		printf("%zu services with all backends usable are not expanded; 'lbctl "
		       "service show' has all\n",
		       folded);
	json_decref(rows);
	return outcome;
}

enum outcome status_run(const struct lbctl *l, struct words *w)
{
	enum outcome outcome = words_end(w);
	struct snapshot s;
	json_t *problems;

	if (!outcome)
		outcome = snapshot_open(l, &s);
	if (outcome)
		return outcome;

	if (l->json) {
		outcome = print_json(l, &s);
	} else {
		print_devices(&s.state);
		print_flow_table(&s);
		problems = problem_rows(&s);
		print_problems(problems);
		json_decref(problems);
		outcome = print_services(&s);
	}
	snapshot_close(&s);
	return outcome;
}
