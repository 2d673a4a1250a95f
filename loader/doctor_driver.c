// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_driver.c - an interface's driver: can it run the chain, does it share packets out
 * to all CPUs, and does it merge or strip them before the chain sees them?
 */
#include <glob.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "driver.h"
#include "netlink.h"
#include "xdp_features.h"

/* Of <linux/virtio_net.h>: what the hypervisor may hand over. */
enum { GUEST_CSUM = 1, CTRL_GUEST_OFFLOADS = 2, GUEST_TSO4 = 7, GUEST_TSO6 = 8 };

/* ---- XDP ------------------------------------------------------------------------------- */

static void check_native(struct doctor *d, const struct patient *p)
{
	__u64 features;
	int err = xdp_features(p->ifindex, &features);

	if (p->dev)
		return; /* it is attached, in one way or the other */
	if (err)
		doctor_say(
			d, VERDICT_OK, "native", p->name, NULL,
			"driver %s; this kernel does not say whether it has native XDP",
			p->driver);
	else if (features & XDP_FEATURE_BASIC)
		doctor_say(d, VERDICT_OK, "native", p->name, NULL,
			   "driver %s has native XDP", p->driver);
	else
		doctor_say(d, VERDICT_WARN, "native", p->name, "mode skb",
			   "driver %s has no native XDP here", p->driver);
}

/* Failures after XDP_REDIRECT has returned are in nobody's counters. */
static void check_redirect(struct doctor *d, const struct patient *p)
{
	__u64 features;

	if (!p->gets_others || xdp_features(p->ifindex, &features))
		return;
	if (features & XDP_FEATURE_TAKES_FRAMES)
		doctor_say(d, VERDICT_OK, "redirect", p->name, NULL,
			   "takes frames that came by other interfaces");
	else
		doctor_say(d, VERDICT_FAIL, "redirect", p->name,
			   strcmp(p->driver, "veth")
				   ? "mode skb"
				   : "XDP or GRO on its other end, or mode skb",
			   "frames that came by other interfaces are lost: its driver "
			   "takes none");
}

/* ---- queues ------------------------------------------------------------------------------ */

static unsigned int queues_of(const struct patient *p, unsigned int *ret_most,
			      const char **ret_word)
{
	struct ethtool_channels c;

	if (!driver_channels(p->name, &c))
		return 0;
	*ret_most = c.max_combined ? c.max_combined : c.max_rx;
	*ret_word = c.max_combined ? "combined" : "rx";
	return c.rx_count + c.combined_count;
}

static void check_queues(struct doctor *d, const struct patient *p)
{
	unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN), most = 0, want;
	const char *word = "";
	unsigned int queues = queues_of(p, &most, &word);
	char remedy[REMEDY_SIZE];

	if (!queues || !p->is_native)
		return;
	want = most < cpus ? most : cpus;
	snprintf(remedy, sizeof(remedy), "ethtool -L %s %s %u", p->name, word, want);
	if (queues < want)
		doctor_say(d, VERDICT_WARN, "queues", p->name, remedy,
			   "%u of %u receive queues for %u CPUs: no more CPUs than that "
			   "run the chain",
			   queues, most, cpus);
	else if (queues == 1 && cpus > 1)
		doctor_say(d, VERDICT_WARN, "queues", p->name,
			   "an interface with several queues",
			   "1 receive queue, for %u CPUs: one of them does all", cpus);
	else
		doctor_say(d, VERDICT_OK, "queues", p->name, NULL,
			   "%u receive queues for %u CPUs", queues, cpus);
}

static void check_spread(struct doctor *d, const struct patient *p)
{
	unsigned int most = 0, used = driver_spread(p->name);
	const char *word = "";
	unsigned int queues = queues_of(p, &most, &word);
	char remedy[REMEDY_SIZE];

	if (!used || queues < 2)
		return;
	snprintf(remedy, sizeof(remedy), "ethtool -X %s equal %u", p->name, queues);
	if (used < queues)
		doctor_say(d, VERDICT_WARN, "rss", p->name, remedy,
			   "only %u of %u receive queues get packets", used, queues);
	else
		doctor_say(d, VERDICT_OK, "rss", p->name, NULL,
			   "all %u receive queues get packets", queues);

	snprintf(remedy, sizeof(remedy), "ethtool -N %s rx-flow-hash udp4 sdfn", p->name);
	if (!driver_spreads_udp_ports(p->name))
		doctor_say(d, VERDICT_WARN, "rss", p->name, remedy,
			   "UDP is spread by addresses alone: one client, one CPU");
}

/* ---- merged packets ---------------------------------------------------------------------- */

static bool is_virtio(const struct patient *p)
{
	return !strcmp(p->driver, "virtio_net");
}

/* In skb mode the kernel switches both off, in native mode most drivers do or refuse; then
 * somebody may switch them on again. */
static void check_merging(struct doctor *d, const struct patient *p)
{
	static const struct {
		const char *check, *feature;
	} mergers[] = { { "lro", "rx-lro" }, { "gro-hw", "rx-gro-hw" } };
	char remedy[REMEDY_SIZE];
	size_t i;

	for (i = 0; i < 2 && !is_virtio(p); i++) {
		int on = driver_feature(p->name, mergers[i].feature);

		snprintf(remedy, sizeof(remedy), "ethtool -K %s %s off", p->name,
			 mergers[i].feature);
		if (on > 0)
			doctor_say(d, p->dev ? VERDICT_FAIL : VERDICT_WARN,
				   mergers[i].check, p->name, remedy,
				   "on: packets are merged before the chain sees them");
		else if (!on)
			doctor_say(d, VERDICT_OK, mergers[i].check, p->name, NULL, "off");
	}
}

/* GRO is not done where the program is, but what is below may do it. */
static void check_below(struct doctor *d, const struct patient *p)
{
	struct netlink_link *links;
	char remedy[REMEDY_SIZE];
	unsigned int below = 0;
	size_t n, i;

	if (p->is_native || netlink_links(&links, &n))
		return;
	for (i = 0; i < n; i++)
		if (links[i].ifindex == p->ifindex)
			below = links[i].below;
	for (i = 0; i < n; i++) {
		bool is_below = links[i].master == p->ifindex ||
				(below && links[i].ifindex == below);

		if (!is_below || !strcmp(p->driver, "veth"))
			continue;
		snprintf(remedy, sizeof(remedy), "ethtool -K %s gro off", links[i].name);
		if (driver_feature(links[i].name, "rx-gro") > 0)
			doctor_say(
				d, VERDICT_WARN, "gro", p->name, remedy,
				"%s below it merges packets before the chain sees them",
				links[i].name);
		else
			doctor_say(d, VERDICT_OK, "gro", p->name, NULL,
				   "%s below it does not merge packets", links[i].name);
	}
	free(links);
}

static void check_tags(struct doctor *d, const struct patient *p)
{
	int on = driver_feature(p->name, "rx-vlan-hw-parse");
	char remedy[REMEDY_SIZE];

	snprintf(remedy, sizeof(remedy), "ethtool -K %s rxvlan off", p->name);
	if (on > 0)
		doctor_say(d, VERDICT_WARN, "vlan-offload", p->name, remedy,
			   "on: the VLAN tag of a packet is hidden from the chain");
	else if (!on)
		doctor_say(d, VERDICT_OK, "vlan-offload", p->name, NULL, "off");
}

/* ---- virtio ------------------------------------------------------------------------------- */

/* What was agreed with the hypervisor, as '0' and '1'; not in /sys/class/net, which is of
 * the network namespace that it was mounted in. */
static bool read_virtio(const char *bus, char *ret, size_t size)
{
	char pattern[128];
	glob_t found = {};
	FILE *f = NULL;
	bool ok;

	snprintf(pattern, sizeof(pattern), "/sys/bus/*/devices/%s/virtio*/features", bus);
	if (!glob(pattern, 0, NULL, &found))
		f = fopen(found.gl_pathv[0], "re");
	ok = f && fgets(ret, size, f) && strlen(ret) > GUEST_TSO6;
	if (f)
		fclose(f);
	globfree(&found);
	return ok;
}

/* The kernel tells the hypervisor to stop merging when a program is attached, if it can. */
static void check_virtio(struct doctor *d, const struct patient *p)
{
	char bits[128] = "";
	bool may_switch, merges;

	if (!is_virtio(p) || !read_virtio(p->bus, bits, sizeof(bits)))
		return;
	may_switch = bits[CTRL_GUEST_OFFLOADS] == '1';
	merges = bits[GUEST_TSO4] == '1' || bits[GUEST_TSO6] == '1';
	if (merges && !may_switch && p->is_native && !p->dev)
		doctor_say(d, VERDICT_FAIL, "virtio", p->name,
			   "guest_tso4=off,guest_tso6=off in the hypervisor, or mode skb",
			   "native XDP is refused: the hypervisor merges packets, and "
			   "cannot be told not to");
	else if (merges && !p->is_native &&
		 (!may_switch || driver_feature(p->name, "rx-gro-hw") > 0))
		doctor_say(d, VERDICT_FAIL, "virtio", p->name,
			   "guest_tso4=off,guest_tso6=off in the hypervisor",
			   "the hypervisor merges packets before the chain sees them");
	else
		doctor_say(d, VERDICT_OK, "virtio", p->name, NULL,
			   "the hypervisor hands the chain packets as they are");
}

void doctor_driver(struct doctor *d, const struct patient *p)
{
	check_native(d, p);
	check_redirect(d, p);
	check_queues(d, p);
	check_spread(d, p);
	check_merging(d, p);
	check_below(d, p);
	check_tags(d, p);
	check_virtio(d, p);
}
