// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_match.c - the policy match: which payload goes where, to the byte.
 */
#include <string.h>

#include "match_ask.h"

static void length_and_tag_name_the_backend(void **state)
{
	static const char *const others[] = { "603", "60", "6001", "60\1", "\0", "006" };

	(void)state;
	for (size_t f = 0; f < n_match_frames; f++) {
		for (size_t n = 288; n <= 296; n++) {
			bool inside = n >= 290 && n <= 294;

			match_expect(&match_frames[f], n, "600",
				     inside ? TO_5001 : DROPPED);
			match_expect(&match_frames[f], n, "601",
				     inside ? TO_5002 : DROPPED);
			match_expect(&match_frames[f], n, "602",
				     inside ? TO_5003 : DROPPED);
			for (size_t i = 0; i < 6; i++)
				match_expect(&match_frames[f], n, others[i],
					     inside && i == 2 ? TO_5001 : DROPPED);
		}
		match_expect(&match_frames[f], 1, "600", DROPPED);
		match_expect(&match_frames[f], 1400, "600", DROPPED);
	}
}

static void the_tag_is_where_it_shall_be(void **state)
{
	(void)state;
	for (size_t f = 0; f < n_match_frames; f++)
		for (size_t at = 0; at < 288; at++)
			assert_int_equal(match_ask_frame(&match_frames[f], 292, at, "601",
							 0),
					 at == 20 ? TO_5002 : DROPPED);
}

/* A payload of 289 does not become one of 290 by what Ethernet fills up. */
static void padding_is_no_payload(void **state)
{
	static const struct lb_match_rules late = {
		.n = 1,
		.rule = { RULE(0, ANY, 8, "\0\0\0", TO_5001) },
	};

	(void)state;
	for (size_t f = 0; f < n_match_frames; f++) {
		assert_int_equal(match_ask_frame(&match_frames[f], 289, 20, "600", 5),
				 DROPPED);
		assert_int_equal(match_ask_frame(&match_frames[f], 290, 20, "600", 5),
				 TO_5001);
		assert_int_equal(match_ask_frame(&match_frames[f], 294, 20, "600", 5),
				 TO_5001);
	}
	match_set_rules(&late);
	for (size_t f = 0; f < n_match_frames; f++)
		assert_int_equal(match_ask_frame(&match_frames[f], 9, 0, "", 9), DROPPED);
	match_set_rules(&match_tags);
}

/* What goes up with a TCP connection: SYN, ACK, FIN, without a payload. */
static void segments_without_payload_go_to_the_first_rules_backend(void **state)
{
	static const __u8 flags[] = { TH_SYN, TH_ACK, TH_FIN | TH_ACK, TH_RST };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(match_ask(PKT(ETH(), IP4(CLIENT, SERVICE),
					       TCP(31337, PORT, .flags = flags[i]))),
				 TO_5001);
		assert_int_equal(match_ask(PKT(ETH(), IP4(CLIENT, SERVICE),
					       TCP(31337, PORT, .flags = flags[i]),
					       PAD(6))),
				 TO_5001);
		assert_int_equal(match_ask(PKT(ETH(), IP6(CLIENT6, SERVICE6),
					       TCP(31337, PORT, .flags = flags[i]))),
				 TO_5001);
	}
}

static void datagrams_without_payload_are_matched_as_all_others(void **state)
{
	static const struct lb_match_rules empty = {
		.n = 2,
		.rule = { RULE(1, ANY, 0, "", TO_5001), RULE(0, 0, 0, "", TO_5002) },
	};

	(void)state;
	assert_int_equal(match_ask_frame(&match_frames[1], 0, 0, "", 0), DROPPED);
	match_set_rules(&empty);
	assert_int_equal(match_ask_frame(&match_frames[1], 0, 0, "", 0), TO_5002);
	assert_int_equal(match_ask_frame(&match_frames[1], 0, 0, "", 18), TO_5002);
	assert_int_equal(match_ask_frame(&match_frames[1], 1, 0, "", 0), TO_5001);
	match_set_rules(&match_tags);
}

static void bytes_at_the_end_of_the_packet(void **state)
{
	static const struct lb_match_rules end = {
		.n = 2,
		.rule = { RULE(0, ANY, 97, "xyz", TO_5002),
			  RULE(0, ANY, 1384, "0123456789abcdef", TO_5003) },
	};

	(void)state;
	match_set_rules(&end);
	for (size_t f = 0; f < n_match_frames; f++) {
		assert_int_equal(match_ask_frame(&match_frames[f], 99, 97, "xyz", 0),
				 DROPPED);
		assert_int_equal(match_ask_frame(&match_frames[f], 100, 97, "xyz", 0),
				 TO_5002);
		assert_int_equal(match_ask_frame(&match_frames[f], 1399, 1384,
						 "0123456789abcdef", 0),
				 DROPPED);
		assert_int_equal(match_ask_frame(&match_frames[f], 1400, 1384,
						 "0123456789abcdef", 0),
				 TO_5003);
		assert_int_equal(match_ask_frame(&match_frames[f], 1400, 1384,
						 "0123456789abcdeF", 0),
				 DROPPED);
		assert_int_equal(match_ask_frame(&match_frames[f], 1400, 1384,
						 "x123456789abcdef", 0),
				 DROPPED);
	}
	match_set_rules(&match_tags);
}

static void a_tcp_header_longer_than_the_packet(void **state)
{
	(void)state;
	assert_int_equal(match_ask(PKT(ETH(), IP4(CLIENT, SERVICE),
				       TCP(31337, PORT, .words = 15), DATA("short"))),
			 DROPPED);
	assert_int_equal(match_ask(PKT(ETH(), IP6(CLIENT6, SERVICE6),
				       TCP(31337, PORT, .words = 15), DATA("short"))),
			 DROPPED);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(length_and_tag_name_the_backend),
		cmocka_unit_test(the_tag_is_where_it_shall_be),
		cmocka_unit_test(padding_is_no_payload),
		cmocka_unit_test(segments_without_payload_go_to_the_first_rules_backend),
		cmocka_unit_test(datagrams_without_payload_are_matched_as_all_others),
		cmocka_unit_test(bytes_at_the_end_of_the_packet),
		cmocka_unit_test(a_tcp_header_longer_than_the_packet),
	};
	return cmocka_run_group_tests_name("match", units, match_open, policy_close);
}
