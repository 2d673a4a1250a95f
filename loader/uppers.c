// SPDX-License-Identifier: GPL-2.0-only
/*
 * uppers.c - ways out by interfaces that stand on one that has the chain.
 *
 * A route may name a VLAN device or a bridge.  XDP sends by neither; but a frame that is
 * given to the interface below with the right tag is the same frame.  Of a bridge it must be
 * clear which of its ports that is: the one that has the chain, if only one has it.
 *
 * Interfaces come and go without lbctl, so each command that changes something looks anew.
 */
#include "uppers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"

#define DEPTH_MAX 8 /* of interfaces on interfaces */

struct network {
	const struct state *s;
	const struct netlink_link *links;
	size_t n;
};

static const struct lb_device *find_record(const struct state *s, unsigned int ifindex)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++)
		if (s->devices[i].ifindex == ifindex)
			return &s->devices[i];
	return NULL;
}

static bool is_attached(const struct network *net, unsigned int ifindex)
{
	const struct lb_device *d = find_record(net->s, ifindex);

	return d && device_is_attached(d);
}

static const struct netlink_link *find_link(const struct network *net,
					    unsigned int ifindex)
{
	size_t i;

	for (i = 0; i < net->n; i++)
		if (net->links[i].ifindex == ifindex)
			return &net->links[i];
	return NULL;
}

static enum upper resolve(const struct network *net, unsigned int ifindex, int depth,
			  struct upper_way *ret);

static enum upper resolve_vlan(const struct network *net, const struct netlink_link *vlan,
			       int depth, struct upper_way *ret)
{
	enum upper found = resolve(net, vlan->below, depth, ret);

	if (found)
		return found;
	if (ret->n_tags == LB_TAGS)
		return UPPER_TAGS;
	ret->tag[ret->n_tags].type = vlan->vlan_type;
	ret->tag[ret->n_tags++].id = htons(vlan->vlan);
	return UPPER_CLEAR;
}

static enum upper resolve_bridge(const struct network *net,
				 const struct netlink_link *bridge, int depth,
				 struct upper_way *ret)
{
	enum upper found = UPPER_OUTSIDE;
	struct upper_way way;
	size_t i;

	for (i = 0; i < net->n; i++) {
		if (net->links[i].master != bridge->ifindex ||
		    resolve(net, net->links[i].ifindex, depth, &way))
			continue;
		if (found == UPPER_CLEAR)
			return UPPER_PORTS;
		found = UPPER_CLEAR;
		*ret = way;
	}
	return found == UPPER_CLEAR && bridge->filters ? UPPER_FILTERS : found;
}

static enum upper resolve(const struct network *net, unsigned int ifindex, int depth,
			  struct upper_way *ret)
{
	const struct netlink_link *link = find_link(net, ifindex);

	*ret = (struct upper_way){ .out = ifindex };
	if (!link || depth == DEPTH_MAX)
		return UPPER_OUTSIDE;
	if (is_attached(net, ifindex))
		return UPPER_CLEAR;
	if (link->kind == LINK_VLAN)
		return resolve_vlan(net, link, depth + 1, ret);
	if (link->kind == LINK_BRIDGE)
		return resolve_bridge(net, link, depth + 1, ret);
	return UPPER_OUTSIDE;
}

enum upper upper_resolve(const struct state *s, const struct netlink_link *links,
			 size_t n, unsigned int ifindex, struct upper_way *ret)
{
	const struct network net = { s, links, n };

	return resolve(&net, ifindex, 0, ret);
}

const char *upper_explain(enum upper why, const char **ret_remedy)
{
	switch (why) {
	case UPPER_CLEAR:
		*ret_remedy = "run 'lbctl chain attach' of the interface below it again";
		return "which came after the chain was attached below it";
	case UPPER_PORTS:
		*ret_remedy = "'lbctl chain detach' all of its ports but one";
		return "a bridge that has the chain on several ports";
	case UPPER_FILTERS:
		*ret_remedy = "switch its vlan_filtering off, or route past it";
		return "a bridge that filters by VLAN";
	case UPPER_TAGS:
		*ret_remedy = "route past it";
		return "which puts more than two VLAN tags on a frame";
	case UPPER_OUTSIDE:
		break;
	}
	*ret_remedy = "'lbctl chain attach' it, too";
	return "where the chain is not";
}

/* ---- records ---------------------------------------------------------------------------- */

static int enter(struct state *s, const struct netlink_link *link,
		 const struct upper_way *way)
{
	struct lb_device *d = devices_find(s, link->ifindex);
	struct lb_device wanted = {
		.ifindex = link->ifindex,
		.out = way->out,
		.flags = LB_DEVICE_F_UPPER,
	};

	if (!d)
		d = devices_find(s, 0);
	if (!d)
		return 0; /* doctor and problems say what is missing */
	memcpy(wanted.mac, link->mac, sizeof(wanted.mac));
	memcpy(wanted.name, link->name, sizeof(wanted.name));
	memcpy(wanted.tag, way->tag, sizeof(wanted.tag));
	return devices_write(s, d, &wanted);
}

/* Is one of the ways by @ifindex tagged? */
static void set_tags(struct state *s, const bool *is_tagged)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		struct lb_device *d = &s->devices[i];
		__u32 flags = d->flags & ~LB_DEVICE_F_TAGS;

		if (!device_is_attached(d))
			continue;
		if (is_tagged[i])
			flags |= LB_DEVICE_F_TAGS;
		if (d->flags != flags)
			__atomic_store_n(&d->flags, flags, __ATOMIC_RELEASE);
	}
}

int uppers_refresh(struct state *s)
{
	struct network net = { .s = s };
	struct netlink_link *links;
	bool is_tagged[LB_MAX_DEVICES] = {};
	struct upper_way way;
	struct lb_device *d;
	int err;
	size_t i;

	err = netlink_links(&links, &net.n);
	if (err)
		return err;
	net.links = links;
	devices_forget_gone(s);
	for (i = 0; i < net.n && !err; i++) {
		d = devices_find(s, links[i].ifindex);
		if (d && device_is_attached(d))
			continue;
		if (resolve(&net, links[i].ifindex, 0, &way)) {
			if (d)
				devices_forget(s, d);
			continue;
		}
		if (way.n_tags)
			is_tagged[devices_find(s, way.out) - s->devices] = true;
		err = enter(s, &links[i], &way);
	}
	set_tags(s, is_tagged);
	free(links);
	return err;
}
