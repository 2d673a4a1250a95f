// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_lost_flows.c - many connections whose flows are lost, with policies as they are.
 *
 * test_generation.c has each case for one connection.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "generation.h"

#define MANY  120 /* no bucket need evict one */
#define SLOTS 211

/* A table of @n backends from the first on, for the hash. */
static void set_hash_table(void (*put)(struct stage *s, __u32 service,
				       const struct lb_table *head, const __u16 *slots,
				       __u32 n_slots),
			   __u16 n)
{
	struct lb_table head = generation_header(true, HASH, 0);
	__u16 slots[SLOTS];

	for (__u32 i = 0; i < SLOTS; i++)
		slots[i] = ONE + i % n;
	put(&talk_stage, 0, &head, slots, SLOTS);
}

/* Begin as many; where each is, and the port that its backend sees. */
static void begin_many(struct flow *ret)
{
	for (int i = 0; i < MANY; i++) {
		struct lb_pkt pkt = generation_send(1000 + i, TH_SYN);

		generation_send(1000 + i, TH_ACK);
		ret[i] = generation_flow(&pkt);
		assert_int_equal(LB_WAY_STATE(ret[i].way), LB_FLOW_ESTABLISHED);
	}
}

/* All flows are lost: each is found again where it was. */
static void expect_many(const struct flow *were)
{
	__u64 count = stage_reason(&talk_stage, LB_REASON_UNKNOWN_SENT);

	flows_clear(&talk_stage);
	for (int i = 0; i < MANY; i++) {
		struct lb_pkt pkt = generation_send(1000 + i, TH_ACK);
		struct flow f;

		generation_expect(LB_REASON_UNKNOWN_SENT, count++);
		f = generation_flow(&pkt);
		assert_int_equal(f.flow.backend, were[i].flow.backend);
		assert_int_equal(f.flow.nat_port, were[i].flow.nat_port);
		generation_send(1000 + i, TH_ACK);
	}
	flows_check(&talk_stage);
}

/* Evicted, after a swap to round-robin, and when the grace time is over. */
static void all_are_found_again(void **state)
{
	const __u16 turn[] = { ONE, TWO, THREE };
	struct flow were[MANY];

	(void)state;
	for (size_t i = 0; i < n_kinds; i++) {
		struct lb_table head;
		__u64 sent;

		generation_begin(&kinds[i], false);
		set_hash_table(world_set_table, 3);
		begin_many(were);
		expect_many(were);

		set_hash_table(world_set_previous, 3);
		head = generation_header(false, ROUND_ROBIN, 0);
		world_set_table(&talk_stage, 0, &head, turn, 3);
		expect_many(were);

		head = generation_header(false, ROUND_ROBIN, GRACE);
		world_set_table(&talk_stage, 0, &head, turn, 3);
		flows_clear(&talk_stage);
		sent = stage_reason(&talk_stage, LB_REASON_UNKNOWN_SENT);
		for (int j = 0; j < MANY; j++)
			generation_send(1000 + j, TH_ACK);
		assert_int_equal(stage_reason(&talk_stage, LB_REASON_UNKNOWN_SENT), sent);
		assert_int_equal(generation_count(), 0);
	}
	in_hand = NULL;
}

/* A backend drains: the table without it is another one, and no connection moves. */
static void none_moves_when_a_backend_drains(void **state)
{
	struct flow were[MANY];

	(void)state;
	for (size_t i = 0; i < n_kinds; i++) {
		generation_begin(&kinds[i], false);
		set_hash_table(world_set_table, 3);
		begin_many(were);
		world_set_backend(&talk_stage, THREE, LB_BACKEND_DRAIN, 1);
		set_hash_table(world_set_previous, 3);
		set_hash_table(world_set_table, 2);
		expect_many(were);
	}
	in_hand = NULL;
}

/* As many ACKs of strangers as you like: who is connected stays so. */
static void a_flood_evicts_no_connection(void **state)
{
	struct flow were[MANY], f;
	char client[INET6_ADDRSTRLEN];

	(void)state;
	for (size_t i = 0; i < n_kinds; i++) {
		__u64 count, found;

		generation_begin(&kinds[i], false);
		set_hash_table(world_set_table, 3);
		begin_many(were);
		count = stage_reason(&talk_stage, LB_REASON_UNKNOWN_SENT);
		for (int j = 0; j < 1500; j++) {
			snprintf(client, sizeof(client),
				 kinds[i].ip6 ? "2001:db8::a:%x" : "10.0.0.%d",
				 kinds[i].ip6 ? j : 100 + j % 100);
			generation_send_from(client, 2000 + j, TH_ACK);
		}
		found = stage_reason(&talk_stage, LB_REASON_UNKNOWN_SENT) - count;
		assert_in_range(found, 1000, 1500); /* it was one */
		for (int j = 0; j < MANY; j++) {
			assert_true(flows_find_key(&talk_stage, were[j].family,
						   were[j].key, &f));
			assert_int_equal(f.flow.version, were[j].flow.version);
		}
		flows_check(&talk_stage);
	}
	in_hand = NULL;
}

int main(void)
{
	static const struct CMUnitTest units[] = {
		cmocka_unit_test_teardown(all_are_found_again, generation_explain),
		cmocka_unit_test_teardown(none_moves_when_a_backend_drains,
					  generation_explain),
		cmocka_unit_test_teardown(a_flood_evicts_no_connection,
					  generation_explain),
	};

	return cmocka_run_group_tests_name("lost flows", units, generation_open,
					   talk_close);
}
