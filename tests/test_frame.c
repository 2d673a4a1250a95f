// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_frame - headers made of words, and read again.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "frame.h"

static struct address address_of(__u8 family, __u32 first, __u32 last)
{
	struct address a = { .family = family, .word = { htonl(first) } };

	if (family == 6)
		a.word[3] = htonl(last);
	return a;
}

static const struct row {
	const char *name;
	__u8 family, protocol, flags;
	const char *text;
	__u32 length;
} rows[] = {
	{ "TCP over IPv4", 4, IPPROTO_TCP, 2, "10.0.0.1:4711 -> 10.0.0.10:80 tcp S", 54 },
	{ "flags in one order", 4, IPPROTO_TCP, 0x19,
	  "10.0.0.1:4711 -> 10.0.0.10:80 tcp FPA", 54 },
	{ "no flags", 4, IPPROTO_TCP, 0, "10.0.0.1:4711 -> 10.0.0.10:80 tcp -", 54 },
	{ "UDP over IPv4", 4, IPPROTO_UDP, 0, "10.0.0.1:4711 -> 10.0.0.10:80 udp", 42 },
	{ "an echo request", 4, IPPROTO_ICMP, 0, "10.0.0.1 -> 10.0.0.10 icmp", 42 },
	{ "TCP over IPv6", 6, IPPROTO_TCP, 0x12, "[fd00::1]:4711 -> [fd00::10]:80 tcp SA",
	  74 },
	{ "UDP over IPv6", 6, IPPROTO_UDP, 0, "[fd00::1]:4711 -> [fd00::10]:80 udp", 62 },
	{ "an echo request over IPv6", 6, IPPROTO_ICMPV6, 0,
	  "[fd00::1] -> [fd00::10] icmp6", 62 },
};

static struct frame frame_of(const struct row *row)
{
	bool is_ipv4 = row->family == 4;

	return (struct frame){
		.source = address_of(row->family, is_ipv4 ? 0x0a000001 : 0xfd000000, 1),
		.destination =
			address_of(row->family, is_ipv4 ? 0x0a00000a : 0xfd000000, 0x10),
		.protocol = row->protocol,
		.sport = 4711,
		.dport = 80,
		.tcp_flags = row->flags,
	};
}

static __u32 sum(const __u8 *at, size_t n, __u32 total)
{
	for (size_t i = 0; i < n; i++)
		total += i & 1 ? at[i] : at[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

/* With its own checksum in it, what is right sums up to ones. */
static void check_sums(const struct row *row, const __u8 *packet, __u32 length)
{
	size_t l4 = row->family == 4 ? 34 : 54;
	__u32 pseudo = row->protocol + length - l4;

	if (row->family == 4)
		assert_int_equal(sum(packet + 14, 20, 0), 0xffff);
	pseudo = row->family == 4 ? sum(packet + 26, 8, pseudo)
				  : sum(packet + 22, 32, pseudo);
	if (row->protocol == IPPROTO_ICMP)
		pseudo = 0;
	assert_int_equal(sum(packet + l4, length - l4, pseudo), 0xffff);
}

static void is_read_as_it_was_made(void **state)
{
	const struct row *row = *state;
	struct frame f = frame_of(row), read;
	__u8 packet[FRAME_MADE_MAX];
	char text[FRAME_TEXT_SIZE];
	__u32 length = frame_make(&f, packet);

	assert_int_equal(length, row->length);
	check_sums(row, packet, length);
	frame_read(packet, length, &read);
	assert_string_equal(frame_text(&read, text), row->text);
}

/* Cut anywhere, nothing behind the end is read: ASan and valgrind see it. */
static void may_be_cut(void **state)
{
	const struct row *row = *state;
	struct frame f = frame_of(row), read;
	__u8 packet[FRAME_MADE_MAX];
	char text[FRAME_TEXT_SIZE];
	__u32 length = frame_make(&f, packet);

	for (__u32 n = 0; n < length; n++) {
		__u8 *cut = malloc(n ?: 1);

		memcpy(cut, packet, n);
		frame_read(cut, n, &read);
		assert_non_null(frame_text(&read, text));
		free(cut);
	}
}

static void flags_are_letters(void **state)
{
	__u8 flags;

	(void)state;
	assert_true(tcp_flags_parse("SA", &flags));
	assert_int_equal(flags, 0x12);
	assert_true(tcp_flags_parse("AS", &flags));
	assert_int_equal(flags, 0x12);
	assert_true(tcp_flags_parse("none", &flags));
	assert_int_equal(flags, 0);
	assert_false(tcp_flags_parse("", &flags));
	assert_false(tcp_flags_parse("SX", &flags));
	assert_false(tcp_flags_parse("syn", &flags));
}

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
	struct CMUnitTest units[2 * N_ROWS + 1];
	size_t n = 0;

	for (size_t i = 0; i < N_ROWS; i++) {
		units[n++] = (struct CMUnitTest){ .name = rows[i].name,
						  .test_func = is_read_as_it_was_made,
						  .initial_state = (void *)&rows[i] };
		units[n++] = (struct CMUnitTest){ .name = rows[i].name,
						  .test_func = may_be_cut,
						  .initial_state = (void *)&rows[i] };
	}
	units[n++] = (struct CMUnitTest)cmocka_unit_test(flags_are_letters);
	return _cmocka_run_group_tests("frame", units, n, NULL, NULL);
}
