// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_device.c - an interface: is the chain on it, and does nothing there hide packets
 * from it or spoil what it sends?
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chain.h"
#include "devices.h"
#include "doctor.h"
#include "netlink.h"

#define REMEDY_SIZE 96

/* @data begins with the command; false: the driver does not say. */
static bool ask_driver(const char *name, void *data)
{
	struct ifreq request = { .ifr_data = data };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return false;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	err = ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	return !err;
}

static bool ask_value(const char *name, __u32 command, __u32 *ret)
{
	struct ethtool_value value = { .cmd = command };

	if (!ask_driver(name, &value))
		return false;
	*ret = value.data;
	return true;
}

static void check_attached(struct doctor *d, const struct lb_device *dev)
{
	__u32 program = device_program(dev->ifindex);

	if (!device_has_chain(dev))
		doctor_say(d, VERDICT_FAIL, "attached", dev->name,
			   "lbctl chain detach and attach it",
			   program ? "another XDP program took the place of lb_entry"
				   : "somebody took lb_entry off the interface");
	else if (dev->how == LB_HOW_ALONE)
		doctor_say(
			d, VERDICT_WARN, "attached", dev->name, NULL,
			"alone, without the dispatcher: no other XDP program can run here");
	else
		doctor_say(d, VERDICT_OK, "attached", dev->name, NULL,
			   "behind the dispatcher, priority %u", dev->priority);

	if (device_is_loopback(dev))
		doctor_say(d, VERDICT_OK, "mode", dev->name, NULL, "skb, lo's only one");
	else if (dev->mode == LB_MODE_SKB)
		doctor_say(d, VERDICT_WARN, "mode", dev->name,
			   "mode native, if the driver can",
			   "skb: several times slower than native");
	else
		doctor_say(d, VERDICT_OK, "mode", dev->name, NULL, "native");
}

static void check_rp_filter(struct doctor *d, const char *name)
{
	long all = doctor_read_number("/proc/sys/net/ipv4/conf/all/rp_filter");
	long own = doctor_read_number("/proc/sys/net/ipv4/conf/%s/rp_filter", name);
	char remedy[REMEDY_SIZE];

	snprintf(remedy, sizeof(remedy), "sysctl -w net.ipv4.conf.%s.rp_filter=2", name);
	if ((own > all ? own : all) == 1)
		doctor_say(d, VERDICT_WARN, "rp_filter", name, remedy,
			   "strict: what the kernel itself gets over another way than it "
			   "answers is dropped");
	else
		doctor_say(d, VERDICT_OK, "rp_filter", name, NULL, "not strict");
}

/*
 * A veth's other end takes what XDP sends back only if it has an XDP program itself.  With
 * GRO alone the packets are queued there and nobody is woken (veth_xdp_flush).
 */
static void check_veth(struct doctor *d, const char *name)
{
	static const char remedy[] = "attach an XDP program that passes all there";
	unsigned int peer = netlink_peer(if_nametoindex(name));
	char other[IF_NAMESIZE];

	if (!peer || !if_indextoname(peer, other))
		doctor_say(d, VERDICT_WARN, "veth", name, remedy,
			   "its other end is in another namespace; it must have an XDP "
			   "program, or what is sent back is lost");
	else if (device_program(peer))
		doctor_say(d, VERDICT_OK, "veth", name, NULL,
			   "its other end %s has an XDP program", other);
	else
		doctor_say(d, VERDICT_FAIL, "veth", name, remedy,
			   "its other end %s has no XDP program: what is sent back is "
			   "lost",
			   other);
}

static void check_checksum(struct doctor *d, const char *name)
{
	char remedy[REMEDY_SIZE];
	__u32 on;

	if (!ask_value(name, ETHTOOL_GTXCSUM, &on))
		return;
	snprintf(remedy, sizeof(remedy), "ethtool -K %s tx off, on both ends", name);
	if (on)
		doctor_say(d, VERDICT_WARN, "tx-checksum", name, remedy,
			   "on: local programs' packets have unfinished checksums, which "
			   "others refuse after native XDP");
	else
		doctor_say(d, VERDICT_OK, "tx-checksum", name, NULL, "off");
}

static void check_flags(struct doctor *d, const char *name)
{
	char remedy[REMEDY_SIZE];
	__u32 flags;

	if (!ask_value(name, ETHTOOL_GFLAGS, &flags))
		return;
	snprintf(remedy, sizeof(remedy), "ethtool -K %s rxvlan off", name);
	if (flags & ETH_FLAG_RXVLAN)
		doctor_say(d, VERDICT_WARN, "vlan-offload", name, remedy,
			   "on: the VLAN tag of a packet is hidden from the chain");
	else
		doctor_say(d, VERDICT_OK, "vlan-offload", name, NULL, "off");

	snprintf(remedy, sizeof(remedy), "ethtool -K %s lro off", name);
	if (flags & ETH_FLAG_LRO)
		doctor_say(d, VERDICT_FAIL, "lro", name, remedy,
			   "on: packets are merged before they are forwarded");
}

void doctor_device(struct doctor *d, const char *name, const struct lb_device *dev)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	bool is_native = !dev || dev->mode == LB_MODE_NATIVE;

	if (!if_nametoindex(name)) {
		doctor_say(d, VERDICT_FAIL, "interface", name, "lbctl chain detach it",
			   "it is gone");
		return;
	}
	if (interface_is_up(name))
		doctor_say(d, VERDICT_OK, "interface", name, NULL, "up");
	else
		doctor_say(d, VERDICT_FAIL, "interface", name, "ip link set it up",
			   "down: nothing comes or goes");

	if (dev)
		check_attached(d, dev);
	else if (device_program(if_nametoindex(name)))
		doctor_say(d, VERDICT_WARN, "attached", name,
			   "see 'lbctl chain show DEV'",
			   "not attached, and there is another XDP program");
	check_rp_filter(d, name);
	if (ask_driver(name, &driver) && !strcmp(driver.driver, "veth")) {
		if (is_native)
			check_veth(d, name);
		check_checksum(d, name);
	}
	check_flags(d, name);
}
