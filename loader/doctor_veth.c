// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_veth.c - a veth, whose other end may spoil what goes and hide what comes.
 */
#include <net/if.h>
#include <stdio.h>

#include "doctor.h"
#include "driver.h"
#include "netlink.h"

/*
 * The other end takes what XDP sends back only if it has an XDP program itself.  With GRO
 * alone the packets are queued there and nobody is woken (veth_xdp_flush).
 */
static void check_program(struct doctor *d, const struct patient *p,
			  const struct netlink_peer *peer)
{
	const char *where = peer->elsewhere ? ", in another namespace," : "";

	if (peer->has_xdp)
		doctor_say(d, VERDICT_OK, "veth", p->name, NULL,
			   "its other end %s%s has an XDP program", peer->name, where);
	else
		doctor_say(d, VERDICT_FAIL, "veth", p->name,
			   "attach an XDP program that passes all there",
			   "its other end %s%s has no XDP program: what is sent back is "
			   "lost",
			   peer->name, where);
}

static void check_checksum(struct doctor *d, const char *name)
{
	int on = driver_finishes_checksums(name);
	char remedy[REMEDY_SIZE];

	if (on < 0)
		return;
	snprintf(remedy, sizeof(remedy), "ethtool -K %s tx off, on both ends", name);
	if (on)
		doctor_say(d, VERDICT_WARN, "tx-checksum", name, remedy,
			   "on: local programs' packets have unfinished checksums, which "
			   "others refuse after native XDP");
	else
		doctor_say(d, VERDICT_OK, "tx-checksum", name, NULL, "off");
}

/* A tag that the other end would insert is beside the packet, where XDP does not look. */
static void check_tags(struct doctor *d, const struct netlink_peer *peer)
{
	char remedy[REMEDY_SIZE];

	snprintf(remedy, sizeof(remedy), "ethtool -K %s txvlan off", peer->name);
	if (driver_feature(peer->name, "tx-vlan-hw-insert") > 0)
		doctor_say(d, VERDICT_WARN, "vlan-offload", peer->name, remedy,
			   "on: the VLAN tag of a packet from there is hidden from the "
			   "chain");
	else
		doctor_say(d, VERDICT_OK, "vlan-offload", peer->name, NULL, "off");
}

void doctor_veth(struct doctor *d, const struct patient *p)
{
	struct netlink_peer peer;
	int err = netlink_peer(p->ifindex, &peer);

	check_checksum(d, p->name);
	if (err) {
		doctor_say(d, VERDICT_WARN, "veth", p->name,
			   "attach an XDP program that passes all there",
			   "its other end cannot be seen; it must have an XDP program, "
			   "or what is sent back is lost");
		return;
	}
	if (p->is_native)
		check_program(d, p, &peer);
	if (peer.elsewhere)
		return;
	check_checksum(d, peer.name);
	check_tags(d, &peer);
}
