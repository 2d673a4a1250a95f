// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink.c - what lbctl asks rtnetlink: interfaces, routes, neighbours.
 */
#include "netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_SIZE 256
#define ANSWER_SIZE  32768 /* a dump's messages are as large as the reader's buffer */

int netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t take, void *arg)
{
	char buffer[ANSWER_SIZE];
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	unsigned int port;
	ssize_t n;
	int err = -1;

	if (!nl)
		return -errno;

	request->nlmsg_seq = 1;
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (!mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) &&
	    mnl_socket_sendto(nl, request, request->nlmsg_len) > 0) {
		port = mnl_socket_get_portid(nl);
		do {
			n = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));
			err = n < 0 ? -1 : mnl_cb_run(buffer, n, 1, port, take, arg);
		} while (err > MNL_CB_STOP);
	}
	err = err < 0 ? -errno : 0;
	mnl_socket_close(nl);
	return err;
}

static int ask(struct nlmsghdr *request, mnl_cb_t take, void *arg)
{
	return netlink_ask(NETLINK_ROUTE, request, take, arg);
}

static int family_of(const struct address *a)
{
	return a->family == 4 ? AF_INET : AF_INET6;
}

static size_t size_of(const struct address *a)
{
	return a->family == 4 ? 4 : 16;
}

/* What is asked of one interface. */
struct one_link {
	unsigned int link; /* the other end */
	int namespace;	   /* of it, -1: this one */
	bool has_xdp;
	char name[16];
};

static bool says_xdp(const struct nlattr *xdp)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, xdp)
		if (mnl_attr_get_type(attr) == IFLA_XDP_ATTACHED)
			return mnl_attr_get_u8(attr) != XDP_ATTACHED_NONE;
	return false;
}

static int take_link(const struct nlmsghdr *answer, void *arg)
{
	struct one_link *one = arg;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, answer, sizeof(struct ifinfomsg)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_LINK:
			one->link = mnl_attr_get_u32(attr);
			break;
		case IFLA_LINK_NETNSID:
			one->namespace = mnl_attr_get_u32(attr);
			break;
		case IFLA_XDP:
			one->has_xdp = says_xdp(attr);
			break;
		case IFLA_IFNAME:
			strncpy(one->name, mnl_attr_get_str(attr), sizeof(one->name) - 1);
			break;
		}
	}
	return MNL_CB_OK;
}

/* @namespace is the kernel's id for it here, -1: this one. */
static int ask_link(unsigned int ifindex, int namespace, struct one_link *ret)
{
	char buffer[REQUEST_SIZE] = {};
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *link;

	*ret = (struct one_link){ .namespace = -1 };
	request->nlmsg_type = RTM_GETLINK;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_index = ifindex;
	if (namespace >= 0)
		mnl_attr_put_u32(request, IFLA_TARGET_NETNSID, namespace);
	return ask(request, take_link, ret);
}

int netlink_peer(unsigned int ifindex, struct netlink_peer *ret)
{
	struct one_link one, peer;
	int err = ask_link(ifindex, -1, &one);

	if (!err && !one.link)
		err = -ENODEV;
	if (!err)
		err = ask_link(one.link, one.namespace, &peer);
	if (err)
		return err;
	*ret = (struct netlink_peer){ .ifindex = one.link,
				      .elsewhere = one.namespace >= 0,
				      .has_xdp = peer.has_xdp };
	memcpy(ret->name, peer.name, sizeof(ret->name));
	return 0;
}

struct links {
	struct netlink_link *links;
	size_t n;
};

static void read_vlan(const struct nlattr *data, struct netlink_link *ret)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data) {
		if (mnl_attr_get_type(attr) == IFLA_VLAN_ID)
			ret->vlan = mnl_attr_get_u16(attr);
		else if (mnl_attr_get_type(attr) == IFLA_VLAN_PROTOCOL)
			ret->vlan_type = mnl_attr_get_u16(attr);
	}
}

static void read_bridge(const struct nlattr *data, struct netlink_link *ret)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data)
		if (mnl_attr_get_type(attr) == IFLA_BR_VLAN_FILTERING)
			ret->filters = mnl_attr_get_u8(attr);
}

static void read_kind(const struct nlattr *info, struct netlink_link *ret)
{
	const struct nlattr *attr, *data = NULL;
	const char *kind = "";

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			kind = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (!strcmp(kind, "vlan"))
		ret->kind = LINK_VLAN;
	else if (!strcmp(kind, "bridge"))
		ret->kind = LINK_BRIDGE;
	if (data && ret->kind == LINK_VLAN)
		read_vlan(data, ret);
	else if (data && ret->kind == LINK_BRIDGE)
		read_bridge(data, ret);
}

static void read_link(const struct nlattr *attr, struct netlink_link *ret,
		      bool *ret_elsewhere)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		strncpy(ret->name, mnl_attr_get_str(attr), sizeof(ret->name) - 1);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(ret->mac))
			memcpy(ret->mac, mnl_attr_get_payload(attr), sizeof(ret->mac));
		break;
	case IFLA_MTU:
		ret->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_MASTER:
		ret->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		ret->below = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		*ret_elsewhere = true;
		break;
	case IFLA_LINKINFO:
		read_kind(attr, ret);
		break;
	}
}

static int take_links(const struct nlmsghdr *answer, void *arg)
{
	const struct ifinfomsg *message = mnl_nlmsg_get_payload(answer);
	struct netlink_link link = { .ifindex = message->ifi_index }, *grown;
	const struct nlattr *attr;
	struct links *all = arg;
	bool elsewhere = false;

	mnl_attr_for_each(attr, answer, sizeof(*message))
		read_link(attr, &link, &elsewhere);
	if (elsewhere)
		link.below = 0;
	grown = reallocarray(all->links, all->n + 1, sizeof(*grown));
	if (!grown) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	all->links = grown;
	grown[all->n++] = link;
	return MNL_CB_OK;
}

int netlink_links(struct netlink_link **ret, size_t *ret_n)
{
	char buffer[REQUEST_SIZE] = {};
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct links all = {};
	int err;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	err = ask(request, take_links, &all);
	if (err) {
		free(all.links);
		return err;
	}
	*ret = all.links;
	*ret_n = all.n;
	return 0;
}

static void copy_address(const struct nlattr *attr, __u8 family, struct address *ret)
{
	size_t n = mnl_attr_get_payload_len(attr);

	if (n != (family == 4 ? 4 : 16))
		return;
	memset(ret, 0, sizeof(*ret));
	ret->family = family;
	memcpy(ret->word, mnl_attr_get_payload(attr), n);
}

/* RTA_VIA: the gateway of a route is of the other family. */
static void copy_via(const struct nlattr *attr, struct address *ret)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);
	bool is4 = via->rtvia_family == AF_INET;

	if (mnl_attr_get_payload_len(attr) < sizeof(*via) + (is4 ? 4 : 16))
		return;
	memset(ret, 0, sizeof(*ret));
	ret->family = is4 ? 4 : 6;
	memcpy(ret->word, via->rtvia_addr, is4 ? 4 : 16);
}

static int take_route(const struct nlmsghdr *answer, void *arg)
{
	const struct rtmsg *message = mnl_nlmsg_get_payload(answer);
	struct netlink_route *route = arg;
	struct nlattr *attr;

	route->is_local = message->rtm_type == RTN_LOCAL;
	mnl_attr_for_each(attr, answer, sizeof(*message)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_OIF:
			route->ifindex = mnl_attr_get_u32(attr);
			break;
		case RTA_PREFSRC:
			copy_address(attr, message->rtm_family == AF_INET ? 4 : 6,
				     &route->source);
			break;
		case RTA_GATEWAY:
			copy_address(attr, route->next_hop.family, &route->next_hop);
			break;
		case RTA_VIA:
			copy_via(attr, &route->next_hop);
			break;
		}
	}
	return MNL_CB_OK;
}

int netlink_route(const struct address *to, struct netlink_route *ret)
{
	char buffer[REQUEST_SIZE] = {};
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *message;

	memset(ret, 0, sizeof(*ret));
	ret->next_hop = *to;

	request->nlmsg_type = RTM_GETROUTE;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->rtm_family = family_of(to);
	message->rtm_dst_len = 8 * size_of(to);
	mnl_attr_put(request, RTA_DST, size_of(to), to->word);
	return ask(request, take_route, ret);
}

struct neighbour {
	int state;
	__u8 mac[6];
};

static int take_neighbour(const struct nlmsghdr *answer, void *arg)
{
	const struct ndmsg *message = mnl_nlmsg_get_payload(answer);
	struct neighbour *n = arg;
	const struct nlattr *attr;

	if (answer->nlmsg_type != RTM_NEWNEIGH)
		return MNL_CB_OK;
	n->state = message->ndm_state;
	mnl_attr_for_each(attr, answer, sizeof(*message))
		if (mnl_attr_get_type(attr) == NDA_LLADDR &&
		    mnl_attr_get_payload_len(attr) == sizeof(n->mac))
			memcpy(n->mac, mnl_attr_get_payload(attr), sizeof(n->mac));
	return MNL_CB_OK;
}

int netlink_neighbour(const struct address *a, unsigned int ifindex, __u8 *ret_mac)
{
	char buffer[REQUEST_SIZE] = {};
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ndmsg *message;
	struct neighbour n = {};
	int err;

	request->nlmsg_type = RTM_GETNEIGH;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ndm_family = family_of(a);
	message->ndm_ifindex = ifindex;
	mnl_attr_put(request, NDA_DST, size_of(a), a->word);
	err = ask(request, take_neighbour, &n);
	if (err == -ENOENT)
		return 0;
	if (ret_mac)
		memcpy(ret_mac, n.mac, sizeof(n.mac));
	return err ? err : n.state;
}
