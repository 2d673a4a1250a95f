// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_address - what is and what is not an address, a service, a backend, a number, a
 * time; and that what is printed is what is read.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "address.h"
#include "number.h"

struct example {
	const char *in;
	const char *out; /* NULL: refused */
};

static void check(const struct example *e, const char *wrong, const char *got)
{
	if (!e->out && !wrong)
		fail_msg("'%s' is read as '%s'", e->in, got);
	if (e->out && wrong)
		fail_msg("'%s': %s", e->in, wrong);
	if (e->out && strcmp(e->out, got))
		fail_msg("'%s' is read as '%s', not '%s'", e->in, got, e->out);
}

static void services_are_read_strictly(void **state)
{
	static const struct example examples[] = {
		{ "10.0.0.10:80/tcp", "10.0.0.10:80/tcp" },
		{ "10.0.0.10:1/udp", "10.0.0.10:1/udp" },
		{ "10.0.0.10:65535/tcp", "10.0.0.10:65535/tcp" },
		{ "[2001:db8::1]:53/udp", "[2001:db8::1]:53/udp" },
		{ "[2001:DB8:0:0::1]:53/udp", "[2001:db8::1]:53/udp" },
		{ "10.0.0.10:any/tcp", "10.0.0.10:any/tcp" },
		{ "10.0.0.10:*/udp", "10.0.0.10:any/udp" },
		{ "10.0.0.10:80-90/tcp", "10.0.0.10:80-90/tcp" },
		{ "10.0.0.10:80-80/tcp", "10.0.0.10:80/tcp" },
		{ "10.0.0.10:1-65535/udp", "10.0.0.10:1-65535/udp" },
		{ "[2001:db8::1]:any/tcp", "[2001:db8::1]:any/tcp" },
		{ "10.0.0.0/28:80/tcp", "10.0.0.0/28:80/tcp" },
		{ "10.0.0.0/28:any/udp", "10.0.0.0/28:any/udp" },
		{ "10.0.0.10/32:80/tcp", "10.0.0.10:80/tcp" },
		{ "127.0.0.0/8:80-90/tcp", "127.0.0.0/8:80-90/tcp" },
		{ "[2001:db8::]/64:80/tcp", "[2001:db8::]/64:80/tcp" },
		{ "[2001:db8::1]/128:80/tcp", "[2001:db8::1]:80/tcp" },
		{ "10.0.0.10/icmp", "10.0.0.10/icmp" },
		{ "[2001:db8::1]/icmp", "[2001:db8::1]/icmp" },
		{ "10.0.0.0/28/icmp", "10.0.0.0/28/icmp" },
		{ "[2001:db8:ffff:ffff:ffff:ffff:ffff:fffe]/127:10000-65535/tcp",
		  "[2001:db8:ffff:ffff:ffff:ffff:ffff:fffe]/127:10000-65535/tcp" },
		{ "10.0.0.10:0/tcp", NULL },
		{ "10.0.0.10:65536/tcp", NULL },
		{ "10.0.0.10:080/tcp", NULL },
		{ "10.0.0.10:+80/tcp", NULL },
		{ "10.0.0.10: 80/tcp", NULL },
		{ "10.0.0.10:80 /tcp", NULL },
		{ "10.0.0.10:-1/tcp", NULL },
		{ "10.0.0.10:99999999999999999999/tcp", NULL },
		{ "10.0.0.10:/tcp", NULL },
		{ "10.0.0.10/tcp", NULL },
		{ "10.0.0.10:80", NULL },
		{ "10.0.0.10:80/", NULL },
		{ "10.0.0.10:80/sctp", NULL },
		{ "10.0.0.10:80/TCP", NULL },
		{ "10.0.0.10:80/icmp", NULL },
		{ "10.0.0.10:any/icmp", NULL },
		{ "10.0.0.10:ANY/tcp", NULL },
		{ "10.0.0.10:90-80/tcp", NULL },
		{ "10.0.0.10:0-80/tcp", NULL },
		{ "10.0.0.10:80-/tcp", NULL },
		{ "10.0.0.10:-80/tcp", NULL },
		{ "10.0.0.10:80-90-100/tcp", NULL },
		{ "10.0.0.10:80-65536/tcp", NULL },
		{ "10.0.0.0/33:80/tcp", NULL },
		{ "10.0.0.0/:80/tcp", NULL },
		{ "10.0.0.0/028:80/tcp", NULL },
		{ "10.0.0.0/24:/tcp", NULL },
		{ "10.0.0.0/24/tcp", NULL },
		{ "10.0.0.10/28:80/tcp", NULL },
		{ "0.0.0.0/0:80/tcp", NULL },
		{ "128.0.0.0/1:80/tcp", NULL },
		{ "224.0.0.0/8:80/tcp", NULL },
		{ "[2001:db8::/64]:80/tcp", NULL },
		{ "[2001:db8::]/129:80/tcp", NULL },
		{ "[2001:db8::1]/64:80/tcp", NULL },
		{ "[2001:db8::]/64", NULL },
		{ "[::]/0:80/tcp", NULL },
		{ "[fe80::]/64:80/tcp", NULL },
		{ "[2001:db8::1]:icmp", NULL },
		{ "icmp", NULL },
		{ "10.0.0.256:80/tcp", NULL },
		{ "10.0.0:80/tcp", NULL },
		{ "010.0.0.1:80/tcp", NULL },
		{ "10.0.0.1.5:80/tcp", NULL },
		{ "0.0.0.0:80/tcp", NULL },
		{ "224.0.0.1:80/tcp", NULL },
		{ "255.255.255.255:80/tcp", NULL },
		{ "localhost:80/tcp", NULL },
		{ "[10.0.0.1]:80/tcp", NULL },
		{ "2001:db8::1:80/tcp", NULL },
		{ "[2001:db8::1:80/tcp", NULL },
		{ "[2001:db8::1]80/tcp", NULL },
		{ "[2001:db8::1]/tcp", NULL },
		{ "[::]:80/tcp", NULL },
		{ "[ff02::1]:80/tcp", NULL },
		{ "[fe80::1]:80/tcp", NULL },
		{ "[::ffff:10.0.0.1]:80/tcp", NULL },
		{ "[2001:db8::1%eth0]:80/tcp", NULL },
		{ "[2001:db8::g]:80/tcp", NULL },
		{ "", NULL },
		{ "/", NULL },
		{ ":80/tcp", NULL },
		{ "[]:80/tcp", NULL },
	};
	char text[ENDPOINT_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct service_name name;
		const char *wrong = service_parse(examples[i].in, &name);

		check(&examples[i], wrong, wrong ? "" : service_format(&name, text));
	}
}

static void the_right_prefix_is_named(void **state)
{
	static const struct example examples[] = {
		{ "10.0.0.10/28:80/tcp", "10.0.0.0/28:80/tcp" },
		{ "10.0.0.129/25:any/udp", "10.0.0.128/25:any/udp" },
		{ "10.255.0.1/9/icmp", "10.128.0.0/9/icmp" },
		{ "[2001:db8::1]/64:80-90/tcp", "[2001:db8::]/64:80-90/tcp" },
		{ "[2001:db8:0:1::]/63:80/tcp", "[2001:db8::]/63:80/tcp" },
	};
	char text[ENDPOINT_TEXT_SIZE];
	struct service_name name;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		assert_non_null(service_parse(examples[i].in, &name));
		assert_string_equal(service_format(&name, text), examples[i].out);
	}

	/* Nothing is meant where something else is wrong. */
	assert_non_null(service_parse("10.0.0.10/33:80/tcp", &name));
	assert_int_equal(name.address.family, 0);
	assert_non_null(service_parse("0.0.0.1/1:80/tcp", &name));
	assert_int_equal(name.address.family, 0);
	assert_non_null(service_parse("10.0.0.256:80/tcp", &name));
	assert_int_equal(name.address.family, 0);
	assert_non_null(service_parse("10.0.0.1:0/tcp", &name));
	assert_int_equal(name.address.family, 0);
}

static void icmp_follows_the_family(void **state)
{
	struct service_name name;

	(void)state;
	assert_null(service_parse("10.0.0.10/icmp", &name));
	assert_int_equal(name.protocol, IPPROTO_ICMP);
	assert_int_equal(name.prefix, 32);
	assert_int_equal(name.port, 0);
	assert_int_equal(name.port_last, 0);
	assert_null(service_parse("[2001:db8::1]/icmp", &name));
	assert_int_equal(name.protocol, IPPROTO_ICMPV6);
	assert_int_equal(name.prefix, 128);
	assert_null(service_parse("10.0.0.10:any/tcp", &name));
	assert_int_equal(name.port, 0);
	assert_int_equal(name.port_last, 65535);
}

static void a_longer_text_than_any_service_is_refused(void **state)
{
	char text[4096];
	struct service_name name;
	struct address a;
	unsigned int length;
	__u16 port;

	(void)state;
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_non_null(service_parse(text, &name));
	assert_non_null(backend_parse(text, &a, &port));
	assert_non_null(address_parse(text, &a));
	assert_non_null(network_parse(text, &a, &length));
}

static void backends_may_leave_the_port_out(void **state)
{
	static const struct example examples[] = {
		{ "10.0.0.2:8080", "10.0.0.2:8080" },
		{ "10.0.0.2", "10.0.0.2" },
		{ "[2001:db8::2]:8080", "[2001:db8::2]:8080" },
		{ "[2001:db8::2]", "[2001:db8::2]" },
		{ "2001:db8::2", "[2001:db8::2]" },
		{ "10.0.0.2:0", NULL },
		{ "10.0.0.2:65536", NULL },
		{ "10.0.0.2:", NULL },
		{ "10.0.0.2/tcp", NULL },
		{ "10.0.1.700:80", NULL },
		{ "[2001:db8::2]:", NULL },
		{ "[2001:db8::2", NULL },
		{ "host", NULL },
		{ "", NULL },
	};
	char text[ENDPOINT_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct address a;
		__u16 port;
		const char *wrong = backend_parse(examples[i].in, &a, &port);

		check(&examples[i], wrong, wrong ? "" : backend_format(&a, port, text));
	}
}

static void networks_hold_what_their_prefix_says(void **state)
{
	static const struct {
		const char *network, *address;
		bool holds;
	} examples[] = {
		{ "10.0.0.0/8", "10.255.1.2", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.1", "10.0.0.3", false },
		{ "0.0.0.0/0", "192.0.2.1", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "2001:db8::1/128", "2001:db8::1", true },
		{ "2001:db8::1/128", "2001:db8::3", false },
	};
	unsigned int length;
	struct address network, a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		assert_null(network_parse(examples[i].network, &network, &length));
		assert_null(address_parse(examples[i].address, &a));
		if (address_in_network(&a, &network, length) != examples[i].holds)
			fail_msg("%s in %s", examples[i].address, examples[i].network);
	}
	assert_non_null(network_parse("10.0.0.0/33", &network, &length));
	assert_non_null(network_parse("10.0.0.0/", &network, &length));
	assert_non_null(network_parse("2001:db8::/129", &network, &length));
	assert_non_null(network_parse("10.0.0.0/-1", &network, &length));
}

static void numbers_are_digits_in_range(void **state)
{
	unsigned long n = 7;

	(void)state;
	assert_true(number_parse("0", 0, 65535, &n) && n == 0);
	assert_true(number_parse("65535", 0, 65535, &n) && n == 65535);
	assert_false(number_parse("65536", 0, 65535, &n));
	assert_false(number_parse("-1", 0, 65535, &n));
	assert_false(number_parse("+1", 0, 65535, &n));
	assert_false(number_parse("", 0, 65535, &n));
	assert_false(number_parse(" 1", 0, 65535, &n));
	assert_false(number_parse("1 ", 0, 65535, &n));
	assert_false(number_parse("0x10", 0, 65535, &n));
	assert_false(number_parse("01", 0, 65535, &n));
	assert_false(number_parse("1e3", 0, 65535, &n));
	assert_false(number_parse("18446744073709551616", 0, ~0UL, &n));
}

static void times_have_a_unit_or_are_seconds(void **state)
{
	static const struct {
		const char *in;
		__u64 ms;
		const char *out;
	} examples[] = {
		{ "90", 90000, "90s" },	   { "90s", 90000, "90s" },
		{ "120s", 120000, "2m" },  { "1500ms", 1500, "1500ms" },
		{ "2m", 120000, "2m" },	   { "3h", 10800000, "3h" },
		{ "7d", 604800000, "7d" }, { "0", 0, "0s" },
	};
	char text[NUMBER_TEXT_SIZE];
	size_t i;
	__u64 ms;

	(void)state;
	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		assert_true(time_parse(examples[i].in, &ms));
		assert_int_equal(ms, examples[i].ms);
		assert_string_equal(time_format(ms, text), examples[i].out);
	}
	assert_false(time_parse("", &ms));
	assert_false(time_parse("s", &ms));
	assert_false(time_parse("-1s", &ms));
	assert_false(time_parse("1w", &ms));
	assert_false(time_parse("1 s", &ms));
	assert_false(time_parse("1.5s", &ms));
	assert_false(time_parse("31d", &ms));
	assert_false(time_parse("99999999999999999999999999999999999s", &ms));
}

static void large_counts_are_shortened(void **state)
{
	char text[NUMBER_TEXT_SIZE];

	(void)state;
	assert_string_equal(count_format(0, text), "0");
	assert_string_equal(count_format(121588, text), "121588");
	assert_string_equal(count_format(999999, text), "999999");
	assert_string_equal(count_format(1000000, text), "1.0M");
	assert_string_equal(count_format(91204417233ULL, text), "91.2G");
	assert_string_equal(count_format(999999999, text), "1.0G");
	assert_string_equal(count_format(~0ULL, text), "18.4E");
	assert_string_equal(age_format(59, text), "59s");
	assert_string_equal(age_format(842, text), "14m02s");
	assert_string_equal(age_format(90061, text), "1d01h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_are_read_strictly),
		cmocka_unit_test(the_right_prefix_is_named),
		cmocka_unit_test(icmp_follows_the_family),
		cmocka_unit_test(a_longer_text_than_any_service_is_refused),
		cmocka_unit_test(backends_may_leave_the_port_out),
		cmocka_unit_test(networks_hold_what_their_prefix_says),
		cmocka_unit_test(numbers_are_digits_in_range),
		cmocka_unit_test(times_have_a_unit_or_are_seconds),
		cmocka_unit_test(large_counts_are_shortened),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
