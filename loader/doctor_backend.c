// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_backend.c - backends: is there a way to each of them, and does its next hop
 * answer?
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "doctor.h"
#include "ways.h"

static void check_neighbour(struct doctor *d, const char *object,
			    const struct netlink_route *route)
{
	char hop[ADDRESS_TEXT_SIZE], name[IF_NAMESIZE] = "?";
	int state = netlink_neighbour(&route->next_hop, route->ifindex, NULL);

	address_format(&route->next_hop, hop);
	if_indextoname(route->ifindex, name);
	if (state < 0)
		doctor_say(d, VERDICT_WARN, "neighbour", object, NULL, "cannot ask: %s",
			   strerror(-state));
	else if (state & NUD_FAILED)
		doctor_say(d, VERDICT_FAIL, "neighbour", object,
			   "is that host up? see 'ip neigh'", "%s does not answer on %s",
			   hop, name);
	else if (!state || state & NUD_INCOMPLETE)
		doctor_say(d, VERDICT_OK, "neighbour", object, NULL,
			   "%s on %s is not known yet; the first packet asks", hop, name);
	else
		doctor_say(d, VERDICT_OK, "neighbour", object, NULL, "%s on %s is known",
			   hop, name);
}

static void check_tunnel(struct doctor *d, const struct ways *w,
			 const struct model_service *s, const struct model_backend *b,
			 const struct way *way)
{
	unsigned int room = way_room(w, s, b, way);
	char object[ADDRESS_TEXT_SIZE], remedy[96];
	struct way source;

	address_format(&b->address, object);
	if (!way_check_source(w, s, b, &source))
		doctor_say(d, VERDICT_WARN, "source", object, source.remedy, "%s",
			   source.text);
	if (!room)
		return;
	snprintf(remedy, sizeof(remedy),
		 "a larger MTU on %s, or an MSS of %u on the backends", way->device,
		 room - (s->address.family == 4 ? 40 : 60));
	doctor_say(
		d, VERDICT_WARN, "mtu", object, remedy,
		"packets of more than %u bytes do not fit in its tunnel: their senders "
		"are told, if they listen",
		room);
}

/* Frames leave by the port that has the chain, wherever the bridge itself would send them. */
static void check_bridge(struct doctor *d, const struct ways *w, const char *object,
			 const struct way *way)
{
	if (way_ports(w, way) > 1)
		doctor_say(d, VERDICT_WARN, "bridge", object,
			   "a bridge of its own for the port with the chain",
			   "%s has several ports: it is reached if it is behind the one "
			   "with the chain",
			   way->device);
}

static void check_backend(struct doctor *d, const struct ways *w,
			  const struct model_service *s, const struct model_backend *b)
{
	char object[ADDRESS_TEXT_SIZE];
	struct way way;

	address_format(&b->address, object);
	if (!way_check(w, s, b, &way)) {
		doctor_say(d, VERDICT_FAIL, "route", object, way.remedy, "%s", way.text);
		return;
	}
	if (s->forward == LB_FORWARD_LOCAL) {
		doctor_say(d, VERDICT_OK, "route", object, NULL,
			   "an address of this host");
		return;
	}
	doctor_say(d, VERDICT_OK, "route", object, NULL, "by %s", way.device);
	check_neighbour(d, object, &way.route);
	check_bridge(d, w, object, &way);
	check_tunnel(d, w, s, b, &way);
}

/* A backend as its way is seen: of an address in one mode, the first one is looked at. */
struct seen {
	enum lb_forward forward;
	const struct address *address;
	size_t place; /* among all backends */
};

static int compare_seen(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = address_compare(x->address, y->address);

	if (x->forward != y->forward)
		return x->forward < y->forward ? -1 : 1;
	if (order)
		return order;
	return x->place < y->place ? -1 : 1;
}

static bool is_same_way(const struct seen *a, const struct seen *b)
{
	return a->forward == b->forward && !address_compare(a->address, b->address);
}

/* Which backends are the first, by their places; NULL: no memory.  The caller frees. */
static bool *find_first(const struct model *m)
{
	size_t i, j, all = 0, n = 0;
	struct seen *seen;
	bool *first;

	for (i = 0; i < m->n_services; i++)
		all += m->services[i].n_backends;
	seen = calloc(all + 1, sizeof(*seen));
	first = calloc(all + 1, sizeof(*first));
	for (i = 0; seen && first && i < m->n_services; i++)
		for (j = 0; j < m->services[i].n_backends; j++, n++)
			seen[n] = (struct seen){ m->services[i].forward,
						 &m->services[i].backends[j].address, n };
	if (seen)
		qsort(seen, n, sizeof(*seen), compare_seen);
	for (i = 0; i < n; i++)
		first[seen[i].place] = !i || !is_same_way(&seen[i - 1], &seen[i]);
	free(seen);
	return first;
}

void doctor_backends(struct doctor *d, const struct state *s, const struct model *m)
{
	bool *first = find_first(m);
	struct ways ways;
	size_t i, j, place = 0;

	ways_open(&ways, s);
	for (i = 0; i < m->n_services; i++)
		for (j = 0; j < m->services[i].n_backends; j++, place++)
			if (!first || first[place])
				check_backend(d, &ways, &m->services[i],
					      &m->services[i].backends[j]);
	ways_close(&ways);
	free(first);
}
