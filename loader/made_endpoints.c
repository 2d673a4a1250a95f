// SPDX-License-Identifier: GPL-2.0-only
/*
 * made_endpoints.c - the endpoint tables, as services and backends want them.
 *
 * The whole set is made anew for each change and compared with the tables: the same code
 * serves a change and a repair, and takes a millisecond for a full instance.
 */
#include "made.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "rcu.h"
#include "report.h"

static struct endpoint_table table_of(const struct state *s)
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
		n += 3 + m->services[i].n_backends;
	return n;
}

__u32 service_ref(const struct model_service *s)
{
	return LB_SERVICE_REF(s->id, s->forward,
			      (s->per_packet ? LB_REF_PER_PACKET : 0) |
				      (s->mss ? LB_REF_MSS : 0));
}

static bool has_one_address(const struct model_service *s)
{
	return s->prefix == (s->address.family == 4 ? 32 : 128);
}

static bool is_echo(const struct model_service *s)
{
	return s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6;
}

static void add(struct endpoint_set *set, const struct address *a, __u16 port,
		__u8 protocol, enum lb_endpoint_kind kind, __u32 value)
{
	set->endpoints[set->n++] = endpoint_make(a, port, protocol, kind, value);
}

/* Each backend alone: who shares an endpoint is seen when all are sorted. */
static void add_backends(struct endpoint_set *set, const struct model_service *s)
{
	bool fullnat = s->forward == LB_FORWARD_FULLNAT;
	size_t i;

	for (i = 0; LB_FORWARD_IS_NAT(s->forward) && i < s->n_backends; i++) {
		const struct model_backend *b = &s->backends[i];

		add(set, &b->address, b->port, s->protocol, LB_ENDPOINT_BACKEND,
		    LB_REPLIES(fullnat, fullnat ? 0 : b->id));
	}
}

static void add_service(struct endpoint_set *set, const struct model_service *s)
{
	__u8 ping = s->address.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (model_is_exact(s) && !(is_echo(s) && s->icmp_reply))
		add(set, &s->address, s->port, s->protocol, LB_ENDPOINT_SERVICE,
		    service_ref(s));
	if (s->icmp_reply && has_one_address(s))
		add(set, &s->address, 0, ping, LB_ENDPOINT_PING, 1);
	if (s->forward == LB_FORWARD_FULLNAT && has_one_address(s))
		add(set, &s->address, 0, 0, LB_ENDPOINT_ADDRESS,
		    ports_value(s->port_low, s->port_high));
	add_backends(set, s);
}

static const struct model_backend *find_by_id(const struct model *m, __u32 id)
{
	size_t i, j;

	for (i = 0; i < m->n_services; i++)
		for (j = 0; j < m->services[i].n_backends; j++)
			if (m->services[i].backends[j].id == id)
				return &m->services[i].backends[j];
	return NULL;
}

static void refuse_siblings(const struct model *m, const struct siblings *list)
{
	const struct model_backend *b = find_by_id(m, list->id[0]);
	char text[ENDPOINT_TEXT_SIZE] = "?";

	if (b)
		backend_format(&b->address, b->port, text);
	report("backend '%s': more than %d nat and local services have it, those that this "
	       "change removes included; use fullnat, or another port",
	       text, LB_MAX_SIBLINGS);
}

/* Merge the @n endpoints from @e on, which have one key, into the last of @set. */
static int merge_group(const struct state *s, const struct model *m,
		       struct endpoint_set *set, const struct endpoint *e, size_t n)
{
	const struct endpoint_table t = table_of(s);
	struct endpoint merged = *e;
	struct siblings list = { .at = *e };
	__u32 old = endpoints_get(&t, e), meanwhile;
	__u16 first_meanwhile, first;
	bool fullnat = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (endpoint_kind(e) == LB_ENDPOINT_ADDRESS)
			merged.value = ports_span(merged.value, e[i].value);
		fullnat = fullnat || LB_REPLIES_FULLNAT(e[i].value);
		if (LB_REPLIES_FIRST(e[i].value) && list.n <= LB_MAX_SIBLINGS)
			list.id[list.n++] = LB_REPLIES_FIRST(e[i].value);
	}
	meanwhile = merged.value;
	if (endpoint_kind(e) == LB_ENDPOINT_ADDRESS && old)
		meanwhile = ports_span(old, merged.value);
	if (endpoint_kind(e) == LB_ENDPOINT_BACKEND) {
		if (siblings_plan(s, &list, set, &first_meanwhile, &first)) {
			refuse_siblings(m, &list);
			return -EMLINK;
		}
		merged.value = LB_REPLIES(fullnat, first);
		meanwhile =
			LB_REPLIES(fullnat || LB_REPLIES_FULLNAT(old), first_meanwhile);
	}
	set->meanwhile[set->n] = meanwhile;
	set->endpoints[set->n++] = merged;
	return 0;
}

static int merge_equal(const struct state *s, const struct model *m,
		       struct endpoint_set *set)
{
	size_t i, end, n = set->n;
	int err = 0;

	set->n = 0;
	for (i = 0; i < n && !err; i = end) {
		for (end = i + 1; end < n; end++)
			if (endpoint_compare(&set->endpoints[i], &set->endpoints[end]))
				break;
		err = merge_group(s, m, set, &set->endpoints[i], end - i);
	}
	return err;
}

int endpoint_set_make(const struct state *s, const struct model *m,
		      struct endpoint_set *ret)
{
	size_t i, n = count_endpoints(m);
	int err;

	ret->n = 0;
	for (i = 0; i < LB_MAX_BACKENDS; i++)
		ret->next[i] = ret->next_meanwhile[i] = LB_MAX_BACKENDS;
	ret->endpoints = calloc(n ? n : 1, sizeof(*ret->endpoints));
	ret->meanwhile = calloc(n ? n : 1, sizeof(*ret->meanwhile));
	if (!ret->endpoints || !ret->meanwhile) {
		endpoint_set_free(ret);
		return -ENOMEM;
	}
	for (i = 0; i < m->n_services; i++)
		add_service(ret, &m->services[i]);
	qsort(ret->endpoints, ret->n, sizeof(*ret->endpoints), endpoint_compare);
	err = merge_equal(s, m, ret);
	if (err)
		endpoint_set_free(ret);
	return err;
}

void endpoint_set_free(struct endpoint_set *set)
{
	free(set->endpoints);
	free(set->meanwhile);
	set->endpoints = NULL;
	set->meanwhile = NULL;
	set->n = 0;
}

/* Those of services, or the others, which for now know what was before, too. */
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

		if ((endpoint_kind(e) == LB_ENDPOINT_SERVICE) != services)
			continue;
		some[n] = *e;
		some[n++].value = set->meanwhile[i];
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

/* Does any of @set's replies come through us? */
static bool has_replies(const struct endpoint_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (endpoint_kind(&set->endpoints[i]) == LB_ENDPOINT_BACKEND)
			return true;
	return false;
}

static void switch_replies(struct state *s, __u32 on)
{
	if (s->switches->replies != on)
		__atomic_store_n(&s->switches->replies, on, __ATOMIC_RELEASE);
}

int endpoint_set_prepare(struct state *s, const struct endpoint_set *set)
{
	struct endpoint_table t = table_of(s);

	if (has_replies(set))
		switch_replies(s, 1);
	siblings_link(s, set->next_meanwhile);
	return add_some(&t, set, false);
}

int endpoint_set_publish(struct state *s, const struct endpoint_set *set)
{
	struct endpoint_table t = table_of(s);

	return add_some(&t, set, true);
}

/* Links first: an endpoint may begin with a backend that was not in a list before. */
bool endpoint_set_finish(struct state *s, const struct endpoint_set *set)
{
	struct endpoint_table t = table_of(s);

	t.wait = NULL; /* the caller has more to wait for */
	siblings_link(s, set->next);
	if (!has_replies(set))
		switch_replies(s, 0);
	return endpoints_keep(&t, set->endpoints, set->n);
}
