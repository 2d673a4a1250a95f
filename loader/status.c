// SPDX-License-Identifier: GPL-2.0-only
/*
 * status.c - `lbctl`: what runs, and what is wrong.
 *
 * A problem is a line with '!': the object, the reason, how often, how long ago, and what
 * to do.  They come before the services, so that a cause is found in a minute.
 */
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "chain.h"
#include "diff.h"
#include "reason.h"
#include "snapshot.h"
#include "table.h"

#define RECENT_S     300 /* older drops are history, not a problem */
#define EXPANDED_MAX 40	 /* with more services only the unhealthy are expanded */
#define FULL_PERCENT 90

static json_t *problem(const char *object, const char *reason, const char *remedy,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

static json_t *problem(const char *object, const char *reason, const char *remedy,
		       const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return json_pack("{s:s, s:s, s:s, s:s}", "object", object, "reason", reason,
			 "text", text, "remedy", remedy);
}

static const char *drop_remedy(__u32 reason)
{
	switch (reason) {
	case LB_REASON_NO_NEIGHBOUR:
		return "see 'ip neigh' and 'lbctl doctor'";
	case LB_REASON_NO_ROUTE:
		return "see 'ip route get'";
	case LB_REASON_FORWARDING_OFF:
		return "see 'sysctl net.ipv4.conf.lo.forwarding'";
	case LB_REASON_NO_DEVICE:
		return "'lbctl chain attach' that interface, too";
	case LB_REASON_NO_PORT:
		return "widen 'ports LO-HI'";
	case LB_REASON_TABLE_FULL:
		return "make it larger: 'chain attach ... flows N'";
	case LB_REASON_BACKEND_DOWN:
		return "'lbctl backend set ... state active'";
	default:
		return "see 'lbctl stats'";
	}
}

static void add_drops(json_t *problems, const struct snapshot *s, const char *object,
		      const struct lb_count *n)
{
	__u64 age = snapshot_age(s, n->last_drop);
	char ago[NUMBER_TEXT_SIZE];
	json_t *row;

	if (!n->drops || age > RECENT_S)
		return;

	row = problem(object, reason_name(n->drop_reason), drop_remedy(n->drop_reason),
		      "%llu drops, last one for %s %s ago", n->drops,
		      reason_name(n->drop_reason), age_format(age, ago));
	json_object_set_new(row, "drops", json_integer(n->drops));
	json_object_set_new(row, "last_s", json_integer(age));
	json_array_append_new(problems, row);
}

static void add_service_problems(json_t *problems, const struct snapshot *s,
				 const struct model_service *service)
{
	char name[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE];
	char object[2 * ENDPOINT_TEXT_SIZE];
	struct lb_count count;
	size_t i, usable = 0;

	service_text(service, name);
	for (i = 0; i < service->n_backends; i++) {
		const struct model_backend *b = &service->backends[i];

		usable += backend_is_usable(b);
		snprintf(object, sizeof(object), "%s %s", name,
			 backend_format(&b->address, b->port, text));
		if (!state_backend_count(&s->state, b->id, &count))
			add_drops(problems, s, object, &count);
	}

	if (usable) {
		if (!state_service_count(&s->state, service->id, &count) &&
		    count.drop_reason == LB_REASON_NO_PORT)
			add_drops(problems, s, name, &count);
		return;
	}
	if (!service->n_backends)
		json_array_append_new(
			problems, problem(name, "no-backend", "'lbctl backend add' one",
					  "it has no backend: new flows are dropped"));
	else
		json_array_append_new(
			problems,
			problem(name, "no-backend",
				"'lbctl backend set ... state active'",
				"no backend is active with a weight: new flows are dropped"));
}

static void add_device_problems(json_t *problems, const struct snapshot *s)
{
	bool attached = false;
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &s->state.devices[i];
		char name[IF_NAMESIZE];

		if (!dev->ifindex)
			continue;
		attached = true;
		if (!if_indextoname(dev->ifindex, name))
			json_array_append_new(problems, problem(dev->name, "no-device",
								"'lbctl chain detach' it",
								"the interface is gone"));
		else if (dev->how == LB_HOW_ALONE)
			json_array_append_new(
				problems,
				problem(dev->name, "alone", "'lbctl doctor' says why",
					"attached alone: no other XDP program can run here"));
	}
	if (!attached)
		json_array_append_new(
			problems, problem("chain", "detached", "'lbctl chain attach DEV'",
					  "attached to no interface: nothing is "
					  "forwarded"));
}

static bool is_off(const char *file)
{
	FILE *f = fopen(file, "re");
	int c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c == '0';
}

static void add_system_problems(json_t *problems, const struct snapshot *s)
{
	__u64 size = s->state.config->flows, most;

	most = s->flows4 > s->flows6 ? s->flows4 : s->flows6;
	if (most * 100 >= size * FULL_PERCENT)
		json_array_append_new(
			problems, problem("flows", "table-full",
					  "make it larger: 'chain attach ... flows N'",
					  "%llu of %llu places are taken", most, size));
	if (is_off("/proc/sys/net/ipv4/conf/lo/forwarding"))
		json_array_append_new(
			problems, problem("net.ipv4.conf.lo.forwarding", "forwarding-off",
					  "'sysctl -w net.ipv4.conf.lo.forwarding=1'",
					  "is 0: next hops of IPv4 cannot be looked up"));
}

static json_t *problem_rows(const struct snapshot *s)
{
	json_t *problems = json_array();
	size_t i;

	add_device_problems(problems, s);
	add_system_problems(problems, s);
	for (i = 0; i < s->model.n_services; i++)
		add_service_problems(problems, s, &s->model.services[i]);
	return problems;
}

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
	char since[NUMBER_TEXT_SIZE];
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &state->devices[i];

		if (!dev->ifindex)
			continue;
		printf("%-6s %-6s  %s  priority %u  since %s\n", dev->name,
		       attach_mode_name(dev->mode),
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
