// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow.c - `lbctl flow show`, `count` and `flush`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "diff.h"
#include "flow_walk.h"
#include "names.h"
#include "number.h"
#include "output.h"
#include "report.h"

/* What one command needs: the open instance, its model, the filter, the rows. */
struct flows {
	struct state state;
	struct model model;
	struct flow_filter filter;
	bool is_filtered;
	unsigned long limit;				      /* 0: none */
	const struct model_service *service[LB_MAX_SERVICES]; /* by id */
	const struct model_backend *backend[LB_MAX_BACKENDS]; /* by id */
	json_t *rows;
	__u64 n, failed;
};

static enum outcome take_service(void *to, const char *value)
{
	struct words w = { .word = (char *[]){ (char *)value }, .n = 1 };
	struct flows *f = to;
	struct model_service *s;
	enum outcome outcome;

	outcome = find_service(&w, &f->model, &s);
	if (outcome)
		return outcome;
	f->filter.by_service = true;
	f->filter.service = s->id;
	f->is_filtered = true;
	return DONE;
}

/* A backend's address alone names it on all ports. */
static enum outcome take_backend(void *to, const char *value)
{
	struct flows *f = to;
	struct address address;
	const char *wrong;
	__u16 port;
	int i;

	wrong = backend_parse(value, &address, &port);
	if (wrong) {
		report("backend '%s': %s", value, wrong);
		return USAGE;
	}

	f->filter.refs = calloc(LB_MAX_BACKENDS, sizeof(*f->filter.refs));
	if (!f->filter.refs) {
		report("out of memory");
		return REFUSED;
	}
	for (i = 0; i < LB_MAX_BACKENDS; i++)
		if (f->backend[i] &&
		    !address_compare(&f->backend[i]->address, &address) &&
		    (!port || f->backend[i]->port == port))
			f->filter.refs[f->filter.n_refs++] = f->backend[i]->ref;
	if (!f->filter.n_refs) {
		report("backend '%s': in no service (see 'lbctl backend show')", value);
		return REFUSED;
	}
	f->filter.by_backend = true;
	f->is_filtered = true;
	return DONE;
}

static enum outcome take_client(void *to, const char *value)
{
	struct flows *f = to;
	const char *wrong;

	wrong = network_parse(value, &f->filter.client, &f->filter.client_length);
	if (wrong) {
		report("client '%s': %s", value, wrong);
		return USAGE;
	}
	f->is_filtered = true;
	return DONE;
}

static enum outcome take_state(void *to, const char *value)
{
	const char *names[LB_FLOW_STATES];
	struct flows *f = to;
	char miss[MISS_TEXT_SIZE];
	int i;

	for (i = 0; i < LB_FLOW_STATES; i++) {
		names[i] = flow_state_name(i);
		if (!strcmp(value, names[i]))
			f->filter.states = 1U << i;
	}
	if (!f->filter.states) {
		report("state '%s': no such state of a flow%s", value,
		       did_you_mean(value, names, LB_FLOW_STATES, miss));
		return USAGE;
	}
	f->is_filtered = true;
	return DONE;
}

static enum outcome take_limit(void *to, const char *value)
{
	struct flows *f = to;

	if (!number_parse(value, 1, 1UL << 31, &f->limit)) {
		report("limit '%s': not a number from 1", value);
		return USAGE;
	}
	return DONE;
}

static const struct option_word filters[] = {
	{ "service", "a service", take_service },
	{ "backend", "a backend", take_backend },
	{ "client", "ADDR[/LEN]", take_client },
	{ "state", "a state, as established", take_state },
	{ "reason", "", NULL },
	{ "limit", "a number", take_limit },
};

#define N_FILTERS (sizeof(filters) / sizeof(filters[0]))

static void close_flows(struct flows *f)
{
	if (!f)
		return;
	free(f->filter.refs);
	model_free(&f->model);
	state_close(&f->state);
	free(f);
}

/* The instance with the filter that @w says; NULL: reported. */
static struct flows *open_flows(const struct lbctl *l, struct words *w,
				enum state_access access, size_t n_filters,
				enum outcome *ret_outcome)
{
	struct flows *f = calloc(1, sizeof(*f));
	size_t i, j;

	*ret_outcome = REFUSED;
	if (!f) {
		report("out of memory");
		return NULL;
	}
	if (state_open(&f->state, &l->where, access)) {
		free(f);
		return NULL;
	}
	model_init(&f->model);
	if (state_read(&f->state, &f->model)) {
		report("%s: cannot read the state", f->state.dir);
		close_flows(f);
		return NULL;
	}

	for (i = 0; i < f->model.n_services; i++) {
		const struct model_service *s = &f->model.services[i];

		f->service[s->id] = s;
		for (j = 0; j < s->n_backends; j++)
			f->backend[s->backends[j].id] = &s->backends[j];
	}

	*ret_outcome = options_parse(w, filters, n_filters, f);
	if (*ret_outcome) {
		close_flows(f);
		return NULL;
	}
	return f;
}

/* Where the client sent to, if the service has several addresses or ports; or null. */
static json_t *destination(const struct model_service *s, const struct flow_view *v)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (!s || model_is_exact(s))
		return json_null();
	return json_string(backend_format(&v->destination, v->destination_port, text));
}

/* The port that the backend sees, where it is not the client's own. */
static json_t *translated(const struct model_service *s, const struct flow_view *v)
{
	return s && s->forward == LB_FORWARD_FULLNAT ? json_integer(v->nat_port)
						     : json_null();
}

static int add_row(void *arg, const struct flow_view *v)
{
	char name[ENDPOINT_TEXT_SIZE] = "?", client[ADDRESS_TEXT_SIZE];
	char backend[ENDPOINT_TEXT_SIZE] = "?";
	const struct model_service *s = NULL;
	const struct model_backend *b;
	struct flows *f = arg;
	json_t *row;

	if (v->service < LB_MAX_SERVICES)
		s = f->service[v->service];
	if (s)
		service_text(s, name);
	b = f->backend[LB_BACKEND_REF_ID(v->backend)];
	if (b)
		backend_format(&b->address, b->port, backend);

	row = json_pack("{s:s, s:s, s:i, s:o, s:s, s:s, s:o, s:f, s:f}", "service", name,
			"client", address_format(&v->client, client), "client_port",
			v->client_port, "destination", destination(s, v), "backend",
			backend, "state", flow_state_name(v->state), "translated_port",
			translated(s, v), "idle_s", v->idle_ms / 1000.0, "expires_s",
			v->left_ms / 1000.0);
	json_array_append_new(f->rows, row);
	return f->limit && json_array_size(f->rows) >= f->limit;
}

static const struct column flow_columns[] = {
	{ .title = "SERVICE", .key = "service" },
	{ .title = "CLIENT", .key = "client" },
	{ .title = "PORT", .key = "client_port", .format = COLUMN_NUMBER },
	{ .title = "TO", .key = "destination" },
	{ .title = "BACKEND", .key = "backend" },
	{ .title = "TRANSLATED", .key = "translated_port", .format = COLUMN_NUMBER },
	{ .title = "STATE", .key = "state" },
	{ .title = "IDLE", .key = "idle_s", .format = COLUMN_AGE },
	{ .title = "EXPIRES", .key = "expires_s", .format = COLUMN_AGE },
};

enum outcome flow_show(const struct lbctl *l, struct words *w)
{
	enum outcome outcome;
	struct flows *f;

	f = open_flows(l, w, STATE_READ, N_FILTERS, &outcome);
	if (!f)
		return outcome;

	f->rows = json_array();
	if (flow_walk(&f->state, &f->filter, add_row, f) < 0) {
		report("%s: cannot read the flows", f->state.dir);
		json_decref(f->rows);
		outcome = REFUSED;
	} else {
		outcome = output_list(l, "flows", f->rows, flow_columns,
				      sizeof(flow_columns) / sizeof(flow_columns[0]),
				      NULL);
	}
	close_flows(f);
	return outcome;
}

enum outcome flow_count(const struct lbctl *l, struct words *w)
{
	enum outcome outcome;
	struct flows *f;
	json_t *root;

	f = open_flows(l, w, STATE_READ, N_FILTERS - 1, &outcome);
	if (!f)
		return outcome;

	if (flow_number(&f->state, &f->filter, &f->n)) {
		report("%s: cannot read the flows", f->state.dir);
		outcome = REFUSED;
	} else if (l->json) {
		root = output_object();
		json_object_set_new(root, "flows", json_integer(f->n));
		outcome = output_json(l, root);
	} else {
		printf("%llu\n", f->n);
	}
	close_flows(f);
	return outcome;
}

static int evict(void *arg, const struct flow_view *v)
{
	struct flows *f = arg;
	int err = state_evict(&f->state, v->table, v->position, v->version);

	if (!err)
		f->n++;
	else if (err != -ENOENT)
		f->failed++;
	return 0;
}

enum outcome flow_flush(const struct lbctl *l, struct words *w)
{
	bool all = words_take(w, "all");
	enum outcome outcome;
	struct flows *f;
	char line[64];

	if (all && w->at < w->n)
		return words_end(w);

	f = open_flows(l, w, STATE_WRITE, N_FILTERS - 1, &outcome);
	if (!f)
		return outcome;

	if (!all && !f->is_filtered) {
		report("flow flush: say which, or 'all' (see 'lbctl -h')");
		outcome = USAGE;
	} else if (flow_walk(&f->state, &f->filter, evict, f) < 0 || f->failed) {
		report("flow flush: %llu flows could not be ended", f->failed);
		outcome = REFUSED;
	} else {
		snprintf(line, sizeof(line), "flow flush: %llu flows", f->n);
		diff_log(line);
		if (l->verbose)
			report_detail("%llu flows ended", f->n);
	}
	close_flows(f);
	return outcome;
}
