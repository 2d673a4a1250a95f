// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_parse.c - lb_parse alone: which packets are whose, and what the next stage learns.
 *
 * Programs that only say "reached" stand for lb_rewrite and the policies.  Whatever
 * happens, lb_parse changes no byte.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

static const struct layer *layer_of(const struct parse_row *row, enum layer_kind a,
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
static void check_scratch(const struct parse_row *row, size_t len)
{
	const struct layer *ip = layer_of(row, LAYER_IP4, LAYER_IP6);
	const struct layer *l4 = row->verdict == REACHED_STAGE + LB_STAGE_ICMP
					 ? layer_of(row, LAYER_ICMP, LAYER_ICMP)
					 : layer_of(row, LAYER_TCP, LAYER_UDP);
	bool reply = row->direction == LB_TO_CLIENT, tcp = l4->kind == LAYER_TCP;
	struct lb_pkt pkt = stage_scratch(&parse_stage);
	__u16 l3 = row->l3 ?: 14, port = row->client_port ?: 31337;
	int family = ip->kind == LAYER_IP4 ? 4 : 6;
	struct lb_service service;
	struct flow f = {};
	__u64 key[3];

	assert_int_equal(pkt.l3, l3);
	assert_int_equal(pkt.l4, row->l4 ?: l3 + (family == 4 ? 20 : 40));
	assert_int_equal(pkt.length, len);
	assert_int_equal(pkt.family, family);
	assert_int_equal(pkt.flags, row->verdict == REACHED_STAGE + LB_STAGE_UNKNOWN
					    ? LB_PKT_UNKNOWN
					    : 0);
	if (pkt.flags & LB_PKT_UNKNOWN)
		assert_int_equal(pkt.attempt, LB_UNKNOWN_NONE);
	if (l4->kind == LAYER_ICMP) {
		assert_int_equal(pkt.protocol,
				 family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
		assert_int_equal(pkt.tcp_flags, 0);
		return;
	}
	assert_int_equal(pkt.protocol, tcp ? IPPROTO_TCP : IPPROTO_UDP);
	assert_int_equal(pkt.tcp_flags, tcp ? l4->flags ?: TH_ACK : 0);
	assert_int_equal(pkt.direction, row->direction);
	assert_in_range(stage_now(&parse_stage) - pkt.now, 0, 1000);

	service = world_service(&parse_stage, pkt.service);
	assert_int_equal(service.family, family);
	assert_int_equal(service.protocol, pkt.protocol);
	assert_int_equal(service.port, htons(reply ? l4->sport : l4->dport));

	flows_key(family == 4 ? CLIENT : CLIENT6, port, pkt.service, key);
	assert_memory_equal(pkt.key, key, family == 4 ? 8 : 24);
	if (row->verdict != REACHED_REWRITE) {
		assert_int_equal(pkt.version, 0);
		assert_true(pkt.hash == flows_hash(&parse_stage, family, key));
		return;
	}
	assert_true(flows_find_key(&parse_stage, family, key, &f));
	assert_int_equal(pkt.position, f.position);
	assert_int_equal(pkt.version, f.flow.version);
	assert_int_equal(pkt.backend, f.flow.backend);
	assert_int_equal(pkt.nat_port, f.flow.nat_port);
	assert_int_equal(pkt.way, f.way);
}

static void run_row(void **state)
{
	const struct parse_row *row = *state;
	int parse = stage_program(&parse_stage, "lb_parse");
	__u64 before = stage_reason(&parse_stage, row->reason);
	__u8 in[PACKET_MAX];
	size_t len = packet_build(in, row->in);
	struct run r;

	stage_run(parse, in, len, 0, &r);
	if (r.verdict != row->verdict)
		stage_print_reasons(&parse_stage);
	assert_int_equal(r.verdict, row->verdict);
	stage_expect(&r, row->in);
	assert_int_equal(r.n_meta, 0);
	if (row->reason)
		assert_int_equal(stage_reason(&parse_stage, row->reason), before + 1);
	else
		check_scratch(row, len);
}

/* A drop for a service is also in the service's own count. */
static void drops_are_counted_per_service(void **state)
{
	struct lb_count before = stage_service_count(&parse_stage, 0), after;
	struct run r;

	(void)state;
	stage_run_layers(stage_program(&parse_stage, "lb_parse"),
			 PKT(ETH(), IP4(CLIENT, SERVICE, .frag = 0x2000),
			     TCP(31337, HTTP)),
			 0, &r);
	after = stage_service_count(&parse_stage, 0);
	assert_int_equal(after.drops, before.drops + 1);
	assert_int_equal(after.drop_reason, LB_REASON_FRAGMENT);
	assert_true(after.last_drop != 0);
	assert_int_equal(after.packets, before.packets);
}

/* The service of the last fragment that was dropped, id + 1. */
static __u32 fragment_service(void)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct lb_reason_count all[n_cpus], last = {};
	__u32 key = LB_REASON_FRAGMENT;

	assert_return_code(bpf_map_lookup_elem(stage_map(&parse_stage, "lb_reasons"),
					       &key, all),
			   errno);
	for (int i = 0; i < n_cpus; i++)
		if (all[i].last >= last.last)
			last = all[i];
	return last.service;
}

/* A drop for none does not name the service of the one before. */
static void the_last_drop_names_its_own_service(void **state)
{
	int parse = stage_program(&parse_stage, "lb_parse");
	struct run r;

	(void)state;
	stage_run_layers(parse,
			 PKT(ETH(), IP4(CLIENT, SERVICE, .frag = 0x2000),
			     TCP(31337, HTTP, .flags = TH_SYN)),
			 0, &r);
	assert_int_equal(fragment_service(), 1);
	stage_run_layers(
		parse, PKT(ETH(), IP4(BACKEND1, SERVICE, .frag = 0x2000), TCP(HTTP, NAT)),
		0, &r);
	assert_int_equal(fragment_service(), 0);
}

/* No prefix of any packet above is sent, changed, or reaches a later stage unparsed. */
static void truncated_at_every_length(void **state)
{
	int parse = stage_program(&parse_stage, "lb_parse");
	__u8 in[PACKET_MAX];
	struct run r;

	(void)state;
	for (size_t i = 0; i < parse_n_rows; i++) {
		size_t len = packet_build(in, parse_rows[i].in);

		for (size_t cut = ETH_HLEN; cut < len; cut++) {
			stage_run(parse, in, cut, 0, &r);
			if (r.verdict == XDP_TX || r.verdict == XDP_REDIRECT ||
			    r.verdict == XDP_ABORTED)
				fail_msg("'%s' cut to %zu bytes: verdict %u",
					 parse_rows[i].name, cut, r.verdict);
			/* Only Ethernet's padding may be missing. */
			if (r.verdict >= REACHED_REWRITE &&
			    !strstr(parse_rows[i].name, "padding"))
				fail_msg("'%s' cut to %zu bytes goes on",
					 parse_rows[i].name, cut);
			assert_int_equal(r.len, cut);
			assert_memory_equal(r.pkt, in, cut);
		}
	}
}

/* The same bytes, each changed in turn to values that headers dislike. */
static void any_byte_may_be_anything(void **state)
{
	static const __u8 values[] = { 0x00, 0x01, 0x05, 0x4f, 0x60, 0x7f, 0x80, 0xff };
	int parse = stage_program(&parse_stage, "lb_parse");
	__u64 defects = stage_reason(&parse_stage, LB_REASON_ABORTED);
	__u8 in[PACKET_MAX];
	struct run r;

	(void)state;
	for (size_t i = 0; i < parse_n_rows; i++) {
		size_t len = packet_build(in, parse_rows[i].in);
		/* Of the service whose policy is not loaded, or turned into that. */
		bool may_abort = parse_rows[i].verdict == XDP_ABORTED;

		for (size_t at = 0; at < len; at++) {
			__u8 was = in[at];

			for (size_t v = 0; v < sizeof(values); v++) {
				in[at] = values[v];
				stage_run(parse, in, len, 0, &r);
				assert_true(r.verdict == XDP_PASS ||
					    r.verdict == XDP_DROP ||
					    (may_abort && r.verdict == XDP_ABORTED) ||
					    r.verdict >= REACHED_REWRITE);
				assert_memory_equal(r.pkt, in, len);
			}
			in[at] = was;
		}
	}
	assert_int_equal(stage_reason(&parse_stage, LB_REASON_ABORTED), defects);
}

/* lbctl may clear an endpoint and later write it to another way of the same bucket. */
static void a_cleared_way_hides_nothing(void **state)
{
	const struct layer *syn =
		PKT(ETH(), IP4(CLIENT, SERVICE), TCP(31337, 9000, .flags = TH_SYN));
	struct lb_endpoint_bucket4 b;
	struct run r;

	(void)state;
	world_set_uniform(&parse_stage,
			  world_add_service(&parse_stage, SERVICE, 9000, IPPROTO_TCP),
			  POLICY, 1, 1);
	for (__u32 i = 0; i < LB_ENDPOINT_BUCKETS; i++) {
		struct lb_endpoint_key4 key;

		world_get(&parse_stage, "lb_endpoints4", i, &b);
		memcpy(&key, b.way[0].key, sizeof(key));
		if (!b.way[0].value || key.port != htons(9000))
			continue;
		b.way[2] = b.way[0];
		b.way[0].value = 0;
		world_put(&parse_stage, "lb_endpoints4", i, &b);
	}
	stage_run_layers(stage_program(&parse_stage, "lb_parse"), syn, 0, &r);
	assert_int_equal(r.verdict, REACHED_POLICY + POLICY);
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(drops_are_counted_per_service),
		cmocka_unit_test(the_last_drop_names_its_own_service),
		cmocka_unit_test(truncated_at_every_length),
		cmocka_unit_test(any_byte_may_be_anything),
		cmocka_unit_test(a_cleared_way_hides_nothing),
	};
	struct CMUnitTest *units = calloc(parse_n_rows + 5, sizeof(*units));
	int failed;

	for (size_t i = 0; i < parse_n_rows; i++)
		units[i] = (struct CMUnitTest){
			.name = parse_rows[i].name,
			.test_func = run_row,
			.initial_state = (void *)&parse_rows[i],
		};
	memcpy(&units[parse_n_rows], others, sizeof(others));
	failed = _cmocka_run_group_tests("parse", units, parse_n_rows + 5, parse_open,
					 parse_close);
	free(units);
	return failed;
}
