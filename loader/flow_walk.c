// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow_walk.c - the flow tables, read while the data path writes them.
 */
#include "flow_walk.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "report.h"

#define TRIES 3

/* Long enough that the compiler reads memory, where it must. */
#define READ_WORD(word) __atomic_load_n(&(word), __ATOMIC_ACQUIRE)

struct walk {
	struct state *s;
	const struct flow_filter *f;
	int (*each)(void *arg, const struct flow_view *flow);
	void *arg;
	__u32 now; /* jiffies */
	__u32 hz;
};

const char *flow_state_name(unsigned int state)
{
	static const char *const names[LB_FLOW_STATES] = {
		"half-open", "established", "client-fin", "backend-fin",
		"closed",    "datagram",    "answered",	  "stream",
	};

	return state < LB_FLOW_STATES ? names[state] : "?";
}

static int compare_ref(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

static bool is_wanted(const struct flow_filter *f, const struct flow_view *v)
{
	if (f->by_service && f->service != v->service)
		return false;
	if (f->states && !(f->states & 1U << v->state))
		return false;
	if (f->client.family &&
	    !address_in_network(&v->client, &f->client, f->client_length))
		return false;
	if (f->by_backend &&
	    !bsearch(&v->backend, f->refs, f->n_refs, sizeof(*f->refs), compare_ref))
		return false;
	return true;
}

/* What the bucket's head says; false: the way is empty or has timed out. */
static bool read_head(const struct walk *w, const struct lb_bucket *head, int way,
		      struct flow_view *v)
{
	__u8 word = READ_WORD(head->state[way]);
	__u32 timeout = READ_WORD(
		w->s->profiles[LB_WAY_PROFILE(word)].timeout[LB_WAY_STATE(word)]);
	__u32 seen = READ_WORD(head->seen[way]);
	__s32 idle = w->now - seen;

	if (idle < 0)
		idle = 0; /* seen after we asked for the time */
	if (!READ_WORD(head->tag[way]) || (__u32)idle > timeout)
		return false;

	v->state = LB_WAY_STATE(word);
	v->idle_ms = (__u64)idle * 1000 / w->hz;
	v->left_ms = (__u64)(timeout - idle) * 1000 / w->hz;
	return true;
}

static void read_key4(const __u64 *key, struct flow_view *v)
{
	struct lb_flow_key4 k;

	memcpy(&k, key, sizeof(k));
	v->client = (struct address){ .family = 4, .word = { k.client } };
	v->client_port = ntohs(k.port);
	v->service = k.service;
}

/* The service knows the family; a deleted one's flows are dead anyway. */
static void read_key6(const struct walk *w, const __u64 *key, const struct lb_flow *flow,
		      struct flow_view *v)
{
	const struct lb_flow6 *f =
		(const void *)((const char *)flow - offsetof(struct lb_flow6, flow));
	struct lb_flow_key6 k;
	__be32 origin[4];
	__u8 family;

	memcpy(&k, key, sizeof(k));
	memcpy(origin, f->origin, sizeof(origin));
	family = w->s->services[k.service % LB_MAX_SERVICES].family;
	v->client = address_from_words(family == 4 ? 4 : 6, k.client);
	v->client_port = ntohs(k.port);
	v->service = k.service;
	v->destination = address_from_words(v->client.family, origin);
	v->destination_port = ntohs(READ_WORD(flow->origin_port));
}

/* A copy of one way that belongs together. */
static bool read_way(const struct walk *w, const struct lb_bucket *head, int way,
		     const __u64 *key, const struct lb_flow *flow, struct flow_view *v)
{
	__u32 id;
	int try;

	for (try = 0; try < TRIES; try++) {
		__u32 version = READ_WORD(flow->version);

		if (version & 1)
			continue;
		if (!read_head(w, head, way, v))
			return false;
		if (v->table == 4)
			read_key4(key, v);
		else
			read_key6(w, key, flow, v);
		v->backend = READ_WORD(flow->backend);
		v->nat_port = ntohs(READ_WORD(flow->nat_port));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (READ_WORD(flow->version) != version)
			continue;

		v->version = version;
		id = LB_BACKEND_REF_ID(v->backend);
		return id && id < LB_MAX_BACKENDS &&
		       READ_WORD(w->s->backends[id].ref) == v->backend;
	}
	return false;
}

static int visit(const struct walk *w, const struct flow_view *v)
{
	return is_wanted(w->f, v) ? w->each(w->arg, v) : 0;
}

static int walk4(const struct walk *w)
{
	__u32 i, n = w->s->config->params.flow_buckets;
	int way, stop = 0;

	for (i = 0; i < n; i++) {
		const struct lb_bucket4 *b = &w->s->flows4[i];

		for (way = 0; way < LB_FLOW_WAYS && !stop; way++) {
			struct flow_view v = { .table = 4,
					       .position = i * LB_FLOW_WAYS + way };

			if (READ_WORD(b->head.tag[way]) &&
			    read_way(w, &b->head, way, b->flow[way].key,
				     &b->flow[way].flow, &v))
				stop = visit(w, &v);
		}
		if (stop)
			break;
	}
	return stop;
}

static int walk6(const struct walk *w)
{
	__u32 i, n = w->s->config->params.flow_buckets;
	int way, stop = 0;

	for (i = 0; i < n; i++) {
		const struct lb_bucket6 *b = &w->s->flows6[i];

		for (way = 0; way < LB_FLOW_WAYS && !stop; way++) {
			struct flow_view v = { .table = 6,
					       .position = i * LB_FLOW_WAYS + way };

			if (READ_WORD(b->head.tag[way]) &&
			    read_way(w, &b->head, way, b->flow[way].key,
				     &b->flow[way].flow, &v))
				stop = visit(w, &v);
		}
		if (stop)
			break;
	}
	return stop;
}

int flow_walk(struct state *s, const struct flow_filter *f,
	      int (*each)(void *arg, const struct flow_view *flow), void *arg)
{
	struct walk w = { .s = s, .f = f, .each = each, .arg = arg };
	struct lb_clock clock;
	int err;

	err = state_map_flows(s);
	if (!err)
		err = state_clock(s, &clock);
	if (err)
		return err;

	w.now = clock.jiffies;
	w.hz = s->config->params.hz ? s->config->params.hz : 1;
	if (f->by_backend)
		qsort(f->refs, f->n_refs, sizeof(*f->refs), compare_ref);

	err = walk4(&w);
	return err ? err : walk6(&w);
}

static int count_one(void *arg, const struct flow_view *flow)
{
	(void)flow;
	++*(__u64 *)arg;
	return 0;
}

int flow_number(struct state *s, const struct flow_filter *f, __u64 *ret)
{
	*ret = 0;
	return flow_walk(s, f, count_one, ret);
}

static int count_backend(void *arg, const struct flow_view *flow)
{
	((__u64 *)arg)[LB_BACKEND_REF_ID(flow->backend)]++;
	return 0;
}

int flow_numbers(struct state *s, __u64 *ret)
{
	static const struct flow_filter any;

	memset(ret, 0, LB_MAX_BACKENDS * sizeof(*ret));
	return flow_walk(s, &any, count_backend, ret);
}

bool backend_has_flows(struct state *s, const struct model_service *service,
		       const struct model_backend *b, const char *remedy)
{
	__u32 ref = b->ref;
	const struct flow_filter of_backend = { .states = ~(1U << LB_FLOW_CLOSED),
						.by_backend = true,
						.refs = &ref,
						.n_refs = 1 };
	char name[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE];
	__u64 n;

	if (!s || !ref || !READ_WORD(s->live[LB_BACKEND_REF_ID(ref)]))
		return false;

	service_text(service, name);
	backend_format(&b->address, b->port, text);
	if (flow_number(s, &of_backend, &n)) {
		report("backend '%s' of %s: its flows cannot be counted", text, name);
		return true;
	}
	if (n)
		report("backend '%s' of %s has %llu live flow%s; %s", text, name, n,
		       n == 1 ? "" : "s", remedy);
	return n;
}
