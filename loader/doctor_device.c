// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_device.c - an interface: is it up, is the chain on it as it was put there, and does
 * the host's own stack let packets through?
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "chain.h"
#include "devices.h"
#include "doctor.h"
#include "driver.h"
#include "stages.h"
#include "tc.h"
#include "xdp_features.h"

/* ---- the chain ------------------------------------------------------------------------ */

static void check_attached(struct doctor *d, const struct patient *p)
{
	char remedy[REMEDY_SIZE];

	snprintf(remedy, sizeof(remedy), "lbctl chain detach %s, then attach it again",
		 p->name);
	if (!device_has_chain(p->dev))
		doctor_say(d, VERDICT_FAIL, "attached", p->name, remedy,
			   device_program(p->ifindex)
				   ? "another XDP program took the place of lb_entry"
				   : "somebody took lb_entry off the interface");
	else if (p->dev->how == LB_HOW_ALONE)
		doctor_say(
			d, VERDICT_WARN, "attached", p->name, NULL,
			"alone, without the dispatcher: no other XDP program can run here");
	else
		doctor_say(d, VERDICT_OK, "attached", p->name, NULL,
			   "behind the dispatcher, priority %u", p->dev->priority);
}

static void check_mode(struct doctor *d, const struct patient *p)
{
	char remedy[REMEDY_SIZE];
	__u64 features;

	snprintf(remedy, sizeof(remedy), "lbctl chain detach %s, attach %s mode native",
		 p->name, p->name);
	if (device_is_loopback(p->dev))
		doctor_say(d, VERDICT_OK, "mode", p->name, NULL, "skb, lo's only one");
	else if (p->is_native)
		doctor_say(d, VERDICT_OK, "mode", p->name, NULL, "native");
	else if (xdp_features(p->ifindex, &features))
		doctor_say(d, VERDICT_WARN, "mode", p->name,
			   "mode native, if the driver can",
			   "skb: several times slower than native");
	else if (features & XDP_FEATURE_BASIC)
		doctor_say(d, VERDICT_WARN, "mode", p->name, remedy,
			   "skb: several times slower than native, which driver %s can",
			   p->driver);
	else
		doctor_say(d, VERDICT_WARN, "mode", p->name,
			   "an interface whose driver has native XDP",
			   "skb: several times slower than native, which driver %s "
			   "cannot",
			   p->driver);
}

static __u32 stage_program(const struct state *s, const char *wanted)
{
	const char *name;
	__u32 program;
	size_t i;

	for (i = 0; (name = stages_get(s, i, &program)); i++)
		if (!strcmp(name, wanted))
			return program;
	return 0;
}

/* The two programs of tc that come with the chain: others may take them off, too. */
static void check_filters(struct doctor *d, const struct state *s,
			  const struct patient *p)
{
	static const struct {
		enum tc_side side;
		const char *stage, *where, *lost;
	} filters[] = {
		{ TC_IN, "resolve", "ingress", "first packets to a backend are lost" },
		{ TC_OUT, "local", "egress", "replies of local backends are lost" },
	};
	char remedy[REMEDY_SIZE];
	size_t i;

	snprintf(remedy, sizeof(remedy), "lbctl chain attach %s mode %s, once more",
		 p->name, attach_mode_name(p->dev->mode));
	for (i = 0; i < 2; i++) {
		if (filters[i].side == TC_OUT && device_is_loopback(p->dev))
			continue;
		if (tc_program(p->ifindex, filters[i].side) ==
		    stage_program(s, filters[i].stage))
			doctor_say(d, VERDICT_OK, "filter", p->name, NULL,
				   "lb_%s is on tc %s", filters[i].stage,
				   filters[i].where);
		else
			doctor_say(d, VERDICT_FAIL, "filter", p->name, remedy,
				   "lb_%s is not on tc %s: %s", filters[i].stage,
				   filters[i].where, filters[i].lost);
	}
}

/* ---- the interface -------------------------------------------------------------------- */

static void check_up(struct doctor *d, const struct patient *p)
{
	char remedy[REMEDY_SIZE];

	snprintf(remedy, sizeof(remedy), "ip link set %s up", p->name);
	if (interface_is_up(p->name))
		doctor_say(d, VERDICT_OK, "interface", p->name, NULL, "up");
	else
		doctor_say(d, VERDICT_FAIL, "interface", p->name, remedy,
			   "down: nothing comes or goes");
}

static void check_rp_filter(struct doctor *d, const struct patient *p)
{
	long all = doctor_read_number("/proc/sys/net/ipv4/conf/all/rp_filter");
	long own = doctor_read_number("/proc/sys/net/ipv4/conf/%s/rp_filter", p->name);
	char remedy[REMEDY_SIZE];

	snprintf(remedy, sizeof(remedy), "sysctl -w net.ipv4.conf.%s.rp_filter=2",
		 p->name);
	if ((own > all ? own : all) == 1)
		doctor_say(d, VERDICT_WARN, "rp_filter", p->name, remedy,
			   "strict: what the kernel itself gets over another way than it "
			   "answers is dropped");
	else
		doctor_say(d, VERDICT_OK, "rp_filter", p->name, NULL, "not strict");
}

static bool has_several_native(const struct state *s)
{
	int i, n = 0;

	for (i = 0; i < LB_MAX_DEVICES; i++)
		n += device_is_attached(&s->devices[i]) &&
		     s->devices[i].mode == LB_MODE_NATIVE;
	return n > 1;
}

static struct patient look_at(const struct snapshot *s, const char *name,
			      const struct lb_device *dev)
{
	struct patient p = {
		.name = name,
		.ifindex = if_nametoindex(name),
		.dev = dev,
		.driver = "?",
		.is_native = !dev || dev->mode == LB_MODE_NATIVE,
	};
	struct ethtool_drvinfo info;

	p.gets_others = s && dev && p.is_native && has_several_native(&s->state);
	if (driver_info(name, &info)) {
		memcpy(p.driver, info.driver, sizeof(p.driver) - 1);
		memcpy(p.bus, info.bus_info, sizeof(p.bus) - 1);
	}
	return p;
}

void doctor_device(struct doctor *d, const struct snapshot *s, const char *name,
		   const struct lb_device *dev)
{
	struct patient p = look_at(s, name, dev);
	char remedy[REMEDY_SIZE];

	if (dev && p.ifindex != dev->ifindex) {
		snprintf(remedy, sizeof(remedy), "lbctl chain %s %s",
			 p.ifindex ? "attach" : "detach", name);
		doctor_say(d, VERDICT_FAIL, "interface", name, remedy, "%s",
			   p.ifindex ? "was deleted and made anew" : "it is gone");
		return;
	}
	check_up(d, &p);
	if (dev) {
		check_attached(d, &p);
		check_mode(d, &p);
		check_filters(d, &s->state, &p);
	}
	doctor_programs(d, s, &p);
	check_rp_filter(d, &p);
	doctor_driver(d, &p);
	if (!strcmp(p.driver, "veth"))
		doctor_veth(d, &p);
}
