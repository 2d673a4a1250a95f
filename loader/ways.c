// SPDX-License-Identifier: GPL-2.0-only
/*
 * ways.c - can packets get to a backend, going by the kernel's routes?
 *
 * Routes and addresses change without lbctl, so none of this can be refused when a backend
 * is added: `lbctl` and `lbctl doctor` say it, with the same words.
 */
#include "ways.h"

#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "devices.h"
#include "settings.h"
#include "sources.h"
#include "uppers.h"

#define UDP_HEADER 8
#define IP4_HEADER 20
#define IP6_HEADER 40

void ways_open(struct ways *w, const struct state *s)
{
	*w = (struct ways){ .state = s };
	if (netlink_links(&w->links, &w->n_links))
		w->n_links = 0;
}

void ways_close(struct ways *w)
{
	free(w->links);
	w->links = NULL;
}

static bool fail(struct way *way, const char *fault, const char *remedy,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

static bool fail(struct way *way, const char *fault, const char *remedy,
		 const char *format, ...)
{
	va_list args;

	way->fault = fault;
	snprintf(way->remedy, sizeof(way->remedy), "%s", remedy);
	va_start(args, format);
	vsnprintf(way->text, sizeof(way->text), format, args);
	va_end(args);
	return false;
}

static bool is_way_out(const struct state *s, unsigned int ifindex)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++)
		if (s->devices[i].ifindex == ifindex)
			return true;
	return false;
}

static bool check_device(const struct ways *w, struct way *way)
{
	const char *remedy, *what;
	struct upper_way upper;

	if (is_way_out(w->state, way->route.ifindex))
		return true;
	what = upper_explain(upper_resolve(w->state, w->links, w->n_links,
					   way->route.ifindex, &upper),
			     &remedy);
	return fail(way, "no-device", remedy, "leaves by %s, %s", way->device, what);
}

bool way_check(const struct ways *w, const struct model_service *s,
	       const struct model_backend *b, struct way *ret)
{
	bool is_local = s->forward == LB_FORWARD_LOCAL;
	char hop[ADDRESS_TEXT_SIZE];
	int err;

	*ret = (struct way){};
	err = netlink_route(&b->address, &ret->route);
	if (err)
		return fail(ret, "no-route", "see 'ip route get'", "no way there: %s",
			    strerror(-err));
	if (is_local && !ret->route.is_local)
		return fail(ret, "not-local", "use an address of this host",
			    "no address of this host, and local delivers only here");
	if (is_local)
		return true;
	if (ret->route.is_local)
		return fail(ret, "no-route",
			    "use another host's address, or forward local",
			    "an address of this host, which %s cannot reach",
			    forward_name(s->forward));

	if (!if_indextoname(ret->route.ifindex, ret->device))
		strcpy(ret->device, "?");
	if (!check_device(w, ret))
		return false;
	if (s->forward == LB_FORWARD_DSR &&
	    address_compare(&ret->route.next_hop, &b->address))
		return fail(
			ret, "not-connected", "use ipip or gue",
			"behind the gateway %s, and dsr reaches only connected networks",
			address_format(&ret->route.next_hop, hop));
	return true;
}

bool way_check_source(const struct ways *w, const struct model_service *s,
		      const struct model_backend *b, struct way *ret)
{
	__u32 index = w->state->backends[b->id].source;
	const struct lb_source *source = &w->state->sources[index % LB_MAX_SOURCES];
	char text[ADDRESS_TEXT_SIZE];
	struct address from;

	*ret = (struct way){};
	if (!service_is_tunnel(s) || !source->family ||
	    source->prefix != (source->family == 4 ? 32 : 128))
		return true; /* what is spread over a prefix need be nobody's */
	from = address_from_words(source->family, source->address);
	if (!netlink_route(&from, &ret->route) && ret->route.is_local)
		return true;
	return fail(ret, "source", "'service set ... src ADDR'",
		    "its tunnel comes from %s, which is no address of this host",
		    address_format(&from, text));
}

static unsigned int mtu_of(const struct ways *w, unsigned int ifindex)
{
	size_t i;

	for (i = 0; i < w->n_links; i++)
		if (w->links[i].ifindex == ifindex)
			return w->links[i].mtu;
	return 0;
}

unsigned int way_room(const struct ways *w, const struct model_service *s,
		      const struct model_backend *b, const struct way *way)
{
	unsigned int out = mtu_of(w, way->route.ifindex), in = 0, room, i;
	unsigned int header = b->address.family == 4 ? IP4_HEADER : IP6_HEADER;

	if (!service_is_tunnel(s) || !out)
		return 0;
	if (s->forward == LB_FORWARD_GUE)
		header += UDP_HEADER;
	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *d = &w->state->devices[i];
		unsigned int mtu = device_is_attached(d) ? mtu_of(w, d->ifindex) : 0;

		if (mtu > in && !device_is_loopback(d))
			in = mtu;
	}
	room = out > header ? out - header : 0;
	return room < in ? room : 0;
}

size_t way_ports(const struct ways *w, const struct way *way)
{
	size_t i, n = 0;

	for (i = 0; i < w->n_links; i++)
		n += w->links[i].master && w->links[i].master == way->route.ifindex;
	return n;
}
