// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_dsr.c - packets for dsr services: another MAC address, and not a byte else.
 *
 * With what dsr leaves alone, the rows also show with which VLAN tags frames leave, and what
 * the kernel is told that has to find the next hop.
 */
#include <bpf/bpf.h>
#include <netinet/in.h>

#include "one_way.h"

/* clang-format off */
#define IN4		IP4(CLIENT, AT_DSR)
#define IN6		IP6(CLIENT6, AT_DSR_6)
#define TO_FAR		ETH(.dst = FAR_CLIENT_MAC, .src = FRONT_MAC)
#define TAGGED		.type = 0x88a8

/* A packet, of a new flow and of a known one. */
#define SAME(title, ...)								\
	{ .name = title ", new flow",							\
	  .in = PKT(ETH(), __VA_ARGS__), .out = PKT(TO_BACKEND, __VA_ARGS__) },		\
	{ .name = title ", known flow", .known = true,					\
	  .in = PKT(ETH(), __VA_ARGS__), .out = PKT(TO_BACKEND, __VA_ARGS__) }

static const struct row rows[] = {
	/* Both families, all protocols. */
	{ .name = "tcp", .in = PKT(ETH(), IN4, TCP(PORT, HTTP, SYN)),
	  .out = PKT(TO_BACKEND, IN4, TCP(PORT, HTTP, SYN)) },
	{ .name = "tcp, known flow", .known = true,
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP, .seq = 7), DATA("GET / HTTP/1.1")),
	  .out = PKT(TO_BACKEND, IN4, TCP(PORT, HTTP, .seq = 7), DATA("GET / HTTP/1.1")) },
	{ .name = "tcp, neither syn nor known", DROP(UNKNOWN_FLOW),
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP)) },
	SAME("udp", IN4, UDP(PORT, DNS), DATA("www?")),
	SAME("udp without a checksum", IN4, UDP(PORT, DNS, .no_check = true), DATA("www?")),
	SAME("echo", IN4, ICMP(ECHO4, .sport = PORT, .dport = 1), DATA(EIGHT)),
	{ .name = "tcp over IPv6", .in = PKT(ETH(), IN6, TCP(PORT, HTTP, SYN)),
	  .out = PKT(TO_BACKEND, IN6, TCP(PORT, HTTP, SYN)) },
	{ .name = "tcp over IPv6, known flow", .known = true,
	  .in = PKT(ETH(), IN6, TCP(PORT, HTTP, .seq = 7), DATA("GET / HTTP/1.1")),
	  .out = PKT(TO_BACKEND, IN6, TCP(PORT, HTTP, .seq = 7), DATA("GET / HTTP/1.1")) },
	SAME("udp over IPv6", IN6, UDP(PORT, DNS), DATA("www?")),
	SAME("echo over IPv6", IN6, ICMP(ECHO6, .sport = PORT, .dport = 1), DATA(EIGHT)),

	/* Everything stays as it is. */
	SAME("IP options", IP4(CLIENT, AT_DSR, BYTES(EIGHT EIGHT)), UDP(PORT, DNS)),
	SAME("extension headers", IN6, EXT(IPPROTO_HOPOPTS),
	     EXT(IPPROTO_DSTOPTS, BYTES(EIGHT)), UDP(PORT, DNS), DATA("x")),
	SAME("DSCP and ECN", IP4(CLIENT, AT_DSR, .tos = 0xbb), UDP(PORT, DNS)),
	SAME("a TTL of 1: it stays on its link", IP4(CLIENT, AT_DSR, .ttl = 1),
	     UDP(PORT, DNS)),
	SAME("a hop limit of 1", IP6(CLIENT6, AT_DSR_6, .ttl = 1), UDP(PORT, DNS)),
	SAME("Ethernet padding", IN4, UDP(PORT, DNS), PAD(18)),

	/* The backend's state and place. */
	{ .name = "a backend that drains keeps its flow", .known = true,
	  .state = LB_BACKEND_DRAIN, .in = PKT(ETH(), IN4, TCP(PORT, HTTP)),
	  .out = PKT(TO_BACKEND, IN4, TCP(PORT, HTTP)) },
	{ .name = "a backend that is down", .known = true, .state = LB_BACKEND_DOWN,
	  DROP(BACKEND_DOWN), .in = PKT(ETH(), IN4, TCP(PORT, HTTP)) },
	{ .name = "chosen, but down by now", .state = LB_BACKEND_DOWN, DROP(EMPTY_DROP),
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP, SYN)) },
	{ .name = "behind a gateway", .backend = REMOTE_CLIENT, DROP(NOT_CONNECTED),
	  .in = PKT(ETH(), IN4, UDP(PORT, DNS)) },
	{ .name = "behind a gateway, which is known by now", .known = true,
	  .backend = REMOTE_CLIENT, DROP(NOT_CONNECTED),
	  .in = PKT(ETH(), IN4, UDP(PORT, DNS)) },
	{ .name = "behind a gateway, IPv6", .backend = REMOTE_CLIENT6, DROP(NOT_CONNECTED),
	  .in = PKT(ETH(), IN6, UDP(PORT, DNS)) },
	{ .name = "behind a gateway, which is known by now, IPv6", .known = true,
	  .backend = REMOTE_CLIENT6, DROP(NOT_CONNECTED),
	  .in = PKT(ETH(), IN6, UDP(PORT, DNS)) },
	{ .name = "without a route", .backend = LOST_CLIENT, DROP(NO_ROUTE),
	  .in = PKT(ETH(), IN4, UDP(PORT, DNS)) },
	{ .name = "behind another interface", .backend = FAR_CLIENT, .verdict = XDP_REDIRECT,
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP, SYN)),
	  .out = PKT(TO_FAR, IN4, TCP(PORT, HTTP, SYN)) },
	{ .name = "behind another interface, IPv6", .backend = FAR_CLIENT6, .known = true,
	  .verdict = XDP_REDIRECT, .in = PKT(ETH(), IN6, TCP(PORT, HTTP)),
	  .out = PKT(TO_FAR, IN6, TCP(PORT, HTTP)) },

	/* The kernel finds the next hop: not that of the packet's destination. */
	{ .name = "a backend whose MAC is not known", .backend = SILENT, MARK,
	  .in = PKT(ETH(), IN4, UDP(PORT, DNS)), .out = PKT(ETH(), IN4, UDP(PORT, DNS)) },
	{ .name = "a backend whose MAC is not known, IPv6", .backend = SILENT6, MARK,
	  .in = PKT(ETH(), IN6, UDP(PORT, DNS)), .out = PKT(ETH(), IN6, UDP(PORT, DNS)) },

	/* Tags that came, on interfaces that name none. */
	{ .name = "a trunk keeps a tag",
	  .in = PKT(ETH(), VLAN(42), IN4, UDP(PORT, DNS)),
	  .out = PKT(TO_BACKEND, VLAN(42), IN4, UDP(PORT, DNS)) },
	{ .name = "a trunk keeps two tags",
	  .in = PKT(ETH(TAGGED), VLAN(7), VLAN(42), IN6, TCP(PORT, HTTP, SYN)),
	  .out = PKT(ETH(.dst = BACKEND1_MAC, .src = BACK_MAC, TAGGED), VLAN(7), VLAN(42),
		     IN6, TCP(PORT, HTTP, SYN)) },
	{ .name = "with VLAN devices on it a tag is stripped", .flags = LB_DEVICE_F_TAGS,
	  .in = PKT(ETH(), VLAN(42), IN4, UDP(PORT, DNS)),
	  .out = PKT(TO_BACKEND, IN4, UDP(PORT, DNS)) },
	{ .name = "with VLAN devices on it two tags are stripped", .flags = LB_DEVICE_F_TAGS,
	  .in = PKT(ETH(TAGGED), VLAN(7), VLAN(42), IN6, UDP(PORT, DNS), DATA("x")),
	  .out = PKT(TO_BACKEND, IN6, UDP(PORT, DNS), DATA("x")) },
	{ .name = "another interface strips a tag", .backend = FAR_CLIENT,
	  .verdict = XDP_REDIRECT, .in = PKT(ETH(), VLAN(42), IN4, UDP(PORT, DNS)),
	  .out = PKT(TO_FAR, IN4, UDP(PORT, DNS)) },
	{ .name = "another interface strips two tags", .backend = FAR_CLIENT, .known = true,
	  .verdict = XDP_REDIRECT,
	  .in = PKT(ETH(TAGGED), VLAN(7), VLAN(42), IN4, UDP(PORT, DNS)),
	  .out = PKT(TO_FAR, IN4, UDP(PORT, DNS)) },

	/* Tags that the way out names. */
	{ .name = "a tag is put on", .tag = { QTAG },
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP, SYN)),
	  .out = PKT(TO_BACKEND, VLAN(42), IN4, TCP(PORT, HTTP, SYN)) },
	{ .name = "two tags are put on", .tag = { STAG, QTAG },
	  .in = PKT(ETH(), IN6, UDP(PORT, DNS), DATA("x")),
	  .out = PKT(ETH(.dst = BACKEND1_MAC, .src = BACK_MAC, TAGGED), VLAN(7), VLAN(42),
		     IN6, UDP(PORT, DNS), DATA("x")) },
	{ .name = "a tag for another", .tag = { QTAG },
	  .in = PKT(ETH(), VLAN(0xe007), IN4, UDP(PORT, DNS)),
	  .out = PKT(TO_BACKEND, VLAN(42), IN4, UDP(PORT, DNS)) },
	{ .name = "one tag for two", .tag = { QTAG }, .known = true,
	  .in = PKT(ETH(TAGGED), VLAN(3), VLAN(4), IN4, UDP(PORT, DNS)),
	  .out = PKT(TO_BACKEND, VLAN(42), IN4, UDP(PORT, DNS)) },
	{ .name = "two tags for one", .tag = { STAG, QTAG },
	  .in = PKT(ETH(), VLAN(3), IN4, UDP(PORT, DNS)),
	  .out = PKT(ETH(.dst = BACKEND1_MAC, .src = BACK_MAC, TAGGED), VLAN(7), VLAN(42),
		     IN4, UDP(PORT, DNS)) },
	{ .name = "in untagged below a VLAN device, out by it", .tag = { QTAG },
	  .below = true, .from_front = true, .flags = LB_DEVICE_F_TAGS,
	  .in = PKT(ETH(), IN4, UDP(PORT, DNS)),
	  .out = PKT(TO_BACKEND, VLAN(42), IN4, UDP(PORT, DNS)) },
	{ .name = "in tagged below a VLAN device, out by another one", .tag = { QTAG },
	  .below = true, .from_front = true, .flags = LB_DEVICE_F_TAGS,
	  .in = PKT(ETH(), VLAN(41), IN4, UDP(PORT, DNS)),
	  .out = PKT(TO_BACKEND, VLAN(42), IN4, UDP(PORT, DNS)) },
	{ .name = "in tagged below a bridge, out by it", .below = true, .from_front = true,
	  .in = PKT(ETH(), VLAN(41), IN4, UDP(PORT, DNS)),
	  .out = PKT(TO_BACKEND, IN4, UDP(PORT, DNS)) },

	/* Tags that the kernel is to put on. */
	{ .name = "the kernel puts on what its device has", .backend = SILENT, MARK,
	  .tag = { QTAG }, .in = PKT(ETH(), VLAN(41), IN4, UDP(PORT, DNS)),
	  .out = PKT(ETH(), IN4, UDP(PORT, DNS)) },
	{ .name = "the kernel puts back what a trunk keeps", .backend = SILENT, MARK,
	  .marked = QTAG, .in = PKT(ETH(), VLAN(42), IN4, UDP(PORT, DNS)),
	  .out = PKT(ETH(), IN4, UDP(PORT, DNS)) },
	{ .name = "two tags that a trunk keeps, and no neighbour", .backend = SILENT,
	  DROP(NO_NEIGHBOUR),
	  .in = PKT(ETH(TAGGED), VLAN(7), VLAN(42), IN4, UDP(PORT, DNS)) },
	{ .name = "two tags that no device keeps", .backend = SILENT, MARK,
	  .flags = LB_DEVICE_F_TAGS,
	  .in = PKT(ETH(TAGGED), VLAN(7), VLAN(42), IN4, UDP(PORT, DNS)),
	  .out = PKT(ETH(), IN4, UDP(PORT, DNS)) },
};
/* clang-format on */

/* What is due for the kernel's way, but has two tags to keep, goes XDP's. */
static void two_kept_tags_are_not_for_the_kernel(void **state)
{
	int probes = stage_map(&one_way_stage, "lb_probes");
	const struct layer *one = PKT(ETH(), VLAN(42), IN4, UDP(PORT, DNS)),
			   *two = PKT(ETH(TAGGED), VLAN(7), VLAN(42), IN4,
				      UDP(PORT, DNS));
	__u32 long_ago;
	struct run r;

	(void)state;
	for (int n = 1; n <= 2; n++) {
		one_way_afresh();
		long_ago = stage_now(&one_way_stage) - one_way_stage.params.hz - 1;
		for (__u32 i = 0; !bpf_map_update_elem(probes, &i, &long_ago, BPF_EXIST);
		     i++)
			;
		stage_run_layers(one_way_parse, n == 1 ? one : two, hosts_back, &r);
		assert_int_equal(r.verdict, n == 1 ? XDP_PASS : XDP_TX);
		assert_int_equal(r.n_meta, n == 1 ? sizeof(struct lb_mark) : 0);
	}
	stage_expect(&r, PKT(ETH(.dst = BACKEND1_MAC, .src = BACK_MAC, TAGGED), VLAN(7),
			     VLAN(42), IN4, UDP(PORT, DNS)));
}

int main(void)
{
	static const struct CMUnitTest more[] = {
		cmocka_unit_test(two_kept_tags_are_not_for_the_kernel),
	};

	return one_way_run_rows("dsr", rows, sizeof(rows) / sizeof(rows[0]), more, 1);
}
