// SPDX-License-Identifier: GPL-2.0-only
/*
 * problems.c - what is wrong: the lines with '!' of `lbctl`.
 *
 * A problem has the object, the reason, what was seen and what to do about it.  Drops
 * that are history are none: whoever looks wants to know what is wrong now.
 */
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "chain.h"
#include "devices.h"
#include "made.h"
#include "netlink.h"
#include "reason.h"
#include "rules.h"
#include "settings.h"
#include "snapshot.h"
#include "table.h"
#include "ways.h"

#define RECENT_S     300 /* older drops are history, not a problem */
#define ANSWER_S     2	 /* a neighbour that is there answers sooner */
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

/*
 * The data path leaves it to the kernel to find a next hop, and sees only that it is not
 * found; the kernel knows whether it is still asking or was not answered.
 */
static void add_silence(json_t *problems, const struct snapshot *s, const char *object,
			const struct model_backend *b)
{
	__u32 since = s->state.hops[b->id].unresolved, hz = s->state.config->params.hz;
	char hop[ADDRESS_TEXT_SIZE], name[IF_NAMESIZE] = "?";
	struct netlink_route route;
	int state;

	if (!since || (__u32)((__u32)s->now.jiffies - since) < ANSWER_S * hz)
		return;
	if (netlink_route(&b->address, &route) || route.is_local)
		return;
	state = netlink_neighbour(&route.next_hop, route.ifindex, NULL);
	if (state <= 0 || !(state & (NUD_FAILED | NUD_INCOMPLETE)))
		return;

	if_indextoname(route.ifindex, name);
	json_array_append_new(problems,
			      problem(object, reason_name(LB_REASON_NO_NEIGHBOUR),
				      "see 'ip neigh'", "%s does not answer on %s",
				      address_format(&route.next_hop, hop), name));
}

/* @live as lb_admit counts them. */
static void add_full(json_t *problems, const struct snapshot *s, const char *object,
		     const struct model_backend *b)
{
	__u64 live = s->state.live[b->id];

	if (!backend_is_usable(b) || !b->max_flows || live < b->max_flows)
		return;
	json_array_append_new(
		problems, problem(object, "backend-full",
				  "add another backend, or 'backend set ... max-flows N'",
				  "%llu flows, max-flows %u: it gets no new ones", live,
				  b->max_flows));
}

/* What routes say against it; not of backends that are switched off. */
static void add_way(json_t *problems, const struct ways *w, const char *object,
		    const struct model_service *service, const struct model_backend *b)
{
	struct way way;

	if (b->state == LB_BACKEND_DOWN ||
	    (way_check(w, service, b, &way) && way_check_source(w, service, b, &way)))
		return;
	json_array_append_new(problems,
			      problem(object, way.fault, way.remedy, "%s", way.text));
}

static void add_no_rules(json_t *problems, const struct model *m, const char *object,
			 const struct model_service *s)
{
	if (!rules_lack(m, s))
		return;
	json_array_append_new(problems,
			      problem(object, "policy-drop",
				      "'lbctl policy param " RULES_POLICY " rule'",
				      "policy " RULES_POLICY
				      " has no rule: all packets are dropped"));
}

/* @active: how many backends lack nothing but a weight. */
static void add_no_backend(json_t *problems, const struct model_service *service,
			   const char *name, size_t active)
{
	const char *what = "it has no backend", *remedy = "'lbctl backend add' one";

	if (service->n_backends) {
		what = "no backend is active with a weight";
		remedy = active ? "'lbctl backend set ... weight N'"
				: "'lbctl backend set ... state active'";
	}
	json_array_append_new(problems,
			      problem(name, "no-backend", remedy, "%s: new flows are %s",
				      what, on_empty_means(service->on_empty)));
}

static void add_service_problems(json_t *problems, const struct snapshot *s,
				 const struct ways *w,
				 const struct model_service *service)
{
	char name[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE];
	char object[2 * ENDPOINT_TEXT_SIZE];
	struct lb_count count;
	size_t i, usable = 0, weightless = 0;

	service_text(service, name);
	add_no_rules(problems, &s->model, name, service);
	for (i = 0; i < service->n_backends; i++) {
		const struct model_backend *b = &service->backends[i];

		usable += backend_is_usable(b);
		weightless += b->state == LB_BACKEND_ACTIVE;
		snprintf(object, sizeof(object), "%s %s", name,
			 backend_format(&b->address, b->port, text));
		if (!state_backend_count(&s->state, b->id, &count) &&
		    (count.drop_reason != LB_REASON_BACKEND_DOWN ||
		     b->state == LB_BACKEND_DOWN))
			add_drops(problems, s, object, &count);
		add_silence(problems, s, object, b);
		add_full(problems, s, object, b);
		if (w)
			add_way(problems, w, object, service, b);
	}

	if (usable) {
		if (!state_service_count(&s->state, service->id, &count) &&
		    count.drop_reason == LB_REASON_NO_PORT)
			add_drops(problems, s, name, &count);
		return;
	}
	add_no_backend(problems, service, name, weightless);
}

static void add_device_problems(json_t *problems, const struct snapshot *s)
{
	bool attached = false;
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &s->state.devices[i];
		char name[IF_NAMESIZE];

		if (!device_is_attached(dev))
			continue;
		attached = true;
		if (!if_indextoname(dev->ifindex, name) && if_nametoindex(dev->name))
			json_array_append_new(
				problems,
				problem(dev->name, "no-device",
					"'lbctl chain attach' it again",
					"the interface was deleted and made anew"));
		else if (!if_indextoname(dev->ifindex, name))
			json_array_append_new(problems, problem(dev->name, "no-device",
								"'lbctl chain detach' it",
								"the interface is gone"));
		else if (!device_has_chain(dev))
			json_array_append_new(
				problems,
				problem(name, "detached", "'lbctl chain attach' it again",
					"somebody took the chain off this interface"));
		else if (!interface_is_up(name))
			json_array_append_new(
				problems, problem(name, "down", "'ip link set' it up",
						  "the interface is down: nothing comes "
						  "or goes"));
		else if (dev->how == LB_HOW_ALONE)
			json_array_append_new(
				problems,
				problem(name, "alone", "'lbctl doctor' says why",
					"attached alone: no other XDP program can run here"));
	}
	if (!attached)
		json_array_append_new(
			problems, problem("chain", "detached", "'lbctl chain attach DEV'",
					  "attached to no interface: nothing is "
					  "forwarded"));
}

/* A policy that the gate refused and the user forced, while it chooses for somebody. */
static void add_forced(json_t *problems, const struct model *m)
{
	size_t i, services;
	char object[64];
	int slot;

	for (slot = 0; slot < LB_MAX_POLICIES; slot++) {
		const struct lb_policy_info *info = &m->policies[slot].info;

		if (!m->policies[slot].used || info->gate != LB_GATE_FORCED)
			continue;
		for (i = services = 0; i < m->n_services; i++)
			services += service_policy(m, &m->services[i]) == (__u32)slot;
		if (!services)
			continue;
		snprintf(object, sizeof(object), "policy %s", info->meta.name);
		json_array_append_new(
			problems,
			problem(object, "forced", "'lbctl policy set' another one",
				"FORCED, and chooses for %zu service%s: %s", services,
				services == 1 ? "" : "s", info->why));
	}
}

static bool is_off(const char *file)
{
	FILE *f = fopen(file, "re");
	int c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c == '0';
}

static void add_forwarding(json_t *problems, const char *family, bool is_needed)
{
	char file[64], object[64], remedy[96];

	snprintf(file, sizeof(file), "/proc/sys/net/%s/conf/lo/forwarding", family);
	if (!is_needed || !is_off(file))
		return;
	snprintf(object, sizeof(object), "net.%s.conf.lo.forwarding", family);
	snprintf(remedy, sizeof(remedy), "'sysctl -w %s=1'", object);
	json_array_append_new(problems, problem(object, "forwarding-off", remedy,
						"is 0: next hops cannot be looked up"));
}

static bool is_attached(const struct state *s)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++)
		if (device_is_attached(&s->devices[i]))
			return true;
	return false;
}

/* Also behind tunnels of IPv4. */
static bool has_ipv6(const struct model *m)
{
	size_t i, j;

	for (i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];

		if (s->address.family == 6)
			return true;
		for (j = 0; j < s->n_backends; j++)
			if (s->backends[j].address.family == 6)
				return true;
	}
	return false;
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
	if (!is_attached(&s->state))
		return; /* attach switches forwarding on lo on */
	add_forwarding(problems, "ipv4", true);
	add_forwarding(problems, "ipv6", has_ipv6(&s->model));
}

json_t *problem_rows(const struct snapshot *s)
{
	bool attached = is_attached(&s->state);
	json_t *problems = json_array();
	struct ways ways = {};
	size_t i;

	if (attached)
		ways_open(&ways, &s->state);

	add_device_problems(problems, s);
	add_system_problems(problems, s);
	add_forced(problems, &s->model);
	for (i = 0; i < s->model.n_services; i++)
		add_service_problems(problems, s, attached ? &ways : NULL,
				     &s->model.services[i]);
	ways_close(&ways);
	return problems;
}
