// SPDX-License-Identifier: GPL-2.0-only
/*
 * made_siblings.c - the lists of backends whose replies only the flow tells apart.
 *
 * Replies in nat and local mode come from the backend's own address and port, which several
 * services may have.  lb_reply tries the backends in such a list one after another
 * (lb_backend.next, from LB_REPLIES on), and lists change while it does.
 *
 * So what is in a list keeps its place.  New ones come before all others: they point to the
 * old beginning before the endpoint points to them.  What goes is passed over by who is
 * before it, but keeps its own pointer, and who stands there finds on; its record is not
 * used again before a grace period has passed.  In between, the list has both.
 */
#include "made.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "address.h"

/* Is backend @id in use, and behind endpoint @at? */
static bool is_member(const struct state *s, __u32 id, const struct endpoint *at)
{
	const struct lb_backend *b = &s->backends[id];
	const struct lb_service *service = &s->services[b->service % LB_MAX_SERVICES];
	struct address a = address_from_words(b->family, b->address);
	struct endpoint e = endpoint_make(&a, ntohs(b->port), service->protocol,
					  LB_ENDPOINT_BACKEND, 0);

	return b->ref && !endpoint_compare(&e, at);
}

/* Who is in the list now, without the dead. */
static void read_list(const struct state *s, struct siblings *list)
{
	const struct endpoint_table t = { .v4 = s->endpoints4,
					  .v6 = s->endpoints6,
					  .seed = s->config->params.seed };
	__u32 id = LB_REPLIES_FIRST(endpoints_get(&t, &list->at));
	int i;

	for (i = 0; id && i <= LB_MAX_SIBLINGS; i++) {
		id %= LB_MAX_BACKENDS;
		if (list->n <= LB_MAX_SIBLINGS && is_member(s, id, &list->at))
			list->id[list->n++] = id;
		id = s->backends[id].next;
	}
}

static bool is_in(const struct siblings *list, __u16 id)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->id[i] == id)
			return true;
	return false;
}

static __u16 chain(const struct siblings *list, __u16 next[LB_MAX_BACKENDS])
{
	size_t i;

	for (i = 0; i < list->n; i++)
		next[list->id[i]] = i + 1 < list->n ? list->id[i + 1] : 0;
	return list->n ? list->id[0] : 0;
}

int siblings_plan(const struct state *s, const struct siblings *wanted,
		  struct endpoint_set *set, __u16 *ret_meanwhile, __u16 *ret_first)
{
	struct siblings now = { .at = wanted->at }, all = {}, after = {};
	size_t i;

	read_list(s, &now);
	for (i = 0; i < wanted->n; i++)
		if (!is_in(&now, wanted->id[i]))
			all.id[all.n++] = wanted->id[i];
	if (all.n + now.n > LB_MAX_SIBLINGS)
		return -EMLINK;
	for (i = 0; i < now.n; i++)
		all.id[all.n++] = now.id[i];
	for (i = 0; i < all.n; i++)
		if (is_in(wanted, all.id[i]))
			after.id[after.n++] = all.id[i];

	*ret_meanwhile = chain(&all, set->next_meanwhile);
	*ret_first = chain(&after, set->next);
	return 0;
}

void siblings_link(struct state *s, const __u16 next[LB_MAX_BACKENDS])
{
	__u32 id;

	for (id = 1; id < LB_MAX_BACKENDS; id++)
		if (next[id] != LB_MAX_BACKENDS && s->backends[id].next != next[id])
			__atomic_store_n(&s->backends[id].next, next[id],
					 __ATOMIC_RELEASE);
}
