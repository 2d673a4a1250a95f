// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_encap.c - packets for ipip and gue services, and the bytes around them that leave.
 *
 * The expected packets are built from scratch: the outer checksums, that of UDP over IPv6
 * too, are compared with computed ones.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "one_way.h"

/* clang-format off */
#define QUERY	UDP(PORT, DNS), DATA("www?")
#define GET	TCP(PORT, HTTP, .seq = 7), DATA("GET / HTTP/1.1")
#define OPEN	TCP(PORT, HTTP, SYN)
#define PING4	ICMP(ECHO4, .sport = PORT, .dport = 1), DATA("12345")
#define PING6	ICMP(ECHO6, .sport = PORT, .dport = 1), DATA("12345")

/* The packet @in, with what follows put around it. */
#define AROUND(packet, ...)								\
	.in = PKT(ETH(), packet), .out = PKT(TO_BACKEND, __VA_ARGS__, packet)
#define LIST(...)	__VA_ARGS__

/* New and known flows of each protocol; @ip with DF. */
#define EACH(title, ip, echo, ...)							\
	{ .name = title ": tcp, new flow",						\
	  .in = PKT(ETH(), ip, OPEN), .out = PKT(TO_BACKEND, __VA_ARGS__, ip, OPEN) },	\
	{ .name = title ": tcp, known flow", .known = true,				\
	  .in = PKT(ETH(), ip, GET), .out = PKT(TO_BACKEND, __VA_ARGS__, ip, GET) },	\
	{ .name = title ": udp, new flow",						\
	  .in = PKT(ETH(), ip, QUERY), .out = PKT(TO_BACKEND, __VA_ARGS__, ip, QUERY) }, \
	{ .name = title ": udp, known flow", .known = true,				\
	  .in = PKT(ETH(), ip, QUERY), .out = PKT(TO_BACKEND, __VA_ARGS__, ip, QUERY) }, \
	{ .name = title ": echo, new flow",						\
	  .in = PKT(ETH(), ip, echo), .out = PKT(TO_BACKEND, __VA_ARGS__, ip, echo) },	\
	{ .name = title ": echo, known flow", .known = true,				\
	  .in = PKT(ETH(), ip, echo), .out = PKT(TO_BACKEND, __VA_ARGS__, ip, echo) }

static const struct row rows[] = {
	/* Every mode, mix of families and protocol. */
	EACH("ipip 4 in 4", IP4(CLIENT, AT_IPIP4, DF), PING4, OUTER4(DF)),
	EACH("ipip 6 in 4", IP6(CLIENT6, AT_IPIP4_6), PING6, OUTER4(DF)),
	EACH("ipip 4 in 6", IP4(CLIENT, AT_IPIP6, DF), PING4, OUTER6()),
	EACH("ipip 6 in 6", IP6(CLIENT6, AT_IPIP6_6), PING6, OUTER6()),
	EACH("gue 4 in 4", IP4(CLIENT, AT_GUE4, DF), PING4, OUTER4(DF), GUE_UDP0),
	EACH("gue 6 in 4", IP6(CLIENT6, AT_GUE4_6), PING6, OUTER4(DF), GUE_UDP0),
	EACH("gue 4 in 6", IP4(CLIENT, AT_GUE6, DF), PING4, OUTER6(), GUE_UDP),
	EACH("gue 6 in 6", IP6(CLIENT6, AT_GUE6_6), PING6, OUTER6(), GUE_UDP),

	/* Fragments are allowed of what allows them, and have an identification. */
	{ .name = "no DF, ipip 4 in 4",
	  AROUND(LIST(IP4(CLIENT, AT_IPIP4), QUERY), OUTER4()) },
	{ .name = "no DF, gue 4 in 4", .known = true,
	  AROUND(LIST(IP4(CLIENT, AT_GUE4), GET), OUTER4(), GUE_UDP0) },
	{ .name = "no DF, ipip 4 in 6",
	  AROUND(LIST(IP4(CLIENT, AT_IPIP6), QUERY), OUTER6()) },

	/* DSCP and ECN, RFC 6040 normal mode: as inside, congestion too. */
	{ .name = "DSCP, ipip 4 in 4",
	  AROUND(LIST(IP4(CLIENT, AT_IPIP4, .tos = 0xb8, DF), QUERY),
		 OUTER4(.tos = 0xb8, DF)) },
	{ .name = "ECT(0), ipip 4 in 6",
	  AROUND(LIST(IP4(CLIENT, AT_IPIP6, .tos = 0x02), QUERY), OUTER6(.tos = 0x02)) },
	{ .name = "ECT(1), gue 6 in 4",
	  AROUND(LIST(IP6(CLIENT6, AT_GUE4_6, .tos = 0x01), QUERY),
		 OUTER4(.tos = 0x01, DF), GUE_UDP0) },
	{ .name = "DSCP and CE, gue 6 in 6",
	  AROUND(LIST(IP6(CLIENT6, AT_GUE6_6, .tos = 0xbb), QUERY),
		 OUTER6(.tos = 0xbb), GUE_UDP) },
	{ .name = "all of the traffic class, gue 4 in 6",
	  AROUND(LIST(IP4(CLIENT, AT_GUE6, .tos = 0xff, DF), QUERY),
		 OUTER6(.tos = 0xff), GUE_UDP) },

	/* The inner time to live is left alone, the outer one begins anew. */
	{ .name = "a TTL of 1",
	  AROUND(LIST(IP4(CLIENT, AT_IPIP4, .ttl = 1, DF), QUERY), OUTER4(DF)) },
	{ .name = "a hop limit of 1",
	  AROUND(LIST(IP6(CLIENT6, AT_GUE6_6, .ttl = 1), QUERY), OUTER6(), GUE_UDP) },
	{ .name = "a TTL of 255",
	  AROUND(LIST(IP4(CLIENT, AT_GUE4, .ttl = 255, DF), QUERY), OUTER4(DF), GUE_UDP0) },

	/* Options and extension headers are part of what is inside. */
	{ .name = "IP options, ipip 4 in 4",
	  AROUND(LIST(IP4(CLIENT, AT_IPIP4, DF, BYTES(EIGHT EIGHT EIGHT EIGHT EIGHT)), QUERY),
		 OUTER4(DF)) },
	{ .name = "IP options, gue 4 in 6",
	  AROUND(LIST(IP4(CLIENT, AT_GUE6, DF, BYTES(EIGHT "1234")), QUERY),
		 OUTER6(), GUE_UDP) },
	{ .name = "TCP options, gue 4 in 6", .known = true,
	  AROUND(LIST(IP4(CLIENT, AT_GUE6, DF), TCP(PORT, HTTP, BYTES("\x01\x01\x08\x0a" EIGHT))),
		 OUTER6(), GUE_UDP) },
	{ .name = "extension headers, ipip 6 in 6",
	  AROUND(LIST(IP6(CLIENT6, AT_IPIP6_6), EXT(IPPROTO_HOPOPTS), QUERY), OUTER6()) },
	{ .name = "extension headers, gue 6 in 4",
	  AROUND(LIST(IP6(CLIENT6, AT_GUE4_6), EXT(IPPROTO_DSTOPTS, BYTES(EIGHT)), QUERY),
		 OUTER4(DF), GUE_UDP0) },
	{ .name = "extension headers, gue 6 in 6: no UDP checksum",
	  AROUND(LIST(IP6(CLIENT6, AT_GUE6_6), EXT(IPPROTO_HOPOPTS), QUERY),
		 OUTER6(), GUE_UDP0) },

	/* The UDP checksum over IPv6, where it can be had without reading. */
	{ .name = "no UDP checksum inside, gue 4 in 6: none outside",
	  AROUND(LIST(IP4(CLIENT, AT_GUE6, DF), UDP(PORT, DNS, .no_check = true), DATA("x")),
		 OUTER6(), GUE_UDP0) },
	{ .name = "no UDP checksum inside, gue 6 in 6: none outside",
	  AROUND(LIST(IP6(CLIENT6, AT_GUE6_6), UDP(PORT, DNS, .no_check = true), DATA("x")),
		 OUTER6(), GUE_UDP0) },
	{ .name = "bytes behind the datagram, gue 4 in 6: no checksum",
	  AROUND(LIST(IP4(CLIENT, AT_GUE6, DF), UDP(PORT, DNS, .length = 9), DATA("xyz")),
		 OUTER6(), GUE_UDP0) },
	{ .name = "bytes behind the datagram, gue 6 in 6: no checksum",
	  AROUND(LIST(IP6(CLIENT6, AT_GUE6_6), UDP(PORT, DNS, .length = 9), DATA("xyz")),
		 OUTER6(), GUE_UDP0) },
	{ .name = "no payload, gue 4 in 6",
	  AROUND(LIST(IP4(CLIENT, AT_GUE6, DF), UDP(PORT, DNS)), OUTER6(), GUE_UDP) },
	{ .name = "a payload of an odd length, gue 6 in 6",
	  AROUND(LIST(IP6(CLIENT6, AT_GUE6_6), UDP(PORT, DNS), DATA("1234567")),
		 OUTER6(), GUE_UDP) },

	/* What Ethernet added to a short frame is not part of the inner packet. */
	{ .name = "padding, ipip 4 in 4",
	  .in = PKT(ETH(), IP4(CLIENT, AT_IPIP4, DF), UDP(PORT, DNS), PAD(18)),
	  .out = PKT(TO_BACKEND, OUTER4(DF), IP4(CLIENT, AT_IPIP4, DF), UDP(PORT, DNS)) },
	{ .name = "padding, gue 4 in 6, tagged", .known = true,
	  .in = PKT(ETH(), VLAN(42), IP4(CLIENT, AT_GUE6, DF), UDP(PORT, DNS), PAD(14)),
	  .out = PKT(TO_BACKEND, VLAN(42), OUTER6(), GUE_UDP, IP4(CLIENT, AT_GUE6, DF),
		     UDP(PORT, DNS)) },

	/* Tags are outside. */
	{ .name = "a tag stays outside, ipip 4 in 4",
	  .in = PKT(ETH(), VLAN(42), IP4(CLIENT, AT_IPIP4, DF), QUERY),
	  .out = PKT(TO_BACKEND, VLAN(42), OUTER4(DF), IP4(CLIENT, AT_IPIP4, DF), QUERY) },
	{ .name = "two tags stay outside, ipip 6 in 4",
	  .in = PKT(ETH(.type = 0x88a8), VLAN(7), VLAN(42), IP6(CLIENT6, AT_IPIP4_6), QUERY),
	  .out = PKT(ETH(.dst = BACKEND1_MAC, .src = BACK_MAC, .type = 0x88a8), VLAN(7),
		     VLAN(42), OUTER4(DF), IP6(CLIENT6, AT_IPIP4_6), QUERY) },
	{ .name = "a tag is stripped, ipip 4 in 6", .flags = LB_DEVICE_F_TAGS,
	  .in = PKT(ETH(), VLAN(42), IP4(CLIENT, AT_IPIP6, DF), QUERY),
	  .out = PKT(TO_BACKEND, OUTER6(), IP4(CLIENT, AT_IPIP6, DF), QUERY) },
	{ .name = "two tags are stripped, gue 6 in 6", .flags = LB_DEVICE_F_TAGS,
	  .in = PKT(ETH(.type = 0x88a8), VLAN(7), VLAN(42), IP6(CLIENT6, AT_GUE6_6), QUERY),
	  .out = PKT(TO_BACKEND, OUTER6(), GUE_UDP, IP6(CLIENT6, AT_GUE6_6), QUERY) },
	{ .name = "a tag is put on, gue 4 in 4", .tag = { QTAG },
	  .in = PKT(ETH(), IP4(CLIENT, AT_GUE4, DF), QUERY),
	  .out = PKT(TO_BACKEND, VLAN(42), OUTER4(DF), GUE_UDP0,
		     IP4(CLIENT, AT_GUE4, DF), QUERY) },
	{ .name = "two tags for one, gue 4 in 6", .tag = { STAG, QTAG },
	  .in = PKT(ETH(), VLAN(3), IP4(CLIENT, AT_GUE6, DF), QUERY),
	  .out = PKT(ETH(.dst = BACKEND1_MAC, .src = BACK_MAC, .type = 0x88a8), VLAN(7),
		     VLAN(42), OUTER6(), GUE_UDP, IP4(CLIENT, AT_GUE6, DF), QUERY) },

	/* Where it leaves. */
	{ .name = "behind another interface", .backend = FAR_CLIENT, .verdict = XDP_REDIRECT,
	  .in = PKT(ETH(), IP4(CLIENT, AT_IPIP4, DF), QUERY),
	  .out = PKT(ETH(.dst = FAR_CLIENT_MAC, .src = FRONT_MAC),
		     IP4(TUNNEL4, FAR_CLIENT, .plain = true, DF), IP4(CLIENT, AT_IPIP4, DF),
		     QUERY) },
	{ .name = "behind a router, IPv6", .backend = REMOTE_CLIENT6, .known = true,
	  .verdict = XDP_REDIRECT, .in = PKT(ETH(), IP4(CLIENT, AT_GUE6, DF), QUERY),
	  .out = PKT(ETH(.dst = ROUTER_MAC, .src = FRONT_MAC),
		     IP6(TUNNEL6, REMOTE_CLIENT6, .plain = true), GUE_UDP,
		     IP4(CLIENT, AT_GUE6, DF), QUERY) },
	{ .name = "without a route", .backend = LOST_CLIENT, DROP(NO_ROUTE),
	  .in = PKT(ETH(), IP4(CLIENT, AT_IPIP4, DF), QUERY) },
	{ .name = "a backend whose MAC is not known", .backend = SILENT, MARK,
	  .in = PKT(ETH(), IP4(CLIENT, AT_IPIP4, DF), QUERY),
	  .out = PKT(ETH(), IP4(TUNNEL4, SILENT, .plain = true, DF),
		     IP4(CLIENT, AT_IPIP4, DF), QUERY) },
	{ .name = "a backend whose MAC is not known, IPv6, tagged", .backend = SILENT6, MARK,
	  .marked = QTAG, .in = PKT(ETH(), VLAN(42), IP6(CLIENT6, AT_GUE6_6), QUERY),
	  .out = PKT(ETH(), IP6(TUNNEL6, SILENT6, .plain = true), GUE_UDP,
		     IP6(CLIENT6, AT_GUE6_6), QUERY) },

	/* The backend's state, and tunnels that come from nowhere. */
	{ .name = "a backend that drains keeps its flow", .known = true,
	  .state = LB_BACKEND_DRAIN,
	  AROUND(LIST(IP4(CLIENT, AT_IPIP4, DF), GET), OUTER4(DF)) },
	{ .name = "a backend that is down", .known = true, .state = LB_BACKEND_DOWN,
	  DROP(BACKEND_DOWN), .in = PKT(ETH(), IP4(CLIENT, AT_IPIP4, DF), GET) },
	{ .name = "no source", .no_source = true, DROP(NO_SOURCE),
	  .in = PKT(ETH(), IP4(CLIENT, AT_IPIP4, DF), QUERY) },
	{ .name = "a source of the other family", .source = SOURCE6, DROP(NO_SOURCE),
	  .in = PKT(ETH(), IP4(CLIENT, AT_IPIP4, DF), QUERY) },
};
/* clang-format on */

/* ---- a source that is a prefix --------------------------------------------------------- */

#define CLIENTS 200

static void a_source_prefix_is_spread_by_flow(void **state)
{
	static const struct {
		const char *service;
		__u32 source;
		size_t at, len; /* of the source address behind the prefix */
	} cases[] = {
		{ AT_IPIP4, SPREAD4, 14 + 12 + 2, 2 },
		{ AT_GUE6, SPREAD6, 14 + 8 + 8, 8 },
	};
	struct run r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		__u8 seen[CLIENTS][8], prefix[8];
		__u32 different = 0;

		one_way_afresh();
		for (int n = 0; n < CLIENTS; n++) {
			const struct layer *in = PKT(ETH(), IP4(CLIENT, cases[i].service),
						     UDP(PORT + n, DNS));
			bool new = true;

			one_way_set_backend(one_way_service(in),
					    i ? BACKEND1_6 : BACKEND1, cases[i].source);
			for (int again = 0; again < 2; again++) {
				stage_run_layers(one_way_parse, in, hosts_back, &r);
				assert_int_equal(r.verdict, XDP_TX);
				if (again) /* a flow keeps its own */
					assert_memory_equal(seen[n], r.pkt + cases[i].at,
							    cases[i].len);
				memcpy(seen[n], r.pkt + cases[i].at, cases[i].len);
			}
			if (!i) /* the outer header is right, whatever is in it */
				assert_int_equal(packet_sum(r.pkt + 14, 20, 0), 0xffff);
			inet_pton(i ? AF_INET6 : AF_INET,
				  i ? "2001:db8:5:6::" : "172.16.0.0", prefix);
			assert_memory_equal(r.pkt + (i ? 14 + 8 : 14 + 12), prefix,
					    i ? 8 : 2);
			for (int m = 0; m < n; m++)
				new &= memcmp(seen[m], seen[n], cases[i].len) != 0;
			different += new;
		}
		/* Of 65534 addresses 200 flows take 199.7 in the mean. */
		assert_in_range(different, CLIENTS - 6, CLIENTS);
	}
}

/* A network's own address and its broadcast address are nobody's. */
static void no_source_is_the_first_or_last_of_its_prefix(void **state)
{
	/* Of /30, /31 and /32; bit i: first + i is used. */
	const __u32 wanted[] = { 0x6, 0x3, 0x1 };
	struct lb_source source;
	struct run r;

	(void)state;
	world_get(&one_way_stage, "lb_sources", SPREAD4, &source);
	for (int i = 0; i < 3; i++) {
		struct lb_source narrow = { .family = 4, .prefix = 30 + i };
		__u32 used = 0;

		world_address("172.16.4.8", narrow.address);
		world_put(&one_way_stage, "lb_sources", SPREAD4, &narrow);
		one_way_afresh();
		for (int n = 0; n < 64; n++) {
			const struct layer *in =
				PKT(ETH(), IP4(CLIENT, AT_GUE4), UDP(PORT + n, DNS));

			one_way_set_backend(one_way_service(in), BACKEND1, SPREAD4);
			stage_run_layers(one_way_parse, in, hosts_back, &r);
			assert_int_equal(r.verdict, XDP_TX);
			assert_memory_equal(r.pkt + 14 + 12, "\xac\x10\x04", 3);
			used |= 1U << (r.pkt[14 + 15] - 8);
		}
		assert_int_equal(used, wanted[i]);
	}
	world_put(&one_way_stage, "lb_sources", SPREAD4, &source);
}

/* ---- identification ---------------------------------------------------------------------- */

static void an_id_is_random_where_fragments_may_be(void **state)
{
	const struct layer *in = PKT(ETH(), IP4(CLIENT, AT_IPIP4), QUERY);
	__u16 id[16], same = 0;
	struct run r;

	(void)state;
	one_way_afresh();
	for (int i = 0; i < 16; i++) {
		stage_run_layers(one_way_parse, in, hosts_back, &r);
		memcpy(&id[i], r.pkt + 14 + 4, 2);
		for (int j = 0; j < i; j++)
			same += id[i] == id[j];
	}
	assert_in_range(same, 0, 2);
}

int main(void)
{
	static const struct CMUnitTest more[] = {
		cmocka_unit_test(a_source_prefix_is_spread_by_flow),
		cmocka_unit_test(no_source_is_the_first_or_last_of_its_prefix),
		cmocka_unit_test(an_id_is_random_where_fragments_may_be),
	};

	return one_way_run_rows("encap", rows, sizeof(rows) / sizeof(rows[0]), more,
				sizeof(more) / sizeof(more[0]));
}
