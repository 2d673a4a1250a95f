// SPDX-License-Identifier: GPL-2.0-only
/*
 * repair.c - finish what a writer that died has left undone.
 *
 * The records are whole, for each is published by one word; so what is made of them is
 * made anew where it is not as they want it, and the next writer finds the state that
 * commit.c leaves.
 */
#include "repair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "made.h"
#include "rcu.h"
#include "report.h"
#include "rules.h"
#include "sources.h"
#include "tunables.h"

/* Backends of a service that was not published, or is gone. */
static void free_orphans(struct state *s)
{
	__u32 id;

	for (id = 1; id < LB_MAX_BACKENDS; id++) {
		struct lb_backend *b = &s->backends[id];

		if (b->ref && s->services[b->service % LB_MAX_SERVICES].state)
			continue;
		if (b->ref || b->state)
			b->since = time(NULL);
		__atomic_store_n(&b->ref, 0, __ATOMIC_RELEASE);
		b->state = LB_BACKEND_FREE;
	}
}

/* Backends come from where their services say; those that cannot keep what they have. */
static void make_sources(struct state *s, const struct model *m)
{
	struct source_plan *plan = malloc(sizeof(*plan));
	__u32 id;

	if (!plan || sources_plan(s, m, plan)) {
		free(plan);
		return;
	}
	sources_write(s, plan);
	for (id = 1; id < LB_MAX_BACKENDS; id++)
		if (s->backends[id].ref)
			__atomic_store_n(&s->backends[id].source, plan->of_backend[id],
					 __ATOMIC_RELEASE);
	sources_free(plan);
	free(plan);
}

static int make_endpoints(struct state *s, const struct model *m)
{
	struct endpoint_set *set = malloc(sizeof(*set));
	int err = set ? endpoint_set_make(s, m, set) : -ENOMEM;

	if (err) {
		free(set);
		return err;
	}
	/* Room first: what is there is not all wanted. */
	if (endpoint_set_finish(s, set))
		rcu_wait();
	err = endpoint_set_prepare(s, set);
	if (!err)
		err = endpoint_set_publish(s, set);
	if (!err)
		endpoint_set_finish(s, set);
	endpoint_set_free(set);
	free(set);
	return err;
}

static int make_prefixes(struct state *s, const struct model *m)
{
	struct prefix_set set;
	int err = prefix_set_make(m, &set);

	if (err)
		return err;
	prefix_set_prepare(s, &set);
	err = prefix_set_publish(s, &set);
	if (!err)
		err = prefix_set_finish(s, &set);
	prefix_set_free(&set);
	return err;
}

static int make_tables(struct state *s, struct model *m)
{
	bool *wrong = malloc(m->n_services + 1), is_gone[LB_MAX_SERVICES];
	__u32 id;
	int err;

	if (!wrong)
		return -ENOMEM;
	err = tables_find_wrong(s, m, wrong);
	if (!err)
		err = tables_flip(s, m, wrong);
	free(wrong);

	for (id = 0; id < LB_MAX_SERVICES; id++)
		is_gone[id] = !s->services[id].state;
	return err ? err : tables_remove(s, is_gone);
}

int state_repair(struct state *s)
{
	struct model m;
	int err;

	if (!s->config->dirty)
		return 0;

	report_detail("%s: the last lbctl did not finish; making everything anew",
		      s->dir);
	rcu_wait(); /* it did not */
	free_orphans(s);
	tunables_repair(s);
	err = rules_tidy(s);
	if (!err)
		err = state_read(s, &m);
	if (!err) {
		make_sources(s, &m);
		err = tunables_tidy(s, &m);
		if (!err)
			err = make_tables(s, &m);
		if (!err)
			err = make_endpoints(s, &m);
		if (!err)
			err = make_prefixes(s, &m);
		model_free(&m);
	}
	if (err) {
		report("%s: cannot finish what an lbctl that was killed began: %s",
		       s->dir, strerror(-err));
		return err;
	}

	rcu_wait();
	sources_tidy(s);
	__atomic_store_n(&s->config->dirty, 0, __ATOMIC_RELEASE);
	return 0;
}
