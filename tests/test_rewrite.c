// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_rewrite.c - lb_rewrite alone: a packet and what is known of it, and the bytes out.
 *
 * Each row is run with the flow in the table and the record that lb_parse would have left.
 * The expected packets are built from scratch, so that checksums which were updated
 * incrementally are compared with computed ones.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "rewrite.h"

/* clang-format off */
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

#define DROP(why)	.verdict = XDP_DROP, .reason = LB_REASON_##why

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
	{ .name = "chosen, but down by now", .state = LB_BACKEND_DOWN, DROP(EMPTY_DROP),
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

static void check_new_flow(const struct row *row, const struct lb_pkt *pkt)
{
	struct flow f;

	if (!row->out) {
		assert_false(flows_find_key(&rewrite_stage, pkt->family, pkt->key, &f));
		return;
	}
	assert_true(flows_find_key(&rewrite_stage, pkt->family, pkt->key, &f));
	assert_int_equal(f.flow.backend,
			 world_backend(&rewrite_stage, pkt->service + 1).ref);
	assert_int_equal(f.flow.nat_port, htons(NAT));
	assert_int_equal(LB_WAY_STATE(f.way), pkt->protocol == IPPROTO_TCP
						      ? LB_FLOW_HALF_OPEN
						      : LB_FLOW_DATAGRAM);
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

	rewrite_afresh();
	pkt = rewrite_parsed(row->in, row->client, PORT, NAT, row->fresh);
	if (row->state)
		world_set_backend(&rewrite_stage, pkt.service + 1, row->state, 1);
	reason = reason_of(row, &pkt);
	count = stage_reason(&rewrite_stage, reason);
	service = stage_service_count(&rewrite_stage, pkt.service);
	backend = stage_backend_count(&rewrite_stage, pkt.service + 1);

	rewrite_run(&pkt, row->in, row->from_front ? hosts_front : hosts_back, &r);
	if (stage_reason(&rewrite_stage, reason) != count + 1)
		stage_print_reasons(&rewrite_stage);
	assert_int_equal(stage_reason(&rewrite_stage, reason), count + 1);
	assert_int_equal(r.verdict, row->verdict ?: XDP_TX);
	stage_expect(&r, row->out ?: row->in);
	rewrite_expect_mark(&r, row->verdict == XDP_PASS);

	after = stage_service_count(&rewrite_stage, pkt.service);
	check_counts(&service, &after, row->out, pkt.length, reason);
	after = stage_backend_count(&rewrite_stage, pkt.service + 1);
	check_counts(&backend, &after, row->out, pkt.length, reason);
	if (row->fresh)
		check_new_flow(row, &pkt);
	flows_check(&rewrite_stage);
}

int main(void)
{
	struct CMUnitTest units[N_ROWS];

	for (size_t i = 0; i < N_ROWS; i++)
		units[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = run_row,
			.initial_state = (void *)&rows[i],
		};
	return cmocka_run_group_tests_name("rewrite", units, rewrite_open, rewrite_close);
}
