// SPDX-License-Identifier: GPL-2.0-only
/*
 * commit.c - make the kernel's state what a model says.
 *
 * Whatever can be refused is tried before anything is written.  Then:
 *
 *  1. lb_config.dirty; counts of ids that are given away again
 *  2. parameters of policies; admissions; sources of tunnels; new backends, then new
 *     services, each with its rules and published by its last word; changed words
 *  3. endpoints of backends and addresses, lists of siblings, lb_wide's switch: replies
 *     are known before requests leave; then rules, which name backends past the tables
 *  4. tables: one pointer per service flips policy, weights and backends together
 *  5. endpoints and prefixes of services: packets for new services are theirs
 *  6. records of what is gone, then their endpoints and prefixes
 *  7. one grace period, so that every free id, way and source is in nobody's hand; tables
 *     of what is gone; dirty cleared
 *
 * Killed anywhere, each service is as it was or as it shall be, forwards, and whoever
 * takes the lock next makes 3 to 7 again from the records (repair.c).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admissions.h"
#include "clock.h"
#include "ids.h"
#include "made.h"
#include "profiles.h"
#include "rcu.h"
#include "report.h"
#include "rules.h"
#include "sources.h"
#include "table.h"
#include "tunables.h"

struct commit {
	struct state *s;
	const struct model *from;
	struct model *to;
	struct profile_plan profiles;
	struct source_plan sources;
	struct endpoint_set endpoints;
	struct prefix_set prefixes;
	bool *needs_table;				  /* per service of @to */
	const struct model_service *was[LB_MAX_SERVICES]; /* of @from, by id */
	bool stays[LB_MAX_SERVICES];
	bool backend_stays[LB_MAX_BACKENDS];
	bool has_rules[LB_MAX_SERVICES]; /* in the kernel, by id */
	bool frees;
};

/* Words that the data path reads are written whole. */
static void set_word(__u32 *word, __u32 value)
{
	if (*word != value)
		__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static bool is_same_table(const struct commit *c, const struct model_service *old,
			  const struct model_service *new)
{
	__u32 policy = service_policy(c->to, new);

	return service_policy(c->from, old) == policy &&
	       admission_flags(old) == admission_flags(new) &&
	       table_is_same(old, new, c->to->policies[policy].info.meta.kind);
}

static void compare(struct commit *c)
{
	size_t i, j;

	for (i = 0; i < c->from->n_services; i++)
		c->was[c->from->services[i].id] = &c->from->services[i];

	for (i = 0; i < c->to->n_services; i++) {
		const struct model_service *new = &c->to->services[i];
		const struct model_service *old = c->was[new->id];

		c->stays[new->id] = true;
		for (j = 0; j < new->n_backends; j++)
			c->backend_stays[new->backends[j].id] = true;
		c->needs_table[i] = !old || !is_same_table(c, old, new);
	}
}

static int list_rules(struct commit *c)
{
	int err = rules_list(c->s, c->has_rules);

	if (err)
		report("%s: cannot read the rules of policy match: %s", c->s->dir,
		       strerror(-err));
	return err;
}

/* Everything that may be refused. */
static int plan(struct commit *c)
{
	int err = list_rules(c);

	if (!err)
		err = ids_assign(c->s, c->to);
	if (!err)
		err = profiles_plan(c->s, c->to, &c->profiles);
	if (!err)
		err = sources_plan(c->s, c->to, &c->sources);
	if (!err)
		err = prefix_set_make(c->to, &c->prefixes);
	if (err)
		return err;

	c->needs_table = calloc(c->to->n_services + 1, sizeof(*c->needs_table));
	err = c->needs_table ? endpoint_set_make(c->s, c->to, &c->endpoints) : -ENOMEM;
	if (err == -EMLINK)
		return err;
	if (!err)
		err = endpoint_set_try(c->s, &c->endpoints);
	if (err == -ENOSPC)
		report("%zu addresses and ports do not fit in the tables of %d per family",
		       c->endpoints.n, LB_ENDPOINT_BUCKETS * LB_ENDPOINT_WAYS);
	else if (err)
		report("out of memory");
	else
		compare(c);
	return err;
}

static void write_backend(struct commit *c, const struct model_service *service,
			  struct model_backend *b)
{
	struct lb_backend *record = &c->s->backends[b->id];
	__u32 source = c->sources.of_backend[b->id];

	if (record->ref == b->ref) {
		c->frees = c->frees || record->source != source;
		set_word(&record->weight, b->weight);
		set_word(&record->priority, b->priority);
		set_word(&record->state, b->state);
		set_word(&record->source, source);
		return;
	}

	memcpy(record->address, b->address.word, sizeof(record->address));
	record->port = htons(b->port);
	record->family = b->address.family;
	record->service = service->id;
	record->weight = b->weight;
	record->priority = b->priority;
	record->state = b->state;
	record->source = source;
	record->incarnation++;
	record->since = b->since = time(NULL);
	__atomic_store_n(&record->ref, b->ref, __ATOMIC_RELEASE);
}

/* What may change while the service is in use. */
static void write_options(struct commit *c, size_t index)
{
	const struct model_service *service = &c->to->services[index];
	struct lb_service *record = &c->s->services[service->id];
	__u32 hz = c->s->config->params.hz;
	union {
		__u16 port[2];
		__u32 word;
	} ports = { .port = { service->port_low, service->port_high } };

	_Static_assert(offsetof(struct lb_service, port_low) % 4 == 0, "one word");
	set_word(&record->profile, c->profiles.of_service[index]);
	set_word(&record->source4, c->sources.of_service[index][0]);
	set_word(&record->source6, c->sources.of_service[index][1]);
	set_word((__u32 *)(void *)&record->port_low, ports.word);
	record->timeout_set = service->timeout_set;
	record->policy = service->policy < 0 ? 0 : service->policy;
	set_word(&record->flags,
		 (service->policy < 0 ? 0 : LB_SERVICE_F_OWN_POLICY) |
			 (service->per_packet ? LB_SERVICE_F_PER_PACKET : 0) |
			 (service->icmp_reply ? LB_SERVICE_F_ICMP_REPLY : 0));
	set_word(&record->on_empty, service->on_empty);
	set_word(&record->on_unknown, service->on_unknown);
	set_word(&record->grace, clock_jiffies(service->grace_ms, hz));
	set_word(&record->slow_start, clock_jiffies(service->slow_start_ms, hz));
	set_word(&record->affinity, clock_jiffies(service->client_ms, hz));
	set_word(&record->mss, service->mss);
	if (strncmp(record->comment, service->comment, sizeof(record->comment)))
		memcpy(record->comment, service->comment, sizeof(record->comment));
}

static void write_service(struct commit *c, size_t index)
{
	struct model_service *service = &c->to->services[index];
	struct lb_service *record = &c->s->services[service->id];

	if (record->state) {
		write_options(c, index);
		return;
	}

	memcpy(record->address, service->address.word, sizeof(record->address));
	record->prefix = service->prefix;
	record->port = htons(service->port);
	record->port_last = htons(service->port_last);
	record->protocol = service->protocol;
	record->forward = service->forward;
	record->family = service->address.family;
	record->generation = service->generation = 0;
	record->since = service->since = time(NULL);
	write_options(c, index);
	__atomic_store_n(&record->state, 1, __ATOMIC_RELEASE);
}

static int write_records(struct commit *c)
{
	size_t i, j;
	int err;

	err = tunables_write(c->s, c->to);
	if (err)
		return err;
	profiles_write(c->s, &c->profiles);
	sources_write(c->s, &c->sources);
	for (i = 0; i < c->to->n_services; i++) {
		struct model_service *service = &c->to->services[i];

		for (j = 0; j < service->n_backends; j++)
			write_backend(c, service, &service->backends[j]);
		if (!c->s->services[service->id].state)
			err = rules_write(c->s, service, c->has_rules[service->id]);
		if (err)
			return err;
		write_service(c, i);
	}
	set_word(&c->s->config->default_policy, c->to->default_policy);
	return 0;
}

static void free_backend(struct commit *c, __u32 id)
{
	struct lb_backend *record = &c->s->backends[id];

	__atomic_store_n(&record->ref, 0, __ATOMIC_RELEASE);
	record->state = LB_BACKEND_FREE;
	record->since = time(NULL);
	c->frees = true;
}

static void free_records(struct commit *c)
{
	size_t i, j;

	for (i = 0; i < c->from->n_services; i++) {
		const struct model_service *old = &c->from->services[i];

		/* First the service: a killed removal is then finished, not undone. */
		if (!c->stays[old->id]) {
			set_word(&c->s->services[old->id].state, 0);
			c->s->services[old->id].since = time(NULL);
			c->frees = true;
		}
		for (j = 0; j < old->n_backends; j++)
			if (!c->backend_stays[old->backends[j].id])
				free_backend(c, old->backends[j].id);
	}
}

/* No harm if it fails: nobody asks for a table of a service that is gone. */
static void remove_tables(struct commit *c)
{
	bool is_gone[LB_MAX_SERVICES] = {}, any = false;
	size_t i;

	for (i = 0; i < c->from->n_services; i++) {
		__u32 id = c->from->services[i].id;

		is_gone[id] = !c->stays[id];
		any = any || is_gone[id];
	}
	if (any)
		tables_remove(c->s, is_gone);
}

static int write_rules(struct commit *c)
{
	size_t i;
	int err = 0;

	for (i = 0; i < c->to->n_services && !err; i++) {
		const struct model_service *service = &c->to->services[i];

		err = rules_write(c->s, service, c->has_rules[service->id]);
	}
	return err;
}

/* Steps 3 to 5. */
static int make(struct commit *c)
{
	struct state *s = c->s;
	int err = endpoint_set_prepare(s, &c->endpoints);

	prefix_set_prepare(s, &c->prefixes);
	if (!err)
		err = write_rules(c);
	if (!err) {
		err = tables_flip(s, c->to, c->needs_table);
		if (err)
			return err;
		err = endpoint_set_publish(s, &c->endpoints);
	}
	if (!err)
		err = prefix_set_publish(s, &c->prefixes);
	if (err)
		report("%s; run lbctl again to finish", strerror(-err));
	return err;
}

static int carry_out(struct commit *c)
{
	struct state *s = c->s;
	int err;

	set_word(&s->config->dirty, 1);
	err = ids_clear_counts(s, c->to);
	if (err) {
		report("%s: cannot clear counters: %s", s->dir, strerror(-err));
		return err;
	}

	err = admissions_write(s, c->from, c->to);
	if (err) {
		report("%s: cannot read the clock: %s", s->dir, strerror(-err));
		return err;
	}
	err = write_records(c);
	if (!err)
		err = make(c);
	if (err)
		return err;

	free_records(c);
	rules_tidy(s); /* if it fails: nobody reads them */
	tunables_tidy(s, c->to);
	c->frees = endpoint_set_finish(s, &c->endpoints) || c->frees;
	err = prefix_set_finish(s, &c->prefixes);
	if (err) {
		report("%s; run lbctl again to finish", strerror(-err));
		return err;
	}
	if (c->frees)
		rcu_wait();
	remove_tables(c);
	sources_tidy(s);
	set_word(&s->config->dirty, 0);
	return 0;
}

int state_commit(struct state *s, const struct model *from, struct model *to)
{
	struct commit *c = calloc(1, sizeof(*c));
	int err;

	if (!c) {
		report("out of memory");
		return -ENOMEM;
	}
	c->s = s;
	c->from = from;
	c->to = to;

	err = plan(c);
	if (!err)
		err = carry_out(c);
	profiles_free(&c->profiles);
	sources_free(&c->sources);
	prefix_set_free(&c->prefixes);
	endpoint_set_free(&c->endpoints);
	free(c->needs_table);
	free(c);
	return err;
}
