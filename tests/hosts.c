// SPDX-License-Identifier: GPL-2.0-only
/*
 * hosts.c - make the namespace of hosts.h with iproute2.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "hosts.h"
#include "world.h"

__u32 hosts_front, hosts_back;

/* Read by `ip -batch`. */
static const char setup[] =
	"link set lo up\n"
	"link add front address " FRONT_MAC " type veth peer name front-end\n"
	"link add back address " BACK_MAC " type veth peer name back-end\n"
	"link set front-end up\n"
	"link set back-end up\n"
	"link set front up\n"
	"link set back up\n"
	"addr add 192.0.2.1/24 dev front\n"
	"addr add 10.0.0.10/24 dev back\n"
	"addr add 2001:db8:c::1/64 dev front nodad\n"
	"addr add 2001:db8::10/64 dev back nodad\n"
	"route add 198.51.100.0/24 via 192.0.2.254\n"
	"route add 2001:db8:f::/64 via 2001:db8:c::fe\n"
	"neigh add " BACKEND1 " lladdr " BACKEND1_MAC " dev back nud permanent\n"
	"neigh add " BACKEND2 " lladdr " BACKEND2_MAC " dev back nud permanent\n"
	"neigh add " BACKEND3 " lladdr " BACKEND3_MAC " dev back nud permanent\n"
	"neigh add " CLIENT " lladdr " CLIENT_MAC " dev back nud permanent\n"
	"neigh add " FAR_CLIENT " lladdr " FAR_CLIENT_MAC " dev front nud permanent\n"
	"neigh add 192.0.2.254 lladdr " ROUTER_MAC " dev front nud permanent\n"
	"neigh add " BACKEND1_6 " lladdr " BACKEND1_MAC " dev back nud permanent\n"
	"neigh add " BACKEND2_6 " lladdr " BACKEND2_MAC " dev back nud permanent\n"
	"neigh add " BACKEND3_6 " lladdr " BACKEND3_MAC " dev back nud permanent\n"
	"neigh add " CLIENT6 " lladdr " CLIENT_MAC " dev back nud permanent\n"
	"neigh add " FAR_CLIENT6 " lladdr " FAR_CLIENT_MAC " dev front nud permanent\n"
	"neigh add 2001:db8:c::fe lladdr " ROUTER_MAC " dev front nud permanent\n";

static void set_sysctl(const char *path, const char *value)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(value, f) < 0 || fclose(f))
		fail_msg("%s: cannot write", path);
}

void hosts_run(const char *command)
{
	int status = system(command);

	if (status)
		fail_msg("'%s' failed: status %d", command, status);
}

void hosts_open(void)
{
	FILE *ip;

	if (unshare(CLONE_NEWNET))
		fail_msg("cannot make a network namespace: run as root");
	set_sysctl("/proc/sys/net/ipv4/ip_forward", "0");
	set_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "0");
	set_sysctl("/proc/sys/net/ipv4/conf/lo/forwarding", "1");
	set_sysctl("/proc/sys/net/ipv6/conf/lo/forwarding", "1");

	ip = popen("ip -batch -", "w");
	assert_non_null(ip);
	assert_true(fputs(setup, ip) >= 0);
	assert_int_equal(pclose(ip), 0);
	hosts_front = if_nametoindex("front");
	hosts_back = if_nametoindex("back");
	assert_true(hosts_front && hosts_back);
}

void hosts_add_devices(struct stage *s)
{
	static const __u8 front[] = { 2, 0, 0, 0, 0xf0, 1 },
			  back[] = { 2, 0, 0, 0, 0xba, 1 };

	world_add_device(s, hosts_front, front);
	world_add_device(s, hosts_back, back);
}
