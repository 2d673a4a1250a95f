// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_match.c - the policy match: which payload goes where, to the byte.
 */
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "match.h"
#include "policy.h"

#define CLIENT	 "192.0.2.1"
#define SERVICE	 "10.0.0.10"
#define CLIENT6	 "2001:db8::1"
#define SERVICE6 "2001:db8::10"
#define PORT	 5000

/* Ids of backends; the last one is another service's. */
enum { TO_5001 = 1, TO_5002, TO_5003, FOREIGN };

/* The case that the issue names. */
static const struct lb_match_rules tags = {
	.n = 3,
	.rule = { RULE(290, 294, 20, "600", TO_5001), RULE(290, 294, 20, "601", TO_5002),
		  RULE(290, 294, 20, "602", TO_5003) },
};

/* ---- asking ------------------------------------------------------------------------- */

static void set_rules(const struct lb_match_rules *rules)
{
	__u32 id = SERVICE_ID;
	int fd = stage_map(&policy_stage, "lb_match_rules");

	if (rules)
		assert_int_equal(bpf_map_update_elem(fd, &id, rules, 0), 0);
	else
		bpf_map_delete_elem(fd, &id);
}

static int open_match(void **state)
{
	struct policy_service *s = policy_service_make(3);

	(void)state;
	policy_use("match");
	policy_install(s, LB_TABLE_UNIFORM);
	free(s);
	for (int i = 0; i < 3; i++)
		world_add_backend(&policy_stage, SERVICE_ID, SERVICE, 5001 + i);
	world_add_backend(&policy_stage, SERVICE_ID + 1, SERVICE, 9);
	set_rules(&tags);
	return 0;
}

static __u16 offset_of(const struct layer *in, size_t n)
{
	struct layer head[8] = {};
	__u8 scratch[PACKET_MAX];

	memcpy(head, in, n * sizeof(*in));
	return packet_build(scratch, head);
}

/* What lb_parse makes of it. */
static struct lb_pkt parsed(const struct layer *in, const __u8 *frame, size_t length)
{
	struct lb_pkt pkt = { .service = SERVICE_ID,
			      .length = length,
			      .flags = LB_PKT_PER_PACKET,
			      .stage = LB_STAGE_REWRITE };

	for (size_t i = 0; in[i].kind; i++) {
		if (in[i].kind == LAYER_IP4 || in[i].kind == LAYER_IP6) {
			pkt.l3 = offset_of(in, i);
			pkt.family = pkt.table = in[i].kind == LAYER_IP4 ? 4 : 6;
		} else if (in[i].kind == LAYER_TCP || in[i].kind == LAYER_UDP) {
			pkt.l4 = offset_of(in, i);
			pkt.protocol = in[i].kind == LAYER_TCP ? IPPROTO_TCP
							       : IPPROTO_UDP;
		}
	}
	if (pkt.protocol == IPPROTO_TCP)
		pkt.tcp_flags = frame[pkt.l4 + 13];
	return pkt;
}

/* The backend that was chosen, or minus the reason why none was. */
static int ask(const struct layer *in)
{
	__u64 before[LB_REASON_MAX];
	__u8 frame[PACKET_MAX];
	size_t length = packet_build(frame, in);
	struct lb_pkt pkt = parsed(in, frame, length);
	struct run r;

	for (int i = 0; i < LB_REASON_MAX; i++)
		before[i] = stage_reason(&policy_stage, i);
	stage_set_scratch(&policy_stage, &pkt);
	stage_run(stage_program(&policy_stage, "match"), frame, length, 0, &r);
	if (r.verdict == REACHED_REWRITE)
		return stage_scratch(&policy_stage).backend;
	assert_true(r.verdict == XDP_DROP || r.verdict == XDP_ABORTED);
	for (int i = 0; i < LB_REASON_MAX; i++)
		if (stage_reason(&policy_stage, i) == before[i] + 1)
			return -i;
	fail_msg("verdict %u, and nothing was counted", r.verdict);
	return 0;
}

/* The same payload in each way that it may come. */
static const struct frame {
	const char *name;
	struct layer layer[6];
} frames[] = {
	{ "TCP", { ETH(), IP4(CLIENT, SERVICE), TCP(31337, PORT) } },
	{ "UDP", { ETH(), IP4(CLIENT, SERVICE), UDP(31337, PORT) } },
	{ "TCP over IPv6", { ETH(), IP6(CLIENT6, SERVICE6), TCP(31337, PORT) } },
	{ "UDP over IPv6", { ETH(), IP6(CLIENT6, SERVICE6), UDP(31337, PORT) } },
	{ "TCP with options",
	  { ETH(), IP4(CLIENT, SERVICE),
	    TCP(31337, PORT, BYTES("\1\1\x8\xa\0\0\0\1\0\0\0\2")) } },
	{ "IPv4 with options, in two VLANs",
	  { ETH(), VLAN(7), VLAN(9), IP4(CLIENT, SERVICE, BYTES("\1\1\1\1\1\1\1\0")),
	    UDP(31337, PORT) } },
	{ "behind an extension header",
	  { ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_HOPOPTS), TCP(31337, PORT) } },
};

#define N_FRAMES (sizeof(frames) / sizeof(frames[0]))

/* @n bytes of payload with @text at @at of it; then @pad more that belong to nobody. */
static int ask_frame(const struct frame *f, size_t n, size_t at, const char *text,
		     size_t pad)
{
	static char payload[PACKET_MAX];
	struct layer in[8] = {};
	size_t i = 0;

	memset(payload, '.', sizeof(payload));
	memcpy(payload + at, text, strlen(text));
	while (f->layer[i].kind) {
		in[i] = f->layer[i];
		i++;
	}
	if (n)
		in[i++] = (struct layer){ .kind = LAYER_DATA,
					  .data = payload,
					  .n_data = n };
	if (pad)
		in[i++] = (struct layer)PAD(pad);
	return ask(in);
}

static void expect(const struct frame *f, size_t n, const char *text, int want)
{
	int got = ask_frame(f, n, 20, text, 0);

	if (got != want)
		fail_msg("%s, %zu bytes with '%s' at 20: %d (%s), not %d (%s)", f->name,
			 n, text, got, stage_reason_name(-got), want,
			 stage_reason_name(-want));
}

#define DROPPED (-LB_REASON_POLICY_DROP)

/* ---- the case of the issue -------------------------------------------------------------- */

static void length_and_tag_name_the_backend(void **state)
{
	static const char *const others[] = { "603", "60", "6001", "60\1", "\0", "006" };

	(void)state;
	for (size_t f = 0; f < N_FRAMES; f++) {
		for (size_t n = 288; n <= 296; n++) {
			bool inside = n >= 290 && n <= 294;

			expect(&frames[f], n, "600", inside ? TO_5001 : DROPPED);
			expect(&frames[f], n, "601", inside ? TO_5002 : DROPPED);
			expect(&frames[f], n, "602", inside ? TO_5003 : DROPPED);
			for (size_t i = 0; i < 6; i++)
				expect(&frames[f], n, others[i],
				       inside && i == 2 ? TO_5001 : DROPPED);
		}
		expect(&frames[f], 1, "600", DROPPED);
		expect(&frames[f], 1400, "600", DROPPED);
	}
}

static void the_tag_is_where_it_shall_be(void **state)
{
	(void)state;
	for (size_t f = 0; f < N_FRAMES; f++)
		for (size_t at = 0; at < 288; at++)
			assert_int_equal(ask_frame(&frames[f], 292, at, "601", 0),
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
	for (size_t f = 0; f < N_FRAMES; f++) {
		assert_int_equal(ask_frame(&frames[f], 289, 20, "600", 5), DROPPED);
		assert_int_equal(ask_frame(&frames[f], 290, 20, "600", 5), TO_5001);
		assert_int_equal(ask_frame(&frames[f], 294, 20, "600", 5), TO_5001);
	}
	set_rules(&late);
	for (size_t f = 0; f < N_FRAMES; f++)
		assert_int_equal(ask_frame(&frames[f], 9, 0, "", 9), DROPPED);
	set_rules(&tags);
}

/* What goes up with a TCP connection: SYN, ACK, FIN, without a payload. */
static void segments_without_payload_go_to_the_first_rules_backend(void **state)
{
	static const __u8 flags[] = { TH_SYN, TH_ACK, TH_FIN | TH_ACK, TH_RST };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ask(PKT(ETH(), IP4(CLIENT, SERVICE),
					 TCP(31337, PORT, .flags = flags[i]))),
				 TO_5001);
		assert_int_equal(ask(PKT(ETH(), IP4(CLIENT, SERVICE),
					 TCP(31337, PORT, .flags = flags[i]), PAD(6))),
				 TO_5001);
		assert_int_equal(ask(PKT(ETH(), IP6(CLIENT6, SERVICE6),
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
	assert_int_equal(ask_frame(&frames[1], 0, 0, "", 0), DROPPED);
	set_rules(&empty);
	assert_int_equal(ask_frame(&frames[1], 0, 0, "", 0), TO_5002);
	assert_int_equal(ask_frame(&frames[1], 0, 0, "", 18), TO_5002);
	assert_int_equal(ask_frame(&frames[1], 1, 0, "", 0), TO_5001);
	set_rules(&tags);
}

/* ---- rules ----------------------------------------------------------------------------- */

static void bytes_at_the_end_of_the_packet(void **state)
{
	static const struct lb_match_rules end = {
		.n = 2,
		.rule = { RULE(0, ANY, 97, "xyz", TO_5002),
			  RULE(0, ANY, 1384, "0123456789abcdef", TO_5003) },
	};

	(void)state;
	set_rules(&end);
	for (size_t f = 0; f < N_FRAMES; f++) {
		assert_int_equal(ask_frame(&frames[f], 99, 97, "xyz", 0), DROPPED);
		assert_int_equal(ask_frame(&frames[f], 100, 97, "xyz", 0), TO_5002);
		assert_int_equal(ask_frame(&frames[f], 1399, 1384, "0123456789abcdef", 0),
				 DROPPED);
		assert_int_equal(ask_frame(&frames[f], 1400, 1384, "0123456789abcdef", 0),
				 TO_5003);
		assert_int_equal(ask_frame(&frames[f], 1400, 1384, "0123456789abcdeF", 0),
				 DROPPED);
		assert_int_equal(ask_frame(&frames[f], 1400, 1384, "x123456789abcdef", 0),
				 DROPPED);
	}
	set_rules(&tags);
}

/* Rules that look at several places and none, in the order that makes it hardest. */
static void places_are_not_mixed_up(void **state)
{
	static const struct lb_match_rules mixed = {
		.n = 5,
		.rule = { RULE(0, 50, 0, "ab", TO_5001), RULE(0, 50, 2, "ab", TO_5002),
			  RULE(0, 50, 0, "abc", TO_5003), RULE(60, 60, 0, "", TO_5003),
			  RULE(0, 59, 0, "cd", TO_5003) },
	};

	(void)state;
	set_rules(&mixed);
	assert_int_equal(ask_frame(&frames[1], 50, 0, "ab", 0), TO_5001);
	assert_int_equal(ask_frame(&frames[1], 50, 0, "..ab", 0), TO_5002);
	assert_int_equal(ask_frame(&frames[1], 50, 0, "cd", 0), TO_5003);
	assert_int_equal(ask_frame(&frames[1], 60, 0, "cd", 0), TO_5003);
	assert_int_equal(ask_frame(&frames[1], 60, 0, "ab", 0), TO_5003);
	assert_int_equal(ask_frame(&frames[1], 59, 0, "ab", 0), DROPPED);
	assert_int_equal(ask_frame(&frames[1], 2, 0, "ab", 0), TO_5001);
	assert_int_equal(ask_frame(&frames[1], 1, 0, "ab", 0), DROPPED);
	assert_int_equal(ask_frame(&frames[1], 3, 0, ".ab", 0), DROPPED);
	set_rules(&tags);
}

static void as_many_rules_as_there_may_be(void **state)
{
	struct lb_match_rules many = { .n = LB_MATCH_RULES };

	(void)state;
	for (__u32 i = 0; i < LB_MATCH_RULES; i++)
		many.rule[i] =
			(struct lb_match_rule){ .high = ANY,
						.offset = i % 2,
						.n_bytes = 2,
						.word = { 'A' + i / 2 + ('0' << 8) },
						.backend = 1 + i % 3 };
	set_rules(&many);
	for (__u32 i = 0; i < LB_MATCH_RULES; i++) {
		char text[4] = { '-', '-', '0', 0 };

		text[i % 2] = 'A' + i / 2;
		text[i % 2 + 1] = '0';
		assert_int_equal(ask_frame(&frames[i % N_FRAMES], 40, 0, text, 0),
				 1 + i % 3);
	}
	many.n = LB_MATCH_RULES - 1;
	set_rules(&many);
	assert_int_equal(ask_frame(&frames[0], 40, 0, "-`0", 0), DROPPED);
	set_rules(&tags);
}

static void without_rules_all_is_dropped(void **state)
{
	static const struct lb_match_rules none = {};

	(void)state;
	set_rules(&none);
	assert_int_equal(ask_frame(&frames[0], 290, 20, "600", 0), DROPPED);
	assert_int_equal(ask_frame(&frames[0], 0, 0, "", 0), DROPPED);
	set_rules(NULL);
	assert_int_equal(ask_frame(&frames[0], 290, 20, "600", 0), DROPPED);
	assert_int_equal(ask_frame(&frames[1], 290, 20, "600", 0), DROPPED);
	set_rules(&tags);
}

/* ---- backends, and packets that lie ---------------------------------------------------- */

static void only_active_backends_of_the_service(void **state)
{
	static const struct lb_match_rules wrong = {
		.n = 3,
		.rule = { RULE(1, 1, 0, "", FOREIGN), RULE(2, 2, 0, "", 4000),
			  RULE(3, 3, 0, "", LB_MAX_BACKENDS) },
	};

	(void)state;
	world_set_backend(&policy_stage, TO_5002, LB_BACKEND_DRAIN, 1);
	expect(&frames[0], 290, "601", -LB_REASON_BACKEND_DOWN);
	world_set_backend(&policy_stage, TO_5002, LB_BACKEND_DOWN, 1);
	expect(&frames[0], 290, "601", -LB_REASON_BACKEND_DOWN);
	assert_int_equal(stage_backend_count(&policy_stage, TO_5002).drops, 2);
	world_set_backend(&policy_stage, TO_5002, LB_BACKEND_ACTIVE, 0);
	expect(&frames[0], 290, "601", TO_5002);
	world_set_backend(&policy_stage, TO_5002, LB_BACKEND_ACTIVE, 1);
	world_set_incarnation(&policy_stage, TO_5003, 0);
	expect(&frames[0], 290, "602", -LB_REASON_BAD_SLOT);
	world_set_incarnation(&policy_stage, TO_5003, 2);
	expect(&frames[0], 290, "602", TO_5003);

	set_rules(&wrong);
	for (size_t n = 1; n <= 3; n++)
		assert_int_equal(ask_frame(&frames[1], n, 0, "", 0), -LB_REASON_BAD_SLOT);
	set_rules(&tags);
}

static void a_tcp_header_longer_than_the_packet(void **state)
{
	(void)state;
	assert_int_equal(ask(PKT(ETH(), IP4(CLIENT, SERVICE),
				 TCP(31337, PORT, .words = 15), DATA("short"))),
			 DROPPED);
	assert_int_equal(ask(PKT(ETH(), IP6(CLIENT6, SERVICE6),
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
		cmocka_unit_test(places_are_not_mixed_up),
		cmocka_unit_test(as_many_rules_as_there_may_be),
		cmocka_unit_test(without_rules_all_is_dropped),
		cmocka_unit_test(only_active_backends_of_the_service),
		cmocka_unit_test(a_tcp_header_longer_than_the_packet),
	};
	return cmocka_run_group_tests_name("match", units, open_match, policy_close);
}
