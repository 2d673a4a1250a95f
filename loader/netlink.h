/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * netlink.h - what lbctl asks rtnetlink: interfaces, routes, neighbours.
 */
#ifndef LB_NETLINK_H
#define LB_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include "address.h"

struct netlink_route {
	unsigned int ifindex;	 /* where it leaves */
	struct address next_hop; /* the gateway, or the destination itself */
	struct address source;	 /* that packets of the host's own have; family 0: none */
	bool is_local;		 /* an address of this host */
};

enum netlink_kind { LINK_OTHER, LINK_VLAN, LINK_BRIDGE };

struct netlink_link {
	unsigned int ifindex;
	unsigned int below;  /* the interface that it is made on, 0: none here */
	unsigned int master; /* the bridge that it is a port of, or 0 */
	unsigned int mtu;
	enum netlink_kind kind;
	__be16 vlan_type; /* ETH_P_8021Q or _8021AD */
	__u16 vlan;
	bool filters; /* a bridge: by VLAN */
	__u8 mac[6];
	char name[16];
};

/* The other end of a veth. */
struct netlink_peer {
	unsigned int ifindex;
	bool elsewhere; /* in another network namespace */
	bool has_xdp;
	char name[16];
};

/* Send @request to the family @bus and hand each answer to @take; 0 or -errno. */
int netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t take, void *arg);
/* All interfaces; the caller frees.  0 or -errno. */
int netlink_links(struct netlink_link **ret, size_t *ret_n);
/* 0 or -errno; -ENODEV: there is none. */
int netlink_peer(unsigned int ifindex, struct netlink_peer *ret);
/* 0 or -errno; -ENETUNREACH: there is no route. */
int netlink_route(const struct address *to, struct netlink_route *ret);
/* NUD_* of the neighbour, 0: there is no entry; or -errno.  @ret_mac may be NULL. */
int netlink_neighbour(const struct address *a, unsigned int ifindex, __u8 *ret_mac);

#endif /* LB_NETLINK_H */
