// SPDX-License-Identifier: GPL-2.0-only
/*
 * rows.c - services, backends and interfaces as rows for tables and JSON.
 *
 * A key that is absent in the data is null in the row, a number is raw, a time says its
 * unit in the key.  jansson lets NULL through all of its functions that build, so memory
 * is checked once, by whoever takes the rows.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "chain.h"
#include "devices.h"
#include "diff.h"
#include "reason.h"
#include "settings.h"
#include "snapshot.h"
#include "table.h"

static void add_counts(json_t *row, const struct snapshot *s, const struct lb_count *n)
{
	json_object_set_new(row, "packets", json_integer(n->packets));
	json_object_set_new(row, "bytes", json_integer(n->bytes));
	json_object_set_new(row, "drops", json_integer(n->drops));
	json_object_set_new(row, "last_drop_s",
			    n->drops ? json_integer(snapshot_age(s, n->last_drop))
				     : json_null());
	json_object_set_new(row, "drop_reason",
			    n->drops ? json_string(reason_name(n->drop_reason))
				     : json_null());
}

static json_t *backend_row(const struct snapshot *s, const struct model_service *service,
			   const struct model_backend *b)
{
	char name[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE], ip[ADDRESS_TEXT_SIZE];
	struct lb_count count = {};
	json_t *row;

	row = json_pack("{s:s, s:s, s:s, s:i, s:s, s:i, s:I, s:I}", "service",
			service_text(service, name), "backend",
			backend_format(&b->address, b->port, text), "address",
			address_format(&b->address, ip), "port", b->port, "state",
			backend_state_name(b->state), "weight", (int)b->weight, "flows",
			(json_int_t)s->flows[b->id], "since_unix_s",
			(json_int_t)b->since);

	if (!b->port)
		json_object_set_new(row, "port", json_null());
	json_object_set_new(row, "priority", json_integer(b->priority));
	json_object_set_new(row, "max_flows",
			    b->max_flows ? json_integer(b->max_flows) : json_null());
	state_backend_count(&s->state, b->id, &count);
	add_counts(row, s, &count);
	return row;
}

static json_t *source_list(const struct model_service *s)
{
	char text[ENDPOINT_TEXT_SIZE];
	json_t *list = json_array();
	int i;

	for (i = 0; i < 2; i++)
		if (s->source[i].address.family)
			json_array_append_new(list, json_string(prefix_format(
							    &s->source[i].address,
							    s->source[i].prefix, text)));
	return list;
}

/* What clients use; an ICMP service has no ports, `any` has 0 to 65535. */
static void add_name(json_t *row, const struct model_service *s)
{
	bool has_ports = s->protocol == IPPROTO_TCP || s->protocol == IPPROTO_UDP;
	char text[ADDRESS_TEXT_SIZE];

	json_object_set_new(row, "address",
			    json_string(address_format(&s->address, text)));
	json_object_set_new(row, "prefix", json_integer(s->prefix));
	json_object_set_new(row, "port", has_ports ? json_integer(s->port) : json_null());
	json_object_set_new(row, "port_last",
			    has_ports ? json_integer(s->port_last) : json_null());
	json_object_set_new(row, "protocol", json_string(protocol_name(s->protocol)));
}

static json_t *time_or_null(__u64 ms)
{
	return ms ? json_integer(ms) : json_null();
}

static void add_options(json_t *row, const struct model_service *s)
{
	static const char *const keys[TIMEOUT_MAX] = { "timeout_idle_ms",
						       "timeout_half_open_ms",
						       "timeout_closing_ms",
						       "timeout_closed_ms" };
	int i;

	json_object_set_new(row, "persistence", json_string(persistence_name(s)));
	json_object_set_new(row, "persistence_ms", time_or_null(s->client_ms));
	json_object_set_new(row, "src", source_list(s));
	json_object_set_new(row, "on_empty", json_string(on_empty_name(s->on_empty)));
	json_object_set_new(row, "on_unknown",
			    json_string(on_unknown_name(s->on_unknown)));
	json_object_set_new(row, "grace_ms", json_integer(s->grace_ms));
	json_object_set_new(row, "slow_start_ms", time_or_null(s->slow_start_ms));
	json_object_set_new(row, "mss", s->mss ? json_integer(s->mss) : json_null());
	json_object_set_new(row, "icmp_reply", json_boolean(s->icmp_reply));
	json_object_set_new(row, "port_low", json_integer(s->port_low));
	json_object_set_new(row, "port_high", json_integer(s->port_high));
	for (i = 0; i < TIMEOUT_MAX; i++)
		json_object_set_new(row, keys[i],
				    s->timeout_set & 1U << i
					    ? json_integer(s->timeout_ms[i])
					    : json_null());
	json_object_set_new(row, "comment",
			    s->comment[0] ? json_string(s->comment) : json_null());
}

static void add_backends(json_t *row, const struct snapshot *s,
			 const struct model_service *service)
{
	json_t *list = json_array();
	__u64 flows = 0;
	size_t i, usable = 0;

	for (i = 0; i < service->n_backends; i++) {
		const struct model_backend *b = &service->backends[i];

		usable += backend_is_usable(b);
		flows += s->flows[b->id];
		json_array_append_new(list, backend_row(s, service, b));
	}
	json_object_set_new(row, "backends", list);
	json_object_set_new(row, "backends_usable", json_integer(usable));
	json_object_set_new(row, "backends_all", json_integer(service->n_backends));
	json_object_set_new(row, "flows", json_integer(flows));
}

json_t *service_row(const struct snapshot *s, const struct model_service *service)
{
	char name[ENDPOINT_TEXT_SIZE];
	bool own = service->policy >= 0;
	struct lb_count count = {};
	json_t *row;

	row = json_pack(
		"{s:s, s:s, s:s, s:b, s:i, s:I}", "service", service_text(service, name),
		"forward", forward_name(service->forward), "policy",
		policy_name(&s->model, own ? service->policy : s->model.default_policy),
		"policy_own", own, "generation", (int)service->generation, "since_unix_s",
		(json_int_t)service->since);

	add_name(row, service);
	add_options(row, service);
	add_backends(row, s, service);
	state_service_count(&s->state, service->id, &count);
	add_counts(row, s, &count);
	return row;
}

json_t *service_rows(const struct snapshot *s, const struct model_service *only)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < s->model.n_services; i++)
		if (!only || only == &s->model.services[i])
			json_array_append_new(rows,
					      service_row(s, &s->model.services[i]));
	return rows;
}

json_t *backend_rows(const struct snapshot *s, const struct model_service *only)
{
	json_t *rows = json_array();
	size_t i, j;

	for (i = 0; i < s->model.n_services; i++) {
		const struct model_service *service = &s->model.services[i];

		for (j = 0; (!only || only == service) && j < service->n_backends; j++)
			json_array_append_new(rows, backend_row(s, service,
								&service->backends[j]));
	}
	return rows;
}

json_t *device_rows(const struct state *state)
{
	json_t *rows = json_array();
	char name[IF_NAMESIZE];
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &state->devices[i];

		if (!device_is_attached(dev))
			continue;
		json_array_append_new(
			rows,
			json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:I}", "device",
				  device_name(state, dev, name), "ifindex",
				  (int)dev->ifindex, "mode", attach_mode_name(dev->mode),
				  "how",
				  dev->how == LB_HOW_DISPATCHER ? "dispatcher" : "alone",
				  "priority", dev->priority, "program", (int)dev->program,
				  "since_unix_s", (json_int_t)dev->since));
	}
	return rows;
}

static const char *usable_text(const json_t *row, char *ret)
{
	snprintf(ret, OUTPUT_CELL_SIZE, "%lld of %lld usable",
		 json_integer_value(json_object_get(row, "backends_usable")),
		 json_integer_value(json_object_get(row, "backends_all")));
	return ret;
}

static const char *policy_text(const json_t *row, char *ret)
{
	snprintf(ret, OUTPUT_CELL_SIZE, "%s%s",
		 json_string_value(json_object_get(row, "policy")),
		 json_is_true(json_object_get(row, "policy_own")) ? "*" : "");
	return ret;
}

const struct column service_columns[] = {
	{ .title = "SERVICE", .key = "service" },
	{ .title = "FORWARD", .key = "forward" },
	{ .title = "POLICY", .text = policy_text },
	{ .title = "BACKEND", .text = usable_text, .below = "backend" },
	{ .title = "STATE", .below = "state" },
	{ .title = "WEIGHT", .below = "weight", .format = COLUMN_NUMBER },
	{ .title = "FLOWS", .key = "flows", .below = "flows", .format = COLUMN_COUNT },
	{ .title = "PACKETS",
	  .key = "packets",
	  .below = "packets",
	  .format = COLUMN_COUNT },
	{ .title = "BYTES", .key = "bytes", .below = "bytes", .format = COLUMN_COUNT },
	{ .title = "DROPS", .key = "drops", .below = "drops", .format = COLUMN_COUNT },
};
const size_t n_service_columns = sizeof(service_columns) / sizeof(service_columns[0]);

enum outcome service_table(const json_t *rows)
{
	enum outcome outcome;
	size_t i;
	json_t *row;

	outcome = output_table(rows, service_columns, n_service_columns, "backends");
	if (outcome)
		return outcome;

	json_array_foreach(rows, i, row) {
		if (!json_is_true(json_object_get(row, "policy_own")))
			continue;
		puts("* own policy, does not follow 'policy set'");
		break;
	}
	return DONE;
}
