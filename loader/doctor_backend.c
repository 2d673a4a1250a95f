// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_backend.c - backends: is there a way to each of them, and does its next hop
 * answer?
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "doctor.h"
#include "netlink.h"

static bool is_attached(const struct state *s, unsigned int ifindex)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++)
		if (s->devices[i].ifindex == ifindex)
			return true;
	return false;
}

static void check_neighbour(struct doctor *d, const char *object,
			    const struct netlink_route *route)
{
	char hop[ADDRESS_TEXT_SIZE], name[IF_NAMESIZE] = "?";
	int state = netlink_neighbour(&route->next_hop, route->ifindex);

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

static void check_backend(struct doctor *d, const struct state *s,
			  const struct model_backend *b)
{
	char object[ADDRESS_TEXT_SIZE], name[IF_NAMESIZE] = "?";
	struct netlink_route route;
	int err = netlink_route(&b->address, &route);

	address_format(&b->address, object);
	if (err) {
		doctor_say(d, VERDICT_FAIL, "route", object, "see 'ip route get'",
			   "no way there: %s", strerror(-err));
		return;
	}
	if (route.is_local) {
		doctor_say(d, VERDICT_FAIL, "route", object, "use another host's address",
			   "an address of this host, which fullnat cannot reach");
		return;
	}

	if_indextoname(route.ifindex, name);
	if (!is_attached(s, route.ifindex)) {
		doctor_say(d, VERDICT_FAIL, "route", object, "lbctl chain attach it, too",
			   "leaves by %s, where the chain is not", name);
		return;
	}
	doctor_say(d, VERDICT_OK, "route", object, NULL, "by %s", name);
	check_neighbour(d, object, &route);
}

/* Was this address checked before, for a service or port earlier in order? */
static bool is_known(const struct model *m, size_t service, size_t backend)
{
	const struct address *a = &m->services[service].backends[backend].address;
	size_t i, j;

	for (i = 0; i <= service; i++)
		for (j = 0; j < m->services[i].n_backends; j++) {
			if (i == service && j == backend)
				return false;
			if (!address_compare(a, &m->services[i].backends[j].address))
				return true;
		}
	return false;
}

void doctor_backends(struct doctor *d, const struct state *s, const struct model *m)
{
	size_t i, j;

	for (i = 0; i < m->n_services; i++)
		for (j = 0; j < m->services[i].n_backends; j++)
			if (!is_known(m, i, j))
				check_backend(d, s, &m->services[i].backends[j]);
}
