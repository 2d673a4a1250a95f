/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hosts.h - a network namespace in which next hops resolve, for test runs that send.
 *
 * bpf_fib_lookup() asks the routing and neighbour tables of the test's own namespace,
 * so the hosts that the packets are about exist here as permanent neighbours on two
 * veth devices.  The namespace has no name and ends with the test.
 *
 *	front	192.0.2.1/24	2001:db8:c::1/64	clients
 *	back	10.0.0.10/24	2001:db8::10/64		the service, backends, near clients
 *
 * IP forwarding is off but on lo, as `lbctl chain attach` leaves it.
 */
#ifndef TEST_HOSTS_H
#define TEST_HOSTS_H

#include <linux/types.h>

/* clang-format off */
#define SERVICE		"10.0.0.10"
#define BACKEND1	"10.0.0.2"
#define BACKEND2	"10.0.0.3"
#define BACKEND3	"10.0.0.4"
#define SILENT		"10.0.0.66"	/* on back; nobody knows its MAC */
#define CLIENT		"10.0.0.7"	/* on back: one-armed */
#define FAR_CLIENT	"192.0.2.7"	/* on front */
#define REMOTE_CLIENT	"198.51.100.7"	/* behind the router 192.0.2.254 */
#define LOST_CLIENT	"203.0.113.7"	/* no route */

#define SERVICE6	"2001:db8::10"
#define BACKEND1_6	"2001:db8::2"
#define BACKEND2_6	"2001:db8::3"
#define BACKEND3_6	"2001:db8::4"
#define SILENT6		"2001:db8::66"
#define CLIENT6		"2001:db8::7"
#define FAR_CLIENT6	"2001:db8:c::7"
#define REMOTE_CLIENT6	"2001:db8:f::7"	/* behind 2001:db8:c::fe */
#define LOST_CLIENT6	"2001:db8:dead::7"

#define FRONT_MAC	"02:00:00:00:f0:01"
#define BACK_MAC	"02:00:00:00:ba:01"
#define BACKEND1_MAC	"02:00:00:00:00:02"
#define BACKEND2_MAC	"02:00:00:00:00:03"
#define BACKEND3_MAC	"02:00:00:00:00:04"
#define CLIENT_MAC	"02:00:00:00:00:07"
#define FAR_CLIENT_MAC	"02:00:00:00:0f:07"
#define ROUTER_MAC	"02:00:00:00:0f:fe"
/* clang-format on */

struct stage;

/* ifindex of the two devices, once hosts_open() has made them. */
extern __u32 hosts_front, hosts_back;

/* Move this process into a new namespace with all of the above. */
void hosts_open(void);
/* Tell the stage about both devices: slot 0 is front, slot 1 is back. */
void hosts_add_devices(struct stage *s);
/* Run a command in the namespace; fails the test unless it succeeds. */
void hosts_run(const char *command);

#endif /* TEST_HOSTS_H */
