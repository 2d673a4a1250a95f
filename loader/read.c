// SPDX-License-Identifier: GPL-2.0-only
/*
 * read.c - the records of an instance, read into a model.
 *
 * A writer may be at work.  Records are published and withdrawn by one word, so what is
 * read is looked at again when it has been copied.
 *
 * Records stand in the order of their ids, the model in that of its names.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "profiles.h"
#include "rules.h"
#include "sources.h"
#include "state.h"
#include "tunables.h"

static void read_policies(const struct state *s, struct model *m)
{
	int i;

	for (i = 0; i < LB_MAX_POLICIES; i++) {
		m->policies[i].used = s->policies[i].meta.magic == LB_POLICY_MAGIC;
		if (m->policies[i].used)
			m->policies[i].info = s->policies[i];
	}
	m->default_policy = s->config->default_policy % LB_MAX_POLICIES;
}

static bool read_service(const struct state *s, int id, struct model_service *ret)
{
	const struct lb_service *record = &s->services[id];
	__u32 hz = s->config->params.hz;
	struct lb_service copy;

	if (!__atomic_load_n(&record->state, __ATOMIC_ACQUIRE))
		return false;
	memcpy(&copy, record, sizeof(copy));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (!__atomic_load_n(&record->state, __ATOMIC_RELAXED))
		return false;

	model_init_service(ret);
	ret->id = id;
	ret->address = address_from_words(copy.family, copy.address);
	ret->prefix = copy.prefix;
	ret->port = ntohs(copy.port);
	ret->port_last = ntohs(copy.port_last);
	ret->protocol = copy.protocol;
	ret->forward = copy.forward;
	ret->policy = copy.flags & LB_SERVICE_F_OWN_POLICY ? (int)copy.policy : -1;
	ret->port_low = copy.port_low;
	ret->port_high = copy.port_high;
	ret->per_packet = copy.flags & LB_SERVICE_F_PER_PACKET;
	ret->icmp_reply = copy.flags & LB_SERVICE_F_ICMP_REPLY;
	ret->on_empty = copy.on_empty;
	ret->on_unknown = copy.on_unknown;
	ret->grace_ms = clock_ms(copy.grace, hz);
	ret->slow_start_ms = clock_ms(copy.slow_start, hz);
	ret->client_ms = clock_ms(copy.affinity, hz);
	ret->mss = copy.mss;
	memcpy(ret->comment, copy.comment, sizeof(ret->comment));
	ret->comment[sizeof(ret->comment) - 1] = '\0';
	ret->since = copy.since;
	ret->generation = copy.generation;
	profile_read(s, &copy, ret);
	source_read(s, &copy, ret);
	return true;
}

static bool read_backend(const struct state *s, int id, struct model_backend *ret)
{
	const struct lb_backend *record = &s->backends[id];
	struct lb_backend copy;
	__u32 ref = __atomic_load_n(&record->ref, __ATOMIC_ACQUIRE);

	memcpy(&copy, record, sizeof(copy));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (!ref || __atomic_load_n(&record->ref, __ATOMIC_RELAXED) != ref)
		return false;

	model_init_backend(ret);
	ret->id = id;
	ret->ref = ref;
	ret->address = address_from_words(copy.family, copy.address);
	ret->port = ntohs(copy.port);
	ret->weight = copy.weight;
	ret->state = copy.state;
	ret->priority = copy.priority;
	ret->max_flows = s->admissions[id].max_flows;
	ret->since = copy.since;
	return true;
}

static int read_services(const struct state *s, struct model *m)
{
	struct model_service service;
	int id;

	for (id = 0; id < LB_MAX_SERVICES; id++)
		if (read_service(s, id, &service) && !model_append_service(m, &service))
			return -ENOMEM;
	model_sort_services(m);
	return 0;
}

static int read_backends(const struct state *s, struct model *m)
{
	struct model_service *by_id[LB_MAX_SERVICES] = {}, *service;
	struct model_backend backend;
	size_t i;
	int id;

	for (i = 0; i < m->n_services; i++)
		by_id[m->services[i].id] = &m->services[i];
	for (id = 1; id < LB_MAX_BACKENDS; id++) {
		service = by_id[s->backends[id].service % LB_MAX_SERVICES];
		if (!service || !read_backend(s, id, &backend))
			continue;
		if (!model_append_backend(service, &backend))
			return -ENOMEM;
	}
	for (i = 0; i < m->n_services; i++)
		model_sort_backends(&m->services[i]);
	return 0;
}

int state_read(const struct state *s, struct model *m)
{
	int err;

	model_init(m);
	read_policies(s, m);
	err = read_services(s, m);
	if (!err)
		err = read_backends(s, m);
	if (!err)
		err = rules_read(s, m);
	if (!err)
		err = tunables_read(s, m);
	if (err)
		model_free(m);
	return err;
}
