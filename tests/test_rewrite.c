// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_rewrite.c - lb_rewrite alone: a packet and what is known of it, and the bytes out.
 *
 * Each row is run with the flow in the table and the record that lb_parse would have left.
 * The expected packets are built from scratch, so that checksums which were updated
 * incrementally are compared with computed ones.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "flows.h"
#include "hosts.h"

#define HTTP	8000
#define DNS	53
#define SERVER	8080	/* the backends' port: not the service's */
#define NAT	20000
#define PORT	31337	/* the client's */

enum { WEB, RESOLVER, WEB6, RESOLVER6, N_SERVICES };	/* service ids */

static struct stage stage;

struct row {
	const char *name;
	const struct layer *in, *out;
	bool fresh;			/* a new flow, else it is in the table */
	const char *client;		/* NULL: CLIENT or CLIENT6 */
	bool from_front;		/* came in there */
	__u32 verdict;			/* 0: XDP_TX */
	enum lb_reason reason;		/* 0: known-flow, reply or new-flow */
	enum lb_backend_state state;	/* of the backend, 0: active */
};

#define TO_BACKEND	ETH(.dst = BACKEND1_MAC, .src = BACK_MAC)
#define TO_CLIENT	ETH(.dst = CLIENT_MAC, .src = BACK_MAC)
#define IN4		IP4(CLIENT, SERVICE)
#define OUT4		IP4(SERVICE, BACKEND1, .ttl = 63)
#define REPLY4		IP4(BACKEND1, SERVICE)
#define BACK4		IP4(SERVICE, CLIENT, .ttl = 63)
#define IN6		IP6(CLIENT6, SERVICE6)
#define OUT6		IP6(SERVICE6, BACKEND1_6, .ttl = 63)
#define REPLY6		IP6(BACKEND1_6, SERVICE6)
#define BACK6		IP6(SERVICE6, CLIENT6, .ttl = 63)
#define SYN		.flags = TH_SYN, BYTES("\x02\x04\x05\xb4")
#define EIGHT		"12345678"
#define DROP(why)	.verdict = XDP_DROP, .reason = LB_REASON_##why

/* clang-format off */
static const struct row rows[] = {
	/* Both directions, both families, both protocols. */
	{ .name = "tcp to its backend",
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP, .seq = 7), DATA("GET / HTTP/1.1")),
	  .out = PKT(TO_BACKEND, OUT4, TCP(NAT, SERVER, .seq = 7), DATA("GET / HTTP/1.1")) },
	{ .name = "tcp reply",
	  .in = PKT(ETH(), REPLY4, TCP(SERVER, NAT, .ack = 9), DATA("200 odd")),
	  .out = PKT(TO_CLIENT, BACK4, TCP(HTTP, PORT, .ack = 9), DATA("200 odd")) },
	{ .name = "udp to its backend",
	  .in = PKT(ETH(), IN4, UDP(PORT, DNS), DATA("www?")),
	  .out = PKT(TO_BACKEND, OUT4, UDP(NAT, SERVER), DATA("www?")) },
	{ .name = "udp reply",
	  .in = PKT(ETH(), REPLY4, UDP(SERVER, NAT), DATA("192.0.2.1")),
	  .out = PKT(TO_CLIENT, BACK4, UDP(DNS, PORT), DATA("192.0.2.1")) },
	{ .name = "tcp over IPv6 to its backend",
	  .in = PKT(ETH(), IN6, TCP(PORT, HTTP, .seq = 7), DATA("GET / HTTP/1.1")),
	  .out = PKT(TO_BACKEND, OUT6, TCP(NAT, SERVER, .seq = 7), DATA("GET / HTTP/1.1")) },
	{ .name = "tcp reply over IPv6",
	  .in = PKT(ETH(), REPLY6, TCP(SERVER, NAT, .ack = 9), DATA("200 odd")),
	  .out = PKT(TO_CLIENT, BACK6, TCP(HTTP, PORT, .ack = 9), DATA("200 odd")) },
	{ .name = "udp over IPv6 to its backend",
	  .in = PKT(ETH(), IN6, UDP(PORT, DNS), DATA("www?")),
	  .out = PKT(TO_BACKEND, OUT6, UDP(NAT, SERVER), DATA("www?")) },
	{ .name = "udp reply over IPv6",
	  .in = PKT(ETH(), REPLY6, UDP(SERVER, NAT), DATA("2001:db8::1")),
	  .out = PKT(TO_CLIENT, BACK6, UDP(DNS, PORT), DATA("2001:db8::1")) },

	/* New flows. */
	{ .name = "first syn", .fresh = true,
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP, SYN)),
	  .out = PKT(TO_BACKEND, OUT4, TCP(NAT, SERVER, SYN)) },
	{ .name = "first syn over IPv6", .fresh = true,
	  .in = PKT(ETH(), IN6, TCP(PORT, HTTP, SYN)),
	  .out = PKT(TO_BACKEND, OUT6, TCP(NAT, SERVER, SYN)) },
	{ .name = "first datagram", .fresh = true,
	  .in = PKT(ETH(), IN4, UDP(PORT, DNS), DATA("www?")),
	  .out = PKT(TO_BACKEND, OUT4, UDP(NAT, SERVER), DATA("www?")) },
	{ .name = "first datagram over IPv6", .fresh = true,
	  .in = PKT(ETH(), IN6, UDP(PORT, DNS), DATA("www?")),
	  .out = PKT(TO_BACKEND, OUT6, UDP(NAT, SERVER), DATA("www?")) },

	/* What may stand in the way of the ports. */
	{ .name = "a VLAN tag stays",
	  .in = PKT(ETH(), VLAN(42), IN4, TCP(PORT, HTTP), DATA("x")),
	  .out = PKT(TO_BACKEND, VLAN(42), OUT4, TCP(NAT, SERVER), DATA("x")) },
	{ .name = "two VLAN tags stay",
	  .in = PKT(ETH(.type = 0x88a8), VLAN(1), VLAN(2), REPLY6, UDP(SERVER, NAT)),
	  .out = PKT(ETH(.type = 0x88a8, .dst = CLIENT_MAC, .src = BACK_MAC), VLAN(1), VLAN(2),
		     BACK6, UDP(DNS, PORT)) },
	{ .name = "IP options stay",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, BYTES(EIGHT EIGHT EIGHT EIGHT EIGHT)),
		    TCP(PORT, HTTP), DATA("x")),
	  .out = PKT(TO_BACKEND, IP4(SERVICE, BACKEND1, .ttl = 63,
				     BYTES(EIGHT EIGHT EIGHT EIGHT EIGHT)),
		     TCP(NAT, SERVER), DATA("x")) },
	{ .name = "extension headers stay",
	  .in = PKT(ETH(), IN6, EXT(IPPROTO_HOPOPTS), EXT(IPPROTO_DSTOPTS, BYTES(EIGHT)),
		    UDP(PORT, DNS), DATA("x")),
	  .out = PKT(TO_BACKEND, OUT6, EXT(IPPROTO_HOPOPTS), EXT(IPPROTO_DSTOPTS, BYTES(EIGHT)),
		     UDP(NAT, SERVER), DATA("x")) },
	{ .name = "type of service and flow label stay",
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6, .tos = 0xb9), TCP(PORT, HTTP)),
	  .out = PKT(TO_BACKEND, IP6(SERVICE6, BACKEND1_6, .tos = 0xb9, .ttl = 63),
		     TCP(NAT, SERVER)) },
	{ .name = "TCP options stay",
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP, BYTES("\x01\x01\x08\x0a" EIGHT))),
	  .out = PKT(TO_BACKEND, OUT4, TCP(NAT, SERVER, BYTES("\x01\x01\x08\x0a" EIGHT))) },
	{ .name = "Ethernet padding stays",
	  .in = PKT(ETH(), IN4, UDP(PORT, DNS), PAD(18)),
	  .out = PKT(TO_BACKEND, OUT4, UDP(NAT, SERVER), PAD(18)) },
	{ .name = "no UDP checksum stays none",
	  .in = PKT(ETH(), IN4, UDP(PORT, DNS, .no_check = true), DATA("x")),
	  .out = PKT(TO_BACKEND, OUT4, UDP(NAT, SERVER, .no_check = true), DATA("x")) },
	{ .name = "no UDP checksum stays none in the reply",
	  .in = PKT(ETH(), REPLY4, UDP(SERVER, NAT, .no_check = true), DATA("x")),
	  .out = PKT(TO_CLIENT, BACK4, UDP(DNS, PORT, .no_check = true), DATA("x")) },

	/* Time to live. */
	{ .name = "the last hop but one",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .ttl = 2), TCP(PORT, HTTP)),
	  .out = PKT(TO_BACKEND, IP4(SERVICE, BACKEND1, .ttl = 1), TCP(NAT, SERVER)) },
	{ .name = "a TTL of 255",
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .ttl = 255), TCP(PORT, HTTP)),
	  .out = PKT(TO_BACKEND, IP4(SERVICE, BACKEND1, .ttl = 254), TCP(NAT, SERVER)) },
	{ .name = "TTL 1", DROP(TTL_EXPIRED),
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .ttl = 1), TCP(PORT, HTTP)) },
	{ .name = "TTL 0", DROP(TTL_EXPIRED),
	  .in = PKT(ETH(), IP4(CLIENT, SERVICE, .expired = true), TCP(PORT, HTTP)) },
	{ .name = "hop limit 1", DROP(TTL_EXPIRED),
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6, .ttl = 1), TCP(PORT, HTTP)) },
	{ .name = "hop limit 1, first syn", DROP(TTL_EXPIRED), .fresh = true,
	  .in = PKT(ETH(), IP6(CLIENT6, SERVICE6, .ttl = 1), TCP(PORT, HTTP, SYN)) },
	{ .name = "hop limit 1 of a reply", DROP(TTL_EXPIRED),
	  .in = PKT(ETH(), IP6(BACKEND1_6, SERVICE6, .ttl = 1), TCP(SERVER, NAT)) },

	/* The backend's state. */
	{ .name = "a draining backend keeps its flows", .state = LB_BACKEND_DRAIN,
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP)),
	  .out = PKT(TO_BACKEND, OUT4, TCP(NAT, SERVER)) },
	{ .name = "a backend that is down", .state = LB_BACKEND_DOWN, DROP(BACKEND_DOWN),
	  .in = PKT(ETH(), IN4, TCP(PORT, HTTP)) },
	{ .name = "a reply from a backend that is down", .state = LB_BACKEND_DOWN,
	  DROP(BACKEND_DOWN), .in = PKT(ETH(), REPLY4, TCP(SERVER, NAT)) },
	{ .name = "chosen, but down by now", .state = LB_BACKEND_DOWN, DROP(NO_BACKEND),
	  .fresh = true, .in = PKT(ETH(), IN4, TCP(PORT, HTTP, SYN)) },

	/* Where it leaves. */
	{ .name = "in by one interface, out by another", .from_front = true,
	  .client = FAR_CLIENT, .verdict = XDP_REDIRECT,
	  .in = PKT(ETH(), IP4(FAR_CLIENT, SERVICE), TCP(PORT, HTTP)),
	  .out = PKT(TO_BACKEND, OUT4, TCP(NAT, SERVER)) },
	{ .name = "the reply goes back by the other one",
	  .client = FAR_CLIENT, .verdict = XDP_REDIRECT,
	  .in = PKT(ETH(), REPLY4, TCP(SERVER, NAT)),
	  .out = PKT(ETH(.dst = FAR_CLIENT_MAC, .src = FRONT_MAC),
		     IP4(SERVICE, FAR_CLIENT, .ttl = 63), TCP(HTTP, PORT)) },
	{ .name = "the same over IPv6", .client = FAR_CLIENT6, .verdict = XDP_REDIRECT,
	  .in = PKT(ETH(), REPLY6, UDP(SERVER, NAT)),
	  .out = PKT(ETH(.dst = FAR_CLIENT_MAC, .src = FRONT_MAC),
		     IP6(SERVICE6, FAR_CLIENT6, .ttl = 63), UDP(DNS, PORT)) },
	{ .name = "a client behind a router", .client = REMOTE_CLIENT,
	  .verdict = XDP_REDIRECT,
	  .in = PKT(ETH(), REPLY4, TCP(SERVER, NAT)),
	  .out = PKT(ETH(.dst = ROUTER_MAC, .src = FRONT_MAC),
		     IP4(SERVICE, REMOTE_CLIENT, .ttl = 63), TCP(HTTP, PORT)) },
	{ .name = "a client behind a router, IPv6", .client = REMOTE_CLIENT6,
	  .verdict = XDP_REDIRECT,
	  .in = PKT(ETH(), REPLY6, TCP(SERVER, NAT)),
	  .out = PKT(ETH(.dst = ROUTER_MAC, .src = FRONT_MAC),
		     IP6(SERVICE6, REMOTE_CLIENT6, .ttl = 63), TCP(HTTP, PORT)) },
	{ .name = "a client without a route", .client = LOST_CLIENT, DROP(NO_ROUTE),
	  .in = PKT(ETH(), REPLY4, TCP(SERVER, NAT)) },
	{ .name = "a client without a route, IPv6", .client = LOST_CLIENT6, DROP(NO_ROUTE),
	  .in = PKT(ETH(), REPLY6, TCP(SERVER, NAT)) },

	/* The kernel finds the next hop: translated, passed, marked. */
	{ .name = "a client whose MAC is not known", .client = SILENT,
	  .verdict = XDP_PASS, .reason = LB_REASON_RESOLVING,
	  .in = PKT(ETH(), REPLY4, TCP(SERVER, NAT)),
	  .out = PKT(ETH(), IP4(SERVICE, SILENT, .ttl = 63), TCP(HTTP, PORT)) },
	{ .name = "a client whose MAC is not known, IPv6", .client = SILENT6,
	  .verdict = XDP_PASS, .reason = LB_REASON_RESOLVING,
	  .in = PKT(ETH(), REPLY6, TCP(SERVER, NAT)),
	  .out = PKT(ETH(), IP6(SERVICE6, SILENT6, .ttl = 63), TCP(HTTP, PORT)) },
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- the world ----------------------------------------------------------------------- */

static int open_stage(void **state)
{
	static const struct lb_profile profile = {
		.timeout = { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 },
	};

	(void)state;
	hosts_open();
	stage_init(&stage, 64, 1 << 12);
	stage.params.hz = 2500;		/* next hops are kept longer than a test takes */
	stage_load(&stage, "progs/lb_rewrite");
	world_set_profile(&stage, 0, &profile);
	world_add_service(&stage, SERVICE, HTTP, IPPROTO_TCP);
	world_add_service(&stage, SERVICE, DNS, IPPROTO_UDP);
	world_add_service(&stage, SERVICE6, HTTP, IPPROTO_TCP);
	world_add_service(&stage, SERVICE6, DNS, IPPROTO_UDP);
	/* One translated port: so it is known which. */
	for (__u32 id = WEB; id < N_SERVICES; id++) {
		world_add_backend(&stage, id, id < WEB6 ? BACKEND1 : BACKEND1_6, SERVER);
		world_set_ports(&stage, id, NAT, NAT);
	}
	hosts_add_devices(&stage);
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	stage_close(&stage);
	return 0;
}

/* Forget all flows and next hops; no next hop is due for a packet the kernel's way. */
static void start_afresh(void)
{
	int hops = stage_map(&stage, "lb_hops"), probes = stage_map(&stage, "lb_probes");
	__u32 now = stage_now(&stage);
	struct lb_hop none = {};

	flows_clear(&stage);
	for (__u32 id = 1; id <= stage.n_backends; id++) {
		assert_int_equal(bpf_map_update_elem(hops, &id, &none, 0), 0);
		world_set_backend(&stage, id, LB_BACKEND_ACTIVE, 1);
	}
	for (__u32 i = 0; !bpf_map_update_elem(probes, &i, &now, BPF_EXIST); i++)
		;
}

static size_t layer_offset(const struct layer *layers, enum layer_kind a, enum layer_kind b,
			   const struct layer **ret)
{
	struct layer head[16] = {};
	__u8 scratch[PACKET_MAX];
	size_t n;

	for (n = 0; layers[n].kind != a && layers[n].kind != b; n++)
		head[n] = layers[n];
	*ret = &layers[n];
	return packet_build(scratch, head);
}

/* The record that lb_parse leaves of @in; the flow, if any, is put into the table. */
static struct lb_pkt parsed(const struct layer *in, const char *client, __u16 client_port,
			    __u16 nat_port, bool fresh)
{
	struct lb_pkt pkt = { .now = stage_now(&stage) };
	const struct layer *ip, *l4;
	__u8 bytes[PACKET_MAX];
	__u32 service;
	struct flow f;

	pkt.length = packet_build(bytes, in);
	pkt.l3 = layer_offset(in, LAYER_IP4, LAYER_IP6, &ip);
	pkt.l4 = layer_offset(in, LAYER_TCP, LAYER_UDP, &l4);
	pkt.family = ip->kind == LAYER_IP4 ? 4 : 6;
	pkt.protocol = l4->kind == LAYER_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	pkt.tcp_flags = l4->kind == LAYER_TCP ? l4->flags ?: TH_ACK : 0;
	pkt.direction = l4->sport == SERVER ? LB_TO_CLIENT : LB_TO_BACKEND;
	service = (pkt.family == 4 ? WEB : WEB6) + (l4->kind == LAYER_UDP);
	client = client ?: pkt.family == 4 ? CLIENT : CLIENT6;
	pkt.service = service;
	pkt.backend = service + 1;	/* each service has one */
	flows_key(client, client_port, service, pkt.key);
	pkt.hash = flows_hash(&stage, pkt.family, pkt.key);
	if (fresh)
		return pkt;

	f = flows_make(&stage, service, client, client_port, service + 1, nat_port,
		       pkt.protocol == IPPROTO_TCP ? LB_FLOW_ESTABLISHED : LB_FLOW_STREAM, 5,
		       pkt.now);
	pkt.backend = f.flow.backend;
	pkt.position = f.position;
	pkt.version = f.flow.version;
	pkt.nat_port = f.flow.nat_port;
	pkt.way = f.way;
	return pkt;
}

static void run_parsed(const struct lb_pkt *pkt, const struct layer *in, __u32 ifindex,
		       struct run *ret)
{
	stage_set_scratch(&stage, pkt);
	stage_run_layers(stage_program(&stage, "lb_rewrite"), in, ifindex, ret);
}

/* ---- the rows ------------------------------------------------------------------------- */

static enum lb_reason reason_of(const struct row *row, const struct lb_pkt *pkt)
{
	if (row->reason)
		return row->reason;
	if (row->fresh)
		return LB_REASON_NEW_FLOW;
	return pkt->direction == LB_TO_CLIENT ? LB_REASON_REPLY : LB_REASON_KNOWN_FLOW;
}

/* A packet that leaves is counted, with its bytes; a drop is too, with its reason. */
static void check_counts(const struct lb_count *before, const struct lb_count *after,
			 bool sent, size_t len, enum lb_reason reason)
{
	assert_int_equal(after->packets - before->packets, sent);
	assert_int_equal(after->bytes - before->bytes, sent ? len : 0);
	assert_int_equal(after->drops - before->drops, !sent);
	if (!sent)
		assert_int_equal(after->drop_reason, reason);
}

static void check_mark(const struct run *r, bool marked)
{
	struct lb_mark mark;

	assert_int_equal(r->n_meta, marked ? sizeof(mark) : 0);
	if (!marked)
		return;
	memcpy(&mark, r->out, sizeof(mark));
	assert_int_equal(mark.magic, LB_MARK_MAGIC);
	assert_int_equal(mark.ifindex, hosts_back);
}

static void check_new_flow(const struct row *row, const struct lb_pkt *pkt)
{
	struct flow f;

	if (!row->out) {
		assert_false(flows_find_key(&stage, pkt->family, pkt->key, &f));
		return;
	}
	assert_true(flows_find_key(&stage, pkt->family, pkt->key, &f));
	assert_int_equal(f.flow.backend, world_backend(&stage, pkt->service + 1).ref);
	assert_int_equal(f.flow.nat_port, htons(NAT));
	assert_int_equal(LB_WAY_STATE(f.way), pkt->protocol == IPPROTO_TCP ?
						      LB_FLOW_HALF_OPEN : LB_FLOW_DATAGRAM);
	assert_int_equal(f.seen, pkt->now);
}

static void run_row(void **state)
{
	const struct row *row = *state;
	struct lb_count service, backend, after;
	struct lb_pkt pkt;
	enum lb_reason reason;
	struct run r;
	__u64 count;

	start_afresh();
	pkt = parsed(row->in, row->client, PORT, NAT, row->fresh);
	if (row->state)
		world_set_backend(&stage, pkt.service + 1, row->state, 1);
	reason = reason_of(row, &pkt);
	count = stage_reason(&stage, reason);
	service = stage_service_count(&stage, pkt.service);
	backend = stage_backend_count(&stage, pkt.service + 1);

	run_parsed(&pkt, row->in, row->from_front ? hosts_front : hosts_back, &r);
	if (stage_reason(&stage, reason) != count + 1)
		stage_print_reasons(&stage);
	assert_int_equal(stage_reason(&stage, reason), count + 1);
	assert_int_equal(r.verdict, row->verdict ?: XDP_TX);
	stage_expect(&r, row->out ?: row->in);
	check_mark(&r, row->verdict == XDP_PASS);

	after = stage_service_count(&stage, pkt.service);
	check_counts(&service, &after, row->out, pkt.length, reason);
	after = stage_backend_count(&stage, pkt.service + 1);
	check_counts(&backend, &after, row->out, pkt.length, reason);
	if (row->fresh)
		check_new_flow(row, &pkt);
	flows_check(&stage);
}

/* ---- checksums ------------------------------------------------------------------------ */

/* A payload that makes the sum of the translated packet all ones. */
static void a_checksum_that_comes_out_as_zero(void **state)
{
	static char word[2];
	const struct layer *in[] = {
		PKT(ETH(), IN4, UDP(PORT, DNS), { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
		PKT(ETH(), IN6, UDP(PORT, DNS), { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
		PKT(ETH(), IN4, TCP(PORT, HTTP), { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
	};
	const struct layer *out[] = {
		PKT(TO_BACKEND, OUT4, UDP(NAT, SERVER),
		    { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
		PKT(TO_BACKEND, OUT6, UDP(NAT, SERVER),
		    { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
		PKT(TO_BACKEND, OUT4, TCP(NAT, SERVER),
		    { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
	};
	static const size_t check_at[] = { 14 + 20 + 6, 14 + 40 + 6, 14 + 20 + 16 };
	static const char *const want[] = { "\xff\xff", "\xff\xff", "\x00\x00" };
	__u8 pkt[PACKET_MAX];
	struct lb_pkt known;
	struct run r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		memset(word, 0, sizeof(word));
		packet_build(pkt, out[i]);
		memcpy(word, pkt + check_at[i], sizeof(word));

		start_afresh();
		known = parsed(in[i], NULL, PORT, NAT, false);
		run_parsed(&known, in[i], hosts_back, &r);
		assert_int_equal(r.verdict, XDP_TX);
		stage_expect(&r, out[i]);
		assert_memory_equal(r.pkt + check_at[i], want[i], 2);
	}
}

/* A packet that was damaged on its way must not be made good. */
static void a_wrong_checksum_stays_wrong(void **state)
{
	static const size_t damaged_at[] = { 14 + 10, 14 + 20 + 16, 14 + 20 + 20 };
	const struct layer *in = PKT(ETH(), IN4, TCP(PORT, HTTP), DATA("payload"));
	const struct layer *out = PKT(TO_BACKEND, OUT4, TCP(NAT, SERVER), DATA("payload"));
	__u8 pkt[PACKET_MAX], want[PACKET_MAX];
	struct lb_pkt known;
	struct run r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		size_t len = packet_build(pkt, in);

		start_afresh();
		known = parsed(in, NULL, PORT, NAT, false);
		stage_set_scratch(&stage, &known);
		pkt[damaged_at[i]] ^= 0x55;
		stage_run(stage_program(&stage, "lb_rewrite"), pkt, len, hosts_back, &r);
		assert_int_equal(r.len, packet_build(want, out));
		assert_memory_not_equal(r.pkt, want, len);
		assert_true(packet_sum(r.pkt + 14, 20, 0) != 0xffff ||
			    packet_sum(r.pkt + 34, 27, packet_sum(r.pkt + 26, 8, 6 + 27)) != 0xffff);
	}
}

/* Random packets against packets built from scratch. */
static void random_packets(void **state)
{
	unsigned int seed = 20261121;
	char data[1200];

	(void)state;
	print_message("# seed %u\n", seed);
	for (int i = 0; i < 2000; i++) {
		bool six = rand_r(&seed) % 2, udp = rand_r(&seed) % 2, back = rand_r(&seed) % 2;
		__u16 port = rand_r(&seed), nat = rand_r(&seed), ttl = 2 + rand_r(&seed) % 254;
		__u16 service_port = udp ? DNS : HTTP;
		struct layer payload = { .kind = LAYER_DATA, .data = data,
					 .n_data = rand_r(&seed) % sizeof(data) };
		__u8 kind = udp ? LAYER_UDP : LAYER_TCP, flags = TH_ACK | rand_r(&seed) % 2 * 8;
		__u32 seq = rand_r(&seed);
		struct lb_pkt pkt;
		struct run r;

		if (port == SERVER)
			continue;
		for (size_t j = 0; j < payload.n_data; j++)
			data[j] = rand_r(&seed) % 3 ? rand_r(&seed) : 0xff;
		const struct layer in[] = {
			ETH(), { .kind = six ? LAYER_IP6 : LAYER_IP4, .ttl = ttl,
				 .src = back ? (six ? BACKEND1_6 : BACKEND1) :
					       (six ? CLIENT6 : CLIENT),
				 .dst = six ? SERVICE6 : SERVICE },
			{ .kind = kind, .sport = back ? SERVER : port, .flags = flags,
			  .dport = back ? nat : service_port, .seq = seq },
			payload, { .kind = LAYER_END },
		};
		const struct layer out[] = {
			{ .kind = LAYER_ETH, .src = BACK_MAC,
			  .dst = back ? CLIENT_MAC : BACKEND1_MAC },
			{ .kind = six ? LAYER_IP6 : LAYER_IP4, .ttl = ttl - 1,
			  .src = six ? SERVICE6 : SERVICE,
			  .dst = back ? (six ? CLIENT6 : CLIENT) :
					(six ? BACKEND1_6 : BACKEND1) },
			{ .kind = kind, .sport = back ? service_port : nat, .flags = flags,
			  .dport = back ? port : SERVER, .seq = seq },
			payload, { .kind = LAYER_END },
		};

		flows_clear(&stage);
		pkt = parsed(in, NULL, port, nat, false);
		run_parsed(&pkt, in, hosts_back, &r);
		assert_int_equal(r.verdict, XDP_TX);
		stage_expect(&r, out);
	}
}

/* ---- next hops ----------------------------------------------------------------------- */

static const struct layer *const ack = PKT(ETH(), IN4, TCP(PORT, HTTP));

/* Run @ack of a known flow. */
static __u32 run_ack(struct run *r)
{
	struct lb_pkt pkt;

	flows_clear(&stage);
	pkt = parsed(ack, NULL, PORT, NAT, false);
	run_parsed(&pkt, ack, hosts_back, r);
	return r->verdict;
}

static struct lb_hop hop_of(__u32 backend)
{
	struct lb_hop hop;

	assert_int_equal(bpf_map_lookup_elem(stage_map(&stage, "lb_hops"), &backend, &hop), 0);
	return hop;
}

static void set_hop(__u32 backend, struct lb_hop hop)
{
	assert_int_equal(bpf_map_update_elem(stage_map(&stage, "lb_hops"), &backend, &hop, 0), 0);
}

static void a_next_hop_is_kept_and_learnt_anew(void **state)
{
	struct lb_hop hop;
	struct run r;

	(void)state;
	start_afresh();
	assert_int_equal(run_ack(&r), XDP_TX);
	hop = hop_of(1);
	assert_true(hop.to == LB_HOP(0x020000000002, 1));
	assert_in_range(hop.expires - stage_now(&stage), 1, stage.params.hz);

	hosts_run("ip neigh change " BACKEND1 " lladdr 02:00:00:00:99:02 dev back nud permanent");
	assert_int_equal(run_ack(&r), XDP_TX);
	assert_int_equal(r.pkt[4], 0x00);
	hop.expires = stage_now(&stage) - 1;
	set_hop(1, hop);
	assert_int_equal(run_ack(&r), XDP_TX);
	assert_int_equal(r.pkt[4], 0x99);
	hosts_run("ip neigh change " BACKEND1 " lladdr " BACKEND1_MAC " dev back nud permanent");
}

/* What XDP sends does not refresh the kernel's entry. */
static void one_packet_a_second_goes_the_kernels_way(void **state)
{
	int probes = stage_map(&stage, "lb_probes");
	__u64 before = stage_reason(&stage, LB_REASON_REFRESH);
	__u32 long_ago, n = 0;
	struct run r;

	(void)state;
	start_afresh();
	long_ago = stage_now(&stage) - stage.params.hz - 1;
	while (!bpf_map_update_elem(probes, &n, &long_ago, BPF_EXIST))
		n++;
	assert_true(n > 0);

	assert_int_equal(run_ack(&r), XDP_PASS);
	check_mark(&r, true);
	stage_expect(&r, PKT(ETH(), OUT4, TCP(NAT, SERVER)));
	assert_int_equal(stage_reason(&stage, LB_REASON_REFRESH), before + 1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(run_ack(&r), XDP_TX);
	assert_int_equal(stage_reason(&stage, LB_REASON_REFRESH), before + 1);
}

/* Silence for three seconds, and packets are dropped, but for one a second that asks. */
static void a_backend_that_does_not_answer(void **state)
{
	struct lb_hop hop;
	__u64 passed, dropped;
	struct run r;
	__u32 now;

	(void)state;
	start_afresh();
	hosts_run("ip neigh del " BACKEND1 " dev back");
	assert_int_equal(run_ack(&r), XDP_PASS);
	assert_true(stage_reason(&stage, LB_REASON_RESOLVING) > 0);
	stage_expect(&r, PKT(ETH(), OUT4, TCP(NAT, SERVER)));
	check_mark(&r, true);

	hop = hop_of(1);
	assert_true(hop.to == 0);
	assert_true(hop.unresolved != 0);
	now = stage_now(&stage);
	hop.unresolved = (now - 4 * stage.params.hz) | 1;
	hop.expires = now - 1;
	set_hop(1, hop);
	passed = stage_reason(&stage, LB_REASON_RESOLVING);
	dropped = stage_reason(&stage, LB_REASON_NO_NEIGHBOUR);
	for (int i = 0; i < 10; i++)
		run_ack(&r);
	assert_int_equal(stage_reason(&stage, LB_REASON_RESOLVING), passed + 1);
	assert_int_equal(stage_reason(&stage, LB_REASON_NO_NEIGHBOUR), dropped + 9);

	hosts_run("ip neigh replace " BACKEND1 " lladdr " BACKEND1_MAC
		  " dev back nud permanent");
	assert_int_equal(run_ack(&r), XDP_TX);
	assert_int_equal(hop_of(1).unresolved, 0);
}

static void forwarding_switched_off(void **state)
{
	__u64 before = stage_reason(&stage, LB_REASON_FORWARDING_OFF);
	struct run r;

	(void)state;
	start_afresh();
	hosts_run("echo 0 >/proc/sys/net/ipv4/conf/lo/forwarding");
	assert_int_equal(run_ack(&r), XDP_DROP);
	hosts_run("echo 1 >/proc/sys/net/ipv4/conf/lo/forwarding");
	stage_expect(&r, ack);
	assert_int_equal(stage_reason(&stage, LB_REASON_FORWARDING_OFF), before + 1);
	assert_int_equal(run_ack(&r), XDP_TX);
}

static void the_way_out_has_no_chain(void **state)
{
	int slots = stage_map(&stage, "lb_device_slots"), egress = stage_map(&stage, "lb_egress");
	__u64 before = stage_reason(&stage, LB_REASON_NO_DEVICE);
	__u32 slot = 1;
	struct run r;

	(void)state;
	start_afresh();
	assert_int_equal(bpf_map_delete_elem(slots, &hosts_back), 0);
	assert_int_equal(run_ack(&r), XDP_DROP);
	assert_int_equal(stage_reason(&stage, LB_REASON_NO_DEVICE), before + 1);
	stage_expect(&r, ack);
	assert_int_equal(bpf_map_update_elem(slots, &hosts_back, &slot, 0), 0);
	assert_int_equal(run_ack(&r), XDP_TX);

	/* Known as a device, but gone from the way out: in by the other one. */
	assert_int_equal(bpf_map_delete_elem(egress, &slot), 0);
	struct lb_pkt pkt;

	flows_clear(&stage);
	pkt = parsed(ack, NULL, PORT, NAT, false);
	run_parsed(&pkt, ack, hosts_front, &r);
	assert_int_equal(r.verdict, XDP_DROP);
	assert_int_equal(stage_reason(&stage, LB_REASON_NO_DEVICE), before + 2);
	assert_int_equal(bpf_map_update_elem(egress, &slot, &hosts_back, 0), 0);
}

static void a_removed_backend_takes_no_new_flow(void **state)
{
	const struct layer *syn = PKT(ETH(), IN4, TCP(PORT, HTTP, SYN));
	__u64 before = stage_reason(&stage, LB_REASON_NO_BACKEND);
	struct lb_pkt pkt;
	struct flow f;
	struct run r;

	(void)state;
	start_afresh();
	pkt = parsed(syn, NULL, PORT, NAT, true);
	world_set_incarnation(&stage, 1, 0);
	run_parsed(&pkt, syn, hosts_back, &r);
	world_set_incarnation(&stage, 1, 1);
	assert_int_equal(r.verdict, XDP_DROP);
	assert_int_equal(stage_reason(&stage, LB_REASON_NO_BACKEND), before + 1);
	assert_false(flows_find(&stage, WEB, CLIENT, PORT, &f));
	stage_expect(&r, syn);
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(a_checksum_that_comes_out_as_zero),
		cmocka_unit_test(a_wrong_checksum_stays_wrong),
		cmocka_unit_test(random_packets),
		cmocka_unit_test(a_next_hop_is_kept_and_learnt_anew),
		cmocka_unit_test(one_packet_a_second_goes_the_kernels_way),
		cmocka_unit_test(a_backend_that_does_not_answer),
		cmocka_unit_test(forwarding_switched_off),
		cmocka_unit_test(the_way_out_has_no_chain),
		cmocka_unit_test(a_removed_backend_takes_no_new_flow),
	};
	const size_t n_others = sizeof(others) / sizeof(others[0]);
	struct CMUnitTest units[N_ROWS + 16];

	for (size_t i = 0; i < N_ROWS; i++)
		units[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = run_row,
			.initial_state = (void *)&rows[i],
		};
	memcpy(&units[N_ROWS], others, sizeof(others));
	return _cmocka_run_group_tests("rewrite", units, N_ROWS + n_others, open_stage,
				       close_stage);
}
