// SPDX-License-Identifier: GPL-2.0-only
/*
 * sources.c - where tunnels come from, shared as lb_records.sources.
 *
 * An element never changes while a service or backend names it, so that no packet leaves
 * from half an address; what is to come from somewhere else is given another element.
 *
 * Without `src`, the kernel is asked which address the host itself would use to a backend.
 * That is asked again with each change, but a backend that has a source does not lose it
 * because there is no route just then.  One that never had a route gets none for now: at
 * boot, one network that is not up yet must not keep the others from being balanced.
 */
#include "sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "netlink.h"
#include "report.h"

struct planner {
	const struct state *s;
	struct source_plan *plan;
	bool taken[LB_MAX_SOURCES]; /* named now, or planned */
	/* The last answers of is_served(), by family: backends have few sources. */
	struct address asked[2];
	bool served[2];
};

bool service_is_tunnel(const struct model_service *s)
{
	return s->forward == LB_FORWARD_IPIP || s->forward == LB_FORWARD_GUE;
}

void source_read(const struct state *s, const struct lb_service *record,
		 struct model_service *ret)
{
	const __u32 index[2] = { record->source4, record->source6 };
	int i;

	for (i = 0; i < 2; i++) {
		const struct lb_source *source = &s->sources[index[i] % LB_MAX_SOURCES];

		if (!index[i] || !source->family)
			continue;
		ret->source[i].address =
			address_from_words(source->family, source->address);
		ret->source[i].prefix = source->prefix;
	}
}

static void find_named(const struct state *s, bool named[LB_MAX_SOURCES])
{
	__u32 id;

	memset(named, 0, LB_MAX_SOURCES * sizeof(*named));
	named[0] = true; /* is none */
	for (id = 0; id < LB_MAX_SERVICES; id++) {
		if (!s->services[id].state)
			continue;
		named[s->services[id].source4 % LB_MAX_SOURCES] = true;
		named[s->services[id].source6 % LB_MAX_SOURCES] = true;
	}
	for (id = 1; id < LB_MAX_BACKENDS; id++)
		if (s->backends[id].ref)
			named[s->backends[id].source % LB_MAX_SOURCES] = true;
}

/* The element that is @wanted, or -1. */
static int place(struct planner *p, const struct model_source *wanted)
{
	struct lb_source source = { .family = wanted->address.family,
				    .prefix = wanted->prefix };
	int i, room = -1;

	memcpy(source.address, wanted->address.word, sizeof(source.address));
	for (i = 1; i < LB_MAX_SOURCES; i++) {
		if (!p->taken[i] && room < 0)
			room = i;
		if (p->taken[i] && !memcmp(&p->plan->source[i], &source, sizeof(source)))
			return i;
	}
	if (room < 0) {
		report("tunnels can come from %d different addresses, those that this change "
		       "gives up included; no more",
		       LB_MAX_SOURCES - 1);
		return -1;
	}
	p->plan->source[room] = source;
	p->taken[room] = true;
	return room;
}

/* Do backends of @s have @a, because it is the service's? */
static bool serves(const struct model_service *s, const struct address *a)
{
	return !LB_FORWARD_IS_NAT(s->forward) && s->address.family == a->family &&
	       address_in_network(a, &s->address, s->prefix);
}

static bool is_served(struct planner *p, const struct model *m, const struct address *a)
{
	int which = a->family == 6;
	size_t n;

	if (!address_compare(&p->asked[which], a))
		return p->served[which];
	p->asked[which] = *a;
	for (n = 0; n < m->n_services; n++)
		if (serves(&m->services[n], a))
			break;
	p->served[which] = n < m->n_services;
	return p->served[which];
}

/*
 * The service whose address @a is, if @b's host has it itself: backends that answer clients
 * directly do, and drop what seems to come from themselves.
 */
static const struct model_service *find_owner(struct planner *p, const struct model *m,
					      const struct model_backend *b,
					      const struct address *a)
{
	size_t n, i;

	if (!is_served(p, m, a))
		return NULL;
	for (n = 0; n < m->n_services; n++) {
		const struct model_service *s = &m->services[n];

		if (!serves(s, a))
			continue;
		for (i = 0; i < s->n_backends; i++)
			if (!address_compare(&s->backends[i].address, &b->address))
				return s;
	}
	return NULL;
}

/* @owner: find_owner() of what was found. */
static int refuse(const struct model_service *service, const struct model_backend *b,
		  const struct model_service *owner)
{
	char name[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE];
	char other[ENDPOINT_TEXT_SIZE];

	report("backend '%s': its tunnel would come from the address of %s, which the "
	       "backend has itself; say 'service set %s src ADDR'",
	       backend_format(&b->address, b->port, text), service_text(owner, other),
	       service_text(service, name));
	return -1;
}

/* What is sent to @b meanwhile is dropped and counted: no-source. */
static int do_without(const struct model_service *service, const struct model_backend *b)
{
	char name[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE];

	report_warning("backend '%s': the kernel has no way there, so its tunnel has no "
		       "source until the next change; or say 'service set %s src ADDR'",
		       backend_format(&b->address, b->port, text),
		       service_text(service, name));
	return 0;
}

/* The source that @b has in the kernel; 0: it is new. */
static __u32 source_had(const struct state *s, const struct model_backend *b)
{
	const struct lb_backend *record = &s->backends[b->id];

	return record->ref == b->ref ? record->source % LB_MAX_SOURCES : 0;
}

/*
 * Where the host's own packets to @b would come from; 0: not known, -1 if that is no use to
 * a tunnel.
 */
static int ask_kernel(struct planner *p, const struct model *m,
		      const struct model_service *service, const struct model_backend *b)
{
	const struct model_service *owner = NULL;
	__u32 had = source_had(p->s, b);
	struct model_source found = { .prefix = b->address.family == 4 ? 32 : 128 };
	struct netlink_route route;

	if (!netlink_route(&b->address, &route))
		found.address = route.source;
	if (found.address.family) {
		owner = find_owner(p, m, b, &found.address);
		if (!owner)
			return place(p, &found);
	}
	if (had)
		return had;
	return owner ? refuse(service, b, owner) : do_without(service, b);
}

static int plan_service(struct planner *p, const struct model *m, size_t index)
{
	const struct model_service *service = &m->services[index];
	int of_family[2] = {}, i, to;
	size_t n;

	for (i = 0; i < 2; i++) {
		if (!service->source[i].address.family)
			continue;
		of_family[i] = place(p, &service->source[i]);
		if (of_family[i] < 0)
			return -ENOSPC;
		p->plan->of_service[index][i] = of_family[i];
	}
	for (n = 0; service_is_tunnel(service) && n < service->n_backends; n++) {
		const struct model_backend *b = &service->backends[n];

		to = of_family[b->address.family == 6];
		if (!to)
			to = ask_kernel(p, m, service, b);
		if (to < 0)
			return -EADDRNOTAVAIL;
		p->plan->of_backend[b->id] = to;
	}
	return 0;
}

int sources_plan(const struct state *s, const struct model *m, struct source_plan *ret)
{
	struct planner p = { .s = s, .plan = ret };
	int err = 0;
	size_t n;

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->source, s->sources, sizeof(ret->source));
	ret->of_service = calloc(m->n_services ? m->n_services : 1, sizeof(__u16[2]));
	if (!ret->of_service) {
		report("out of memory");
		return -ENOMEM;
	}
	find_named(s, p.taken);
	for (n = 0; n < m->n_services && !err; n++)
		err = plan_service(&p, m, n);
	if (err)
		sources_free(ret);
	return err;
}

void sources_write(struct state *s, const struct source_plan *plan)
{
	int i;

	for (i = 1; i < LB_MAX_SOURCES; i++)
		if (memcmp(&s->sources[i], &plan->source[i], sizeof(*plan->source)))
			s->sources[i] = plan->source[i];
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void sources_tidy(struct state *s)
{
	bool named[LB_MAX_SOURCES];
	int i;

	find_named(s, named);
	for (i = 1; i < LB_MAX_SOURCES; i++)
		if (!named[i] && s->sources[i].family)
			s->sources[i] = (struct lb_source){};
}

void sources_free(struct source_plan *plan)
{
	free(plan->of_service);
	plan->of_service = NULL;
}
