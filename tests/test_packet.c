// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_packet.c - the packet builder, against bytes and checksums from elsewhere.
 *
 * Every test that expects a packet trusts the builder, so its checksums are compared
 * with numbers computed by other programs and are verified the way a receiver does.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "packet.h"

#define CLIENT	 "192.0.2.7"
#define SERVICE	 "10.0.0.10"
#define CLIENT6	 "2001:db8:c::7"
#define SERVICE6 "2001:db8::10"

static __u8 pkt[PACKET_MAX];

static __u16 at16(size_t offset)
{
	return pkt[offset] << 8 | pkt[offset + 1];
}

static void sum_of_a_known_header(void **state)
{
	/* The example of the article "Internet checksum". */
	static const __u8 header[] = {
		0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
	};
	/* The example of RFC 1071, section 3. */
	static const __u8 rfc[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(packet_sum(header, sizeof(header), 0), 0xffff);
	assert_int_equal(packet_sum(rfc, sizeof(rfc), 0), 0xddf2);
}

static void udp_over_ip4_byte_for_byte(void **state)
{
	/* clang-format off */
	static const __u8 want[] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0x00,	/* Ethernet */
		0x00, 0x2a, 0x08, 0x00,					/* VLAN 42 */
		0x45, 0, 0, 33, 0x12, 0x34, 0, 0, 64, 17, 0x9c, 0x87,	/* IPv4 */
		192, 0, 2, 7, 10, 0, 0, 10,
		0x7a, 0x69, 0, 53, 0, 13, 0x75, 0x52,			/* UDP */
		'h', 'e', 'l', 'l', 'o',
	};
	/* clang-format on */
	size_t len;

	(void)state;
	len = packet_build(pkt, PKT(ETH(), VLAN(42), IP4(CLIENT, SERVICE), UDP(31337, 53),
				    DATA("hello")));
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(pkt, want, len);
}

static void tcp_with_options_over_ip6(void **state)
{
	size_t len;

	(void)state;
	len = packet_build(pkt,
			   PKT(ETH(), IP6(CLIENT6, SERVICE6),
			       TCP(31337, 80, .seq = 0x01020304, .ack = 0x0a0b0c0d,
				   .flags = TH_PSH | TH_ACK, BYTES("\x02\x04\x05\xb4")),
			       DATA("odd")));
	assert_int_equal(len, 14 + 40 + 24 + 3);
	assert_int_equal(at16(12), 0x86dd);
	assert_int_equal(at16(18), 27); /* payload length */
	assert_int_equal(pkt[20], IPPROTO_TCP);
	assert_int_equal(at16(54 + 16), 0xd94b);
}

static void icmp_echo(void **state)
{
	(void)state;
	packet_build(pkt, PKT(ETH(), IP4(CLIENT, SERVICE),
			      ICMP(8, .sport = 7, .dport = 9), DATA("ping")));
	assert_int_equal(at16(34 + 2), 0x191f);
	packet_build(pkt, PKT(ETH(), IP6(CLIENT6, SERVICE6),
			      ICMP(128, .sport = 7, .dport = 9), DATA("ping")));
	assert_int_equal(at16(54 + 2), 0x4543);
}

static void udp_checksum_zero(void **state)
{
	(void)state;
	packet_build(pkt,
		     PKT(ETH(), IP4(CLIENT, SERVICE), UDP(31337, 53, .no_check = true)));
	assert_int_equal(at16(34 + 6), 0);
	/* A payload for which the sum comes out as zero. */
	packet_build(pkt,
		     PKT(ETH(), IP4(CLIENT, SERVICE), UDP(31337, 53), DATA("\xb9\x2a")));
	assert_int_equal(at16(34 + 6), 0xffff);
}

static void extension_headers_name_the_next(void **state)
{
	(void)state;
	packet_build(pkt, PKT(ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_HOPOPTS),
			      EXT(IPPROTO_DSTOPTS, BYTES("12345678")),
			      EXT(IPPROTO_FRAGMENT, .frag = 1), UDP(1, 2)));
	assert_int_equal(pkt[14 + 6], IPPROTO_HOPOPTS);
	assert_int_equal(pkt[54], IPPROTO_DSTOPTS);
	assert_int_equal(pkt[54 + 1], 0);
	assert_int_equal(pkt[62], IPPROTO_FRAGMENT);
	assert_int_equal(pkt[62 + 1], 1);
	assert_int_equal(pkt[78], IPPROTO_UDP);
	assert_int_equal(at16(78 + 2), 1);
	assert_int_equal(at16(86 + 4), 8); /* UDP length */
}

static void options_and_two_tags(void **state)
{
	size_t len;

	(void)state;
	len = packet_build(pkt, PKT(ETH(.type = 0x88a8), VLAN(1), VLAN(2),
				    IP4(CLIENT, SERVICE, BYTES("\x94\x04\x00\x00")),
				    TCP(1, 2), PAD(6)));
	assert_int_equal(len, 14 + 8 + 24 + 20 + 6);
	assert_int_equal(at16(12), 0x88a8);
	assert_int_equal(at16(16), 0x8100);
	assert_int_equal(at16(20), 0x0800);
	assert_int_equal(pkt[22], 0x46);
	assert_int_equal(at16(24), 44); /* the padding is not in it */
	assert_int_equal(packet_sum(pkt + 22, 24, 0), 0xffff);
	assert_int_equal(packet_sum(pkt + 46, 20, packet_sum(pkt + 34, 8, 6 + 20)),
			 0xffff);
}

/* The quote speaks of bytes that are not there; what is around it does not. */
static void a_quote_that_is_cut(void **state)
{
	const struct layer *quoted =
		PKT(ETH(), IP4(SERVICE, CLIENT), TCP(80, 31337), DATA("12345678"));
	__u8 whole[PACKET_MAX];
	size_t len;

	(void)state;
	packet_build(whole, quoted);
	len = packet_build(pkt,
			   PKT(ETH(), IP4(CLIENT, SERVICE),
			       ICMP(3, .code = 4, .dport = 1400), IP4(SERVICE, CLIENT),
			       TCP(80, 31337), DATA("12345678"), CUT(20), PAD(5)));
	assert_int_equal(len, 14 + 20 + 8 + 28 + 5);
	assert_int_equal(at16(16), 20 + 8 + 28);
	assert_int_equal(pkt[34 + 1], 4);
	assert_int_equal(at16(34 + 6), 1400);
	assert_int_equal(packet_sum(pkt + 14, 20, 0), 0xffff);
	assert_int_equal(packet_sum(pkt + 34, 8 + 28, 0), 0xffff);
	assert_memory_equal(pkt + 42, whole + 14, 28);
	assert_int_equal(pkt[70], 0xee);
}

/* The outer checksum covers what the inner ones came to be. */
static void a_whole_quote(void **state)
{
	const struct layer *quoted = PKT(ETH(), IP6(SERVICE6, CLIENT6), UDP(53, 31337));
	__u8 whole[PACKET_MAX];
	size_t len;

	(void)state;
	packet_build(whole, quoted);
	len = packet_build(pkt, PKT(ETH(), IP6(CLIENT6, SERVICE6), ICMP(1, .code = 4),
				    IP6(SERVICE6, CLIENT6), UDP(53, 31337)));
	assert_int_equal(len, 14 + 40 + 8 + 48);
	assert_memory_equal(pkt + 62, whole + 14, 48);
	assert_int_equal(packet_sum(pkt + 54, 56, packet_sum(pkt + 22, 32, 58 + 56)),
			 0xffff);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(sum_of_a_known_header),
		cmocka_unit_test(udp_over_ip4_byte_for_byte),
		cmocka_unit_test(tcp_with_options_over_ip6),
		cmocka_unit_test(icmp_echo),
		cmocka_unit_test(udp_checksum_zero),
		cmocka_unit_test(extension_headers_name_the_next),
		cmocka_unit_test(options_and_two_tags),
		cmocka_unit_test(a_quote_that_is_cut),
		cmocka_unit_test(a_whole_quote),
	};
	return cmocka_run_group_tests_name("packet", units, NULL, NULL);
}
