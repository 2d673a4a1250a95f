// SPDX-License-Identifier: GPL-2.0-only
/*
 * made_endpoints.c - the endpoint tables, as services and backends want them.
 *
 * The whole set is made anew for each change and compared with the tables: the same code
 * serves a change and a repair, and takes a millisecond for a full instance.
 */
#include "made.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rcu.h"

static struct endpoint_table table_of(struct state *s)
{
	return (struct endpoint_table){
		.v4 = s->endpoints4,
		.v6 = s->endpoints6,
		.seed = s->config->params.seed,
		.wait = rcu_wait,
	};
}

static __u32 ports_value(__u16 low, __u16 high)
{
	return low | (__u32)high << 16;
}

/* Services that share an address share the range that spans theirs. */
static __u32 ports_span(__u32 a, __u32 b)
{
	__u16 low = (a & 0xffff) < (b & 0xffff) ? a : b;
	__u16 high = a >> 16 > b >> 16 ? a >> 16 : b >> 16;

	return ports_value(low, high);
}

static size_t count_endpoints(const struct model *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_services; i++)
		n += 2 + m->services[i].n_backends;
	return n;
}

static void add_service(struct endpoint_set *set, const struct model_service *s)
{
	size_t i;

	set->endpoints[set->n++] = endpoint_make(&s->address, s->port, s->protocol,
						 LB_ENDPOINT_SERVICE,
						 LB_SERVICE_REF(s->id, s->forward, 0));
	set->endpoints[set->n++] = endpoint_make(&s->address, 0, 0, LB_ENDPOINT_ADDRESS,
						 ports_value(s->port_low, s->port_high));
	for (i = 0; i < s->n_backends; i++)
		set->endpoints[set->n++] = endpoint_make(&s->backends[i].address,
							 s->backends[i].port, s->protocol,
							 LB_ENDPOINT_BACKEND,
							 LB_REPLIES(true, 0));
}

static void merge_equal(struct endpoint_set *set)
{
	size_t i, n = 0;

	for (i = 0; i < set->n; i++) {
		struct endpoint *e = &set->endpoints[i];
		struct endpoint *last = n ? &set->endpoints[n - 1] : NULL;

		if (!last || endpoint_compare(last, e))
			set->endpoints[n++] = *e;
		else if (endpoint_kind(e) == LB_ENDPOINT_ADDRESS)
			last->value = ports_span(last->value, e->value);
	}
	set->n = n;
}

int endpoint_set_make(const struct model *m, struct endpoint_set *ret)
{
	size_t i, n = count_endpoints(m);

	ret->n = 0;
	ret->endpoints = calloc(n ? n : 1, sizeof(*ret->endpoints));
	if (!ret->endpoints)
		return -ENOMEM;
	for (i = 0; i < m->n_services; i++)
		add_service(ret, &m->services[i]);
	qsort(ret->endpoints, ret->n, sizeof(*ret->endpoints), endpoint_compare);
	merge_equal(ret);
	return 0;
}

void endpoint_set_free(struct endpoint_set *set)
{
	free(set->endpoints);
	set->endpoints = NULL;
	set->n = 0;
}

/* Those of services, or the others, whose ranges of ports may only grow for now. */
static int add_some(const struct endpoint_table *t, const struct endpoint_set *set,
		    bool services)
{
	struct endpoint *some = calloc(set->n ? set->n : 1, sizeof(*some));
	size_t i, n = 0;
	int err;

	if (!some)
		return -ENOMEM;
	for (i = 0; i < set->n; i++) {
		const struct endpoint *e = &set->endpoints[i];
		enum lb_endpoint_kind kind = endpoint_kind(e);
		__u32 old;

		if ((kind == LB_ENDPOINT_SERVICE) != services)
			continue;
		some[n] = *e;
		old = kind == LB_ENDPOINT_ADDRESS ? endpoints_get(t, e) : 0;
		if (old)
			some[n].value = ports_span(old, e->value);
		n++;
	}
	err = endpoints_add(t, some, n);
	free(some);
	return err;
}

int endpoint_set_try(const struct state *s, const struct endpoint_set *set)
{
	const size_t size4 = LB_ENDPOINT_BUCKETS * sizeof(*s->endpoints4);
	const size_t size6 = LB_ENDPOINT_BUCKETS * sizeof(*s->endpoints6);
	struct endpoint_table copy = { malloc(size4), malloc(size6),
				       s->config->params.seed, NULL };
	int err = -ENOMEM;

	if (copy.v4 && copy.v6) {
		memcpy(copy.v4, s->endpoints4, size4);
		memcpy(copy.v6, s->endpoints6, size6);
		err = add_some(&copy, set, false);
		if (!err)
			err = add_some(&copy, set, true);
	}
	free(copy.v4);
	free(copy.v6);
	return err;
}

int endpoint_set_prepare(struct state *s, const struct endpoint_set *set)
{
	struct endpoint_table t = table_of(s);

	return add_some(&t, set, false);
}

int endpoint_set_publish(struct state *s, const struct endpoint_set *set)
{
	struct endpoint_table t = table_of(s);

	return add_some(&t, set, true);
}

void endpoint_set_finish(struct state *s, const struct endpoint_set *set)
{
	struct endpoint_table t = table_of(s);

	endpoints_keep(&t, set->endpoints, set->n);
}
