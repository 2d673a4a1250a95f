// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_parse.c - lb_parse alone: which packets are whose, and what the next stage learns.
 *
 * Each row is a packet and where it must go.  Programs that only say "reached" stand for
 * lb_rewrite and the policies.  Whatever happens, lb_parse changes no byte.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "flows.h"
#include "hosts.h"

#define HTTP	8000
#define DNS	53
#define POLICY	2		/* of the services whose tables have slots */
#define FAR_POLICY 7		/* called by a run-time index */
#define EMPTY	80		/* a port whose service has no usable backend */
#define BARE	81		/* one without any table */
#define LOST	82		/* one whose policy is not loaded */
#define FAR	83		/* one with FAR_POLICY */
#define NAT	20000		/* translated port of the flow that is known */
#define KNOWN	4001		/* its client's port */
#define OLD	4002		/* client's port of a flow that has timed out */
#define ENDED	4003		/* of a closed one */
#define GONE	4004		/* of one whose backend is another by now */
#define DOWN	4005		/* of one whose backend is down */

static struct stage stage;
static __u32 backend_of_http, backend_gone, backend_down;

struct row {
	const char *name;
	const struct layer *in;
	__u32 verdict;			/* XDP_*, REACHED_* */
	enum lb_reason reason;		/* if it left */
	/* If it went on: */
	__u16 l3, l4;			/* 0: 14, and 20 or 40 more */
	enum lb_direction direction;
	__u16 client_port;		/* 0: 31337 */
};

#define TO_REWRITE .verdict = REACHED_REWRITE
#define TO_POLICY .verdict = REACHED_POLICY + POLICY
#define PASS(why) .verdict = XDP_PASS, .reason = LB_REASON_##why
#define DROP(why) .verdict = XDP_DROP, .reason = LB_REASON_##why

#define SYN .flags = TH_SYN
#define HTTP4 IP4(CLIENT, SERVICE), TCP(31337, HTTP, SYN)
#define HTTP6 IP6(CLIENT6, SERVICE6), TCP(31337, HTTP, SYN)
#define EIGHT "12345678"

/* clang-format off */
static const struct row rows[] = {
	/* New flows, by every shape of header. */
	{ .name = "syn to a service",
	  .in = PKT(ETH(), HTTP4), TO_POLICY },
	{ .name = "syn to a service over IPv6",
	  .in = PKT(ETH(), HTTP6), TO_POLICY },
	{ .name = "udp to a service",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), UDP(31337, DNS), DATA("?")), TO_POLICY },
	{ .name = "udp to a service over IPv6",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), UDP(31337, DNS), DATA("?")), TO_POLICY },
	{ .name = "syn with ECN bits",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, HTTP, .flags = TH_SYN | 0xc0)),
	  TO_POLICY },
	{ .name = "syn with data and TCP options",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE),
		    TCP(31337, HTTP, SYN, BYTES("\x02\x04\x05\xb4\x01\x01\x01\x01")),
		    DATA("hello")), TO_POLICY },
	{ .name = "one VLAN tag",
	  .in = PKT(ETH(), VLAN(7), HTTP4), .l3 = 18, .l4 = 38, TO_POLICY },
	{ .name = "two VLAN tags",
	  .in = PKT(ETH(.type = ETH_P_8021AD), VLAN(7), VLAN(8), HTTP4),
	  .l3 = 22, .l4 = 42, TO_POLICY },
	{ .name = "two VLAN tags over IPv6",
	  .in = PKT(ETH(), VLAN(7), VLAN(8), HTTP6), .l3 = 22, .l4 = 62, TO_POLICY },
	{ .name = "one IP option",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, BYTES("\x94\x04\x00\x00")),
		    TCP(31337, HTTP, SYN)), .l4 = 38, TO_POLICY },
	{ .name = "all the IP options that fit",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, BYTES(EIGHT EIGHT EIGHT EIGHT EIGHT)),
		    TCP(31337, HTTP, SYN)), .l4 = 74, TO_POLICY },
	{ .name = "tagged, with IP options",
	  .in = PKT(ETH(), VLAN(7), IP4(CLIENT, SERVICE, BYTES(EIGHT)),
		    UDP(31337, DNS)), .l3 = 18, .l4 = 46, TO_POLICY },
	{ .name = "hop-by-hop options",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_HOPOPTS),
		    TCP(31337, HTTP, SYN)), .l4 = 62, TO_POLICY },
	{ .name = "destination options of 24 bytes",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_DSTOPTS, BYTES(EIGHT EIGHT)),
		    UDP(31337, DNS)), .l4 = 78, TO_POLICY },
	{ .name = "a routing header with no segments left",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_ROUTING),
		    TCP(31337, HTTP, SYN)), .l4 = 62, TO_POLICY },
	{ .name = "a fragment header on a whole packet",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_FRAGMENT),
		    TCP(31337, HTTP, SYN)), .l4 = 62, TO_POLICY },
	{ .name = "six extension headers",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_HOPOPTS),
		    EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS),
		    EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS), TCP(31337, HTTP, SYN)),
	  .l4 = 102, TO_POLICY },
	{ .name = "Ethernet padding behind a short packet",
	  .in = PKT(ETH(), HTTP4, PAD(6)), TO_POLICY },
	{ .name = "a policy beyond the constant indices",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, FAR, SYN)),
	  .verdict = REACHED_POLICY + FAR_POLICY },

	/* Known flows. */
	{ .name = "known flow",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(KNOWN, HTTP), DATA("GET")),
	  .client_port = KNOWN, TO_REWRITE },
	{ .name = "known flow over IPv6",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), TCP(KNOWN, HTTP), DATA("GET")),
	  .client_port = KNOWN, TO_REWRITE },
	{ .name = "known flow, udp",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), UDP(KNOWN, DNS)),
	  .client_port = KNOWN, TO_REWRITE },
	{ .name = "known flow, udp over IPv6",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), UDP(KNOWN, DNS)),
	  .client_port = KNOWN, TO_REWRITE },
	{ .name = "known flow, its client repeats the syn",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(KNOWN, HTTP, SYN)),
	  .client_port = KNOWN, TO_REWRITE },
	{ .name = "known flow, rst",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(KNOWN, HTTP, .flags = TH_RST)),
	  .client_port = KNOWN, TO_REWRITE },
	{ .name = "closed flow, a last ack",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(ENDED, HTTP)),
	  .client_port = ENDED, TO_REWRITE },
	{ .name = "closed flow, a new syn from the same port",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(ENDED, HTTP, SYN)),
	  .client_port = ENDED, TO_POLICY },
	{ .name = "udp flow whose backend is down chooses again",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), UDP(DOWN, DNS)),
	  .client_port = DOWN, TO_POLICY },

	/* Replies. */
	{ .name = "reply",
	  .in = PKT(ETH(), IP4(BACKEND1, SERVICE), TCP(HTTP, NAT), DATA("200")),
	  .direction = LB_TO_CLIENT, .client_port = KNOWN, TO_REWRITE },
	{ .name = "reply over IPv6",
	  .in = PKT(ETH(), IP6(BACKEND1_6, SERVICE6), TCP(HTTP, NAT), DATA("200")),
	  .direction = LB_TO_CLIENT, .client_port = KNOWN, TO_REWRITE },
	{ .name = "reply, udp",
	  .in = PKT(ETH(), IP4(BACKEND1, SERVICE), UDP(DNS, NAT)),
	  .direction = LB_TO_CLIENT, .client_port = KNOWN, TO_REWRITE },
	{ .name = "reply, udp over IPv6",
	  .in = PKT(ETH(), IP6(BACKEND1_6, SERVICE6), UDP(DNS, NAT)),
	  .direction = LB_TO_CLIENT, .client_port = KNOWN, TO_REWRITE },
	{ .name = "reply, tagged and with options",
	  .in = PKT(ETH(), VLAN(9), IP4(BACKEND1, SERVICE, BYTES(EIGHT)), TCP(HTTP, NAT)),
	  .l3 = 18, .l4 = 46, .direction = LB_TO_CLIENT, .client_port = KNOWN, TO_REWRITE },
	{ .name = "from a backend to a port that no flow has",
	  .in = PKT(ETH(), IP4(BACKEND1, SERVICE), TCP(HTTP, NAT + 1)),
	  DROP(UNKNOWN_REPLY) },
	{ .name = "from a backend to a port that no flow has, IPv6",
	  .in = PKT(ETH(), IP6(BACKEND1_6, SERVICE6), TCP(HTTP, NAT + 1)),
	  DROP(UNKNOWN_REPLY) },
	{ .name = "from another backend to the flow's port",
	  .in = PKT(ETH(), IP4(BACKEND2, SERVICE), TCP(HTTP, NAT)), DROP(UNKNOWN_REPLY) },
	{ .name = "from the backend's other port to the flow's port",
	  .in = PKT(ETH(), IP4(BACKEND1, SERVICE), TCP(22, NAT)), PASS(NOT_OURS) },
	{ .name = "from a backend's service port to a port that is not translated",
	  .in = PKT(ETH(), IP4(BACKEND1, SERVICE), TCP(HTTP, 40000)), PASS(NOT_OURS) },
	{ .name = "from a backend's service port to somebody else",
	  .in = PKT(ETH(), IP4(BACKEND1, "10.0.0.99"), TCP(HTTP, NAT)), PASS(NOT_OURS) },
	{ .name = "reply of a flow that has timed out",
	  .in = PKT(ETH(), IP4(BACKEND1, SERVICE), TCP(HTTP, NAT + OLD)),
	  DROP(UNKNOWN_REPLY) },
	{ .name = "reply of a flow whose backend was removed",
	  .in = PKT(ETH(), IP4(BACKEND2, SERVICE), TCP(HTTP, NAT + GONE)),
	  DROP(UNKNOWN_REPLY) },
	{ .name = "first fragment of a reply",
	  .in = PKT(ETH(), IP4(BACKEND1, SERVICE, .frag = 0x2000), TCP(HTTP, NAT)),
	  DROP(FRAGMENT) },

	/* For a service, and it cannot be served. */
	{ .name = "tcp without a flow and no syn",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, HTTP)), DROP(UNKNOWN_FLOW) },
	{ .name = "tcp without a flow, syn and ack",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, HTTP, .flags = TH_SYN | TH_ACK)),
	  DROP(UNKNOWN_FLOW) },
	{ .name = "tcp without a flow, syn and rst",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, HTTP, .flags = TH_SYN | TH_RST)),
	  DROP(UNKNOWN_FLOW) },
	{ .name = "tcp without a flow, syn and fin",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, HTTP, .flags = TH_SYN | TH_FIN)),
	  DROP(UNKNOWN_FLOW) },
	{ .name = "tcp without a flow, IPv6",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), TCP(31337, HTTP)), DROP(UNKNOWN_FLOW) },
	{ .name = "tcp of a flow that has timed out",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(OLD, HTTP)), DROP(UNKNOWN_FLOW) },
	{ .name = "tcp of a flow whose backend was removed",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(GONE, HTTP)), DROP(UNKNOWN_FLOW) },
	{ .name = "first fragment to a service",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .frag = 0x2000), TCP(31337, HTTP, SYN)),
	  DROP(FRAGMENT) },
	{ .name = "first fragment to a service over IPv6",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_FRAGMENT, .frag = 1),
		    TCP(31337, HTTP, SYN)), DROP(FRAGMENT) },
	{ .name = "no backend is usable",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, EMPTY, SYN)), DROP(NO_BACKEND) },
	{ .name = "no table yet",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, BARE, SYN)), DROP(NO_BACKEND) },
	{ .name = "the policy is not loaded",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, LOST, SYN)), DROP(NO_STAGE) },

	/* Not ours: the next program's, or the kernel's. */
	{ .name = "arp",
	  .in = PKT(ETH(.type = ETH_P_ARP), DATA("0123456789012345678901234567")),
	  PASS(NOT_IP) },
	{ .name = "an unknown ethertype",
	  .in = PKT(ETH(), DATA("some protocol of the lab")), PASS(NOT_IP) },
	{ .name = "a frame with a length instead of a type",
	  .in = PKT(ETH(.type = 38), DATA("spanning tree and the like")), PASS(NOT_IP) },
	{ .name = "three VLAN tags",
	  .in = PKT(ETH(), VLAN(1), VLAN(2), VLAN(3), HTTP4), PASS(NOT_IP) },
	{ .name = "right address, wrong port",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, HTTP + 1, SYN)), PASS(NOT_OURS) },
	{ .name = "right port, wrong protocol",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), UDP(31337, HTTP)), PASS(NOT_OURS) },
	{ .name = "right port, wrong address",
	  .in = PKT(ETH(), IP4(CLIENT, "10.0.0.11"), TCP(31337, HTTP, SYN)), PASS(NOT_OURS) },
	{ .name = "right port, wrong address, IPv6",
	  .in = PKT(ETH(), IP6(CLIENT6, "2001:db8::11"), TCP(31337, HTTP, SYN)),
	  PASS(NOT_OURS) },
	{ .name = "from a client's port that is a service's number",
	  .in = PKT(ETH(), IP4(CLIENT, "10.0.0.99"), TCP(HTTP, 31337)), PASS(NOT_OURS) },
	{ .name = "from a service's address",
	  .in = PKT(ETH(), IP4(SERVICE, CLIENT), TCP(HTTP, 31337)), PASS(NOT_OURS) },
	{ .name = "ping of a service",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), ICMP(8, .sport = 1), DATA("ping")),
	  PASS(NOT_OURS) },
	{ .name = "ping of a service over IPv6",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), ICMP(128, .sport = 1), DATA("ping")),
	  PASS(NOT_OURS) },
	{ .name = "neighbour solicitation",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), ICMP(135), DATA("0123456789012345")),
	  PASS(NOT_OURS) },
	{ .name = "a tunnel to a service's address",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), HTTP4), PASS(NOT_OURS) },
	{ .name = "a protocol without ports",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .type = 89), DATA("ospf ospf ospf")),
	  PASS(NOT_OURS) },
	{ .name = "a later fragment has no ports",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .frag = 185), TCP(31337, HTTP, SYN)),
	  PASS(NOT_OURS) },
	{ .name = "a later fragment, IPv6",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_FRAGMENT, .frag = 1480),
		    TCP(31337, HTTP, SYN)), PASS(NOT_OURS) },
	{ .name = "a routing header with a segment left",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6),
		    EXT(IPPROTO_ROUTING, .frag = 1, BYTES(EIGHT EIGHT)),
		    TCP(31337, HTTP, SYN)), PASS(NOT_OURS) },
	{ .name = "seven extension headers",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_HOPOPTS),
		    EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS),
		    EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS), EXT(IPPROTO_DSTOPTS),
		    TCP(31337, HTTP, SYN)), PASS(NOT_OURS) },
	{ .name = "an authenticated packet",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_AH, BYTES(EIGHT EIGHT)),
		    TCP(31337, HTTP, SYN)), PASS(NOT_OURS) },
	{ .name = "no next header",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6, .type = IPPROTO_NONE), DATA("nothing")),
	  PASS(NOT_OURS) },

	/* Headers that contradict themselves. */
	{ .name = "IP version 5",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .version = 5), TCP(31337, HTTP, SYN)),
	  PASS(MALFORMED) },
	{ .name = "IP version 4 under IPv6's ethertype",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6, .version = 4), TCP(31337, HTTP, SYN)),
	  PASS(MALFORMED) },
	{ .name = "an IP header of four words",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .words = 4), TCP(31337, HTTP, SYN)),
	  PASS(MALFORMED) },
	{ .name = "a TCP header of four words",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, HTTP, SYN, .words = 4)),
	  PASS(MALFORMED) },
	{ .name = "an IP length beyond the frame",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .length = 41), TCP(31337, HTTP, SYN)),
	  PASS(MALFORMED) },
	{ .name = "an IP length that cuts the TCP header",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .length = 39), TCP(31337, HTTP, SYN)),
	  PASS(MALFORMED) },
	{ .name = "an IPv6 length beyond the frame",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6, .length = 21), TCP(31337, HTTP, SYN)),
	  PASS(MALFORMED) },
	{ .name = "an IPv6 length that cuts the UDP header",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6, .length = 7), UDP(31337, DNS)),
	  PASS(MALFORMED) },

	/* Ends inside a header; "truncated at every length" has the rest. */
	{ .name = "ends inside the IP header",
	  .in = PKT(ETH(.type = ETH_P_IP), DATA("\x45")), PASS(TRUNCATED) },
	{ .name = "ends inside a VLAN tag",
	  .in = PKT(ETH(.type = ETH_P_8021Q), DATA("\x00")), PASS(TRUNCATED) },
	{ .name = "ends inside the ports",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .type = IPPROTO_TCP), DATA("\x7a\x69\x1f")),
	  PASS(TRUNCATED) },
	{ .name = "IP options longer than the frame",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .words = 15), UDP(31337, DNS)),
	  PASS(TRUNCATED) },
	{ .name = "an extension header longer than the frame",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6, .type = IPPROTO_DSTOPTS),
		    DATA("\x06\xff\x00\x00\x00\x00\x00\x00")), PASS(TRUNCATED) },
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- the world they are for ------------------------------------------------------ */

static void add_flows(const char *client, __u32 http, __u32 dns, __u32 first)
{
	__u32 now = stage_now(&stage);

	flows_make(&stage, http, client, KNOWN, first, NAT, LB_FLOW_ESTABLISHED, 3, now);
	flows_make(&stage, dns, client, KNOWN, first + 2, NAT, LB_FLOW_DATAGRAM, 7, now);
}

static __u32 add_services(const char *address, const char *backend1, const char *backend2)
{
	__u32 http = world_add_service(&stage, address, HTTP, IPPROTO_TCP);
	__u32 dns = world_add_service(&stage, address, DNS, IPPROTO_UDP);
	__u32 first = world_add_backend(&stage, http, backend1, HTTP);

	world_add_backend(&stage, http, backend2, HTTP);
	world_add_backend(&stage, dns, backend1, DNS);
	world_add_backend(&stage, dns, backend2, DNS);
	world_set_uniform(&stage, http, POLICY, first, 2);
	world_set_uniform(&stage, dns, POLICY, first + 2, 2);
	return http;
}

static void add_odd_services(void)
{
	__u32 empty = world_add_service(&stage, SERVICE, EMPTY, IPPROTO_TCP), lost, far;

	world_set_uniform(&stage, empty, POLICY, 0, 0);
	world_add_service(&stage, SERVICE, BARE, IPPROTO_TCP);
	lost = world_add_service(&stage, SERVICE, LOST, IPPROTO_TCP);
	world_set_uniform(&stage, lost, POLICY + 1, 1, 2);
	far = world_add_service(&stage, SERVICE, FAR, IPPROTO_TCP);
	world_set_uniform(&stage, far, FAR_POLICY, 1, 2);
}

static void add_odd_flows(__u32 http, __u32 dns)
{
	__u32 now = stage_now(&stage);

	flows_make(&stage, http, CLIENT, OLD, backend_of_http, NAT + OLD,
		   LB_FLOW_ESTABLISHED, 0, now - 1001);
	flows_make(&stage, http, CLIENT, ENDED, backend_of_http, NAT + ENDED, LB_FLOW_CLOSED,
		   1, now);
	flows_make(&stage, http, CLIENT, GONE, backend_gone, NAT + GONE, LB_FLOW_ESTABLISHED, 2,
		   now);
	flows_make(&stage, dns, CLIENT, DOWN, backend_down, NAT + DOWN, LB_FLOW_DATAGRAM, 4,
		   now);
	world_set_incarnation(&stage, backend_gone, 2);
	world_set_backend(&stage, backend_down, LB_BACKEND_DOWN, 1);
}

static int open_stage(void **state)
{
	static const struct lb_profile profile = {
		.timeout = { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 },
	};
	__u32 http, http6;

	(void)state;
	stage_init(&stage, 64, 1 << 16);
	stage_load(&stage, "progs/lb_parse");
	stage_stop_rewrite(&stage);
	stage_stop_policy(&stage, POLICY);
	stage_stop_policy(&stage, FAR_POLICY);
	world_set_profile(&stage, 0, &profile);

	http = add_services(SERVICE, BACKEND1, BACKEND2);
	http6 = add_services(SERVICE6, BACKEND1_6, BACKEND2_6);
	backend_of_http = 1;
	backend_gone = 2;
	backend_down = 4;
	add_odd_services();
	add_odd_flows(http, http + 1);
	add_flows(CLIENT, http, http + 1, 1);
	add_flows(CLIENT6, http6, http6 + 1, 5);
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	stage_close(&stage);
	return 0;
}

/* ---- the rows ---------------------------------------------------------------------- */

static const struct layer *layer_of(const struct row *row, enum layer_kind a,
				    enum layer_kind b)
{
	const struct layer *l;

	for (l = row->in; l->kind != LAYER_END; l++)
		if (l->kind == a || l->kind == b)
			return l;
	fail_msg("the row lacks a layer");
	return NULL;
}

/* What lb_parse tells the next stage, from what the row says. */
static void check_scratch(const struct row *row, size_t len)
{
	const struct layer *ip = layer_of(row, LAYER_IP4, LAYER_IP6);
	const struct layer *l4 = layer_of(row, LAYER_TCP, LAYER_UDP);
	bool reply = row->direction == LB_TO_CLIENT, tcp = l4->kind == LAYER_TCP;
	struct lb_pkt pkt = stage_scratch(&stage);
	__u16 l3 = row->l3 ?: 14, port = row->client_port ?: 31337;
	int family = ip->kind == LAYER_IP4 ? 4 : 6;
	struct lb_service service;
	struct flow f = {};
	__u64 key[3];

	assert_int_equal(pkt.l3, l3);
	assert_int_equal(pkt.l4, row->l4 ?: l3 + (family == 4 ? 20 : 40));
	assert_int_equal(pkt.length, len);
	assert_int_equal(pkt.family, family);
	assert_int_equal(pkt.protocol, tcp ? IPPROTO_TCP : IPPROTO_UDP);
	assert_int_equal(pkt.tcp_flags, tcp ? l4->flags ?: TH_ACK : 0);
	assert_int_equal(pkt.direction, row->direction);
	assert_in_range(stage_now(&stage) - pkt.now, 0, 1000);

	service = world_service(&stage, pkt.service);
	assert_int_equal(service.family, family);
	assert_int_equal(service.protocol, pkt.protocol);
	assert_int_equal(service.port, htons(reply ? l4->sport : l4->dport));

	flows_key(family == 4 ? CLIENT : CLIENT6, port, pkt.service, key);
	assert_memory_equal(pkt.key, key, family == 4 ? 8 : 24);
	if (row->verdict != REACHED_REWRITE) {
		assert_int_equal(pkt.version, 0);
		assert_true(pkt.hash == flows_hash(&stage, family, key));
		return;
	}
	assert_true(flows_find_key(&stage, family, key, &f));
	assert_int_equal(pkt.position, f.position);
	assert_int_equal(pkt.version, f.flow.version);
	assert_int_equal(pkt.backend, f.flow.backend);
	assert_int_equal(pkt.nat_port, f.flow.nat_port);
	assert_int_equal(pkt.way, f.way);
}

static void run_row(void **state)
{
	const struct row *row = *state;
	int parse = stage_program(&stage, "lb_parse");
	__u64 before = stage_reason(&stage, row->reason);
	__u8 in[PACKET_MAX];
	size_t len = packet_build(in, row->in);
	struct run r;

	stage_run(parse, in, len, 0, &r);
	if (r.verdict != row->verdict)
		stage_print_reasons(&stage);
	assert_int_equal(r.verdict, row->verdict);
	stage_expect(&r, row->in);
	assert_int_equal(r.n_meta, 0);
	if (row->reason)
		assert_int_equal(stage_reason(&stage, row->reason), before + 1);
	else
		check_scratch(row, len);
}

/* A drop for a service is also in the service's own count. */
static void drops_are_counted_per_service(void **state)
{
	struct lb_count before = stage_service_count(&stage, 0), after;
	struct run r;

	(void)state;
	stage_run_layers(stage_program(&stage, "lb_parse"),
			 PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, HTTP)), 0, &r);
	after = stage_service_count(&stage, 0);
	assert_int_equal(after.drops, before.drops + 1);
	assert_int_equal(after.drop_reason, LB_REASON_UNKNOWN_FLOW);
	assert_true(after.last_drop != 0);
	assert_int_equal(after.packets, before.packets);
}

/* No prefix of any packet above is sent, changed, or reaches a later stage unparsed. */
static void truncated_at_every_length(void **state)
{
	int parse = stage_program(&stage, "lb_parse");
	__u8 in[PACKET_MAX];
	struct run r;

	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		size_t len = packet_build(in, rows[i].in);

		for (size_t cut = ETH_HLEN; cut < len; cut++) {
			stage_run(parse, in, cut, 0, &r);
			if (r.verdict == XDP_TX || r.verdict == XDP_REDIRECT ||
			    r.verdict == XDP_ABORTED)
				fail_msg("'%s' cut to %zu bytes: verdict %u", rows[i].name, cut,
					 r.verdict);
			/* Only Ethernet's padding may be missing. */
			if (r.verdict >= REACHED_REWRITE &&
			    !strstr(rows[i].name, "padding"))
				fail_msg("'%s' cut to %zu bytes goes on", rows[i].name, cut);
			assert_int_equal(r.len, cut);
			assert_memory_equal(r.pkt, in, cut);
		}
	}
}

/* The same bytes, each changed in turn to values that headers dislike. */
static void any_byte_may_be_anything(void **state)
{
	static const __u8 values[] = { 0x00, 0x01, 0x05, 0x4f, 0x60, 0x7f, 0x80, 0xff };
	int parse = stage_program(&stage, "lb_parse");
	__u8 in[PACKET_MAX];
	struct run r;

	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		size_t len = packet_build(in, rows[i].in);

		for (size_t at = 0; at < len; at++) {
			__u8 was = in[at];

			for (size_t v = 0; v < sizeof(values); v++) {
				in[at] = values[v];
				stage_run(parse, in, len, 0, &r);
				assert_true(r.verdict == XDP_PASS || r.verdict == XDP_DROP ||
					    r.verdict >= REACHED_REWRITE);
				assert_memory_equal(r.pkt, in, len);
			}
			in[at] = was;
		}
	}
}

/* lbctl may clear an endpoint and later write it to another way of the same bucket. */
static void a_cleared_way_hides_nothing(void **state)
{
	const struct layer *syn = PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, 9000, SYN));
	int fd = stage_map(&stage, "lb_endpoints4");
	struct lb_endpoint_bucket4 b;
	struct run r;

	(void)state;
	world_set_uniform(&stage, world_add_service(&stage, SERVICE, 9000, IPPROTO_TCP), POLICY,
			  1, 1);
	for (__u32 i = 0; i < LB_ENDPOINT_BUCKETS; i++) {
		struct lb_endpoint_key4 key;

		assert_return_code(bpf_map_lookup_elem(fd, &i, &b), errno);
		memcpy(&key, b.way[0].key, sizeof(key));
		if (!b.way[0].value || key.port != htons(9000))
			continue;
		b.way[2] = b.way[0];
		b.way[0].value = 0;
		assert_return_code(bpf_map_update_elem(fd, &i, &b, 0), errno);
	}
	stage_run_layers(stage_program(&stage, "lb_parse"), syn, 0, &r);
	assert_int_equal(r.verdict, REACHED_POLICY + POLICY);
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(drops_are_counted_per_service),
		cmocka_unit_test(truncated_at_every_length),
		cmocka_unit_test(any_byte_may_be_anything),
		cmocka_unit_test(a_cleared_way_hides_nothing),
	};
	struct CMUnitTest units[N_ROWS + 4];

	for (size_t i = 0; i < N_ROWS; i++)
		units[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = run_row,
			.initial_state = (void *)&rows[i],
		};
	memcpy(&units[N_ROWS], others, sizeof(others));
	return cmocka_run_group_tests_name("parse", units, open_stage, close_stage);
}
