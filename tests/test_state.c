// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_state.c - an instance on the real kernel: made, changed, read back.
 */
#include "instance.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static void a_new_instance_has_stages_policies_and_a_clock(void **arg)
{
	struct lb_clock before, after;
	struct model m;

	(void)arg;
	assert_int_equal(state.config->magic, LB_MAGIC);
	assert_int_equal(state.config->abi, LB_ABI_VERSION);
	assert_int_equal(state.config->flows, 64);
	assert_int_equal(state.config->params.flow_buckets, 8);
	assert_int_equal(state.config->params.nat_slots, 128);
	assert_true(state.config->params.seed[1] & state.config->params.seed[2] & 1);
	assert_int_equal(state_read(&state, &m), 0);
	assert_int_equal(model_find_policy(&m, "round-robin"), m.default_policy);
	assert_true(model_find_policy(&m, "hash") >= 0);
	assert_true(model_find_policy(&m, "weighted") >= 0);
	assert_int_equal(m.n_services, 0);
	assert_int_equal(state_map_flows(&state), 0);

	assert_int_equal(state_clock(&state, &before), 0);
	usleep(200000);
	assert_int_equal(state_clock(&state, &after), 0);
	assert_in_range((after.jiffies - before.jiffies) * 1000 / state.config->params.hz,
			180, 1000);
	assert_int_equal(state_evict(&state, 4, 0, 2), -ENOENT);
}

static void creating_twice_opens_what_is_there(void **arg)
{
	__u64 seed = state.config->params.seed[0];

	(void)arg;
	add_services(1);
	state_close(&state);
	assert_int_equal(state_create(&state, &where, 128), 0);
	assert_int_equal(state.config->params.seed[0], seed);
	assert_int_equal(state.config->flows, 64);
	instance_check();
}

static void what_was_committed_is_read_back(void **arg)
{
	struct model_service *s;
	struct model wish, m;

	(void)arg;
	change_begin();
	s = add_service(&to, address4(0x0a000001), 80, IPPROTO_TCP);
	s->policy = model_find_policy(&to, "hash");
	s->timeout_set = 1U << TIMEOUT_IDLE | 1U << TIMEOUT_CLOSING;
	s->timeout_ms[TIMEOUT_IDLE] = 60000;
	s->timeout_ms[TIMEOUT_CLOSING] = 5000;
	s->port_low = 2000;
	s->port_high = 3000;
	strcpy(s->comment, "the first one");
	s->on_unknown = LB_ON_UNKNOWN_RESET;
	s->grace_ms = 0;
	s->slow_start_ms = 90000;
	s->client_ms = 86400000;
	add_backend(s, address4(0x0a000002), 65535)->priority = 65535;
	s->backends[0].max_flows = 4000000000;
	add_backend(s, address4(0x0a000003), 0);
	add_backend(s, address4(0x0a000004), 1)->state = LB_BACKEND_DRAIN;
	s = add_service(&to, address6(1), 53, IPPROTO_UDP);
	s->timeout_set = 1U << TIMEOUT_IDLE;
	s->timeout_ms[TIMEOUT_IDLE] = 7000;
	add_backend(s, address6(2), 7);
	add_service(&to, address6(1), 53, IPPROTO_TCP);
	s = add_service(&to, address6(0x100), 1000, IPPROTO_TCP);
	s->prefix = 120;
	s->port_last = 2000;
	s->forward = LB_FORWARD_GUE;
	s->per_packet = s->icmp_reply = true;
	s->on_empty = LB_ON_EMPTY_PASS;
	s->mss = 1380;
	s->source[0] = (struct model_source){ address4(0x64000000), 16 };
	s->source[1] = (struct model_source){ address6(0x200), 128 };
	add_backend(s, address4(0x0a000009), 1)->port = 0;
	add_backend(s, address6(9), 1)->port = 0;
	to.default_policy = model_find_policy(&to, "weighted");
	assert_int_equal(model_copy(&wish, &to), 0);
	change_end();

	instance_reopen();
	assert_int_equal(state_read(&state, &m), 0);
	assert_int_equal(m.default_policy, wish.default_policy);
	assert_int_equal(m.n_services, 4);
	for (size_t i = 0; i < 4; i++)
		assert_service_equal(&m.services[i], &wish.services[i]);
	model_free(&m);
	model_free(&wish);
}

static void the_data_path_finds_what_was_committed(void **arg)
{
	(void)arg;
	instance_check();
	add_services(50);
	instance_check();
	change_begin();
	to.default_policy = model_find_policy(&to, "hash");
	change_end();
	instance_check();
}

static void only_tables_that_change_are_made_anew(void **arg)
{
	__u32 first, second;

	(void)arg;
	add_services(2);
	change_begin();
	first = to.services[0].id;
	second = to.services[1].id;
	to.services[0].backends[0].weight = 9;
	change_end();
	assert_int_equal(read_header(first).generation, 2);
	assert_int_equal(read_header(second).generation, 1);

	change_begin();
	strcpy(to.services[0].comment, "nothing else");
	to.services[1].policy = model_find_policy(&to, "hash");
	change_end();
	assert_int_equal(read_header(first).generation, 2);
	assert_int_equal(read_header(second).generation, 2);
	assert_int_equal(read_header(second).kind, LB_TABLE_MAGLEV);
	assert_int_equal(read_header(second).previous_policy,
			 state.config->default_policy);
	assert_int_equal(read_header(second).previous_kind, LB_TABLE_UNIFORM);
	instance_check();
}

static void drained_backends_lose_their_slots_and_keep_their_flows(void **arg)
{
	__u32 service, ref;
	__u16 id;

	(void)arg;
	add_services(1);
	change_begin();
	service = to.services[0].id;
	id = to.services[0].backends[0].id;
	ref = to.services[0].backends[0].ref;
	to.services[0].backends[0].state = LB_BACKEND_DRAIN;
	change_end();
	assert_int_equal(read_header(service).n_slots, 1);
	assert_int_not_equal(read_slot(service, 0), id);
	assert_int_equal(state.backends[id].ref, ref);
	assert_int_equal(state.backends[id].state, LB_BACKEND_DRAIN);
}

static void what_is_removed_is_dead_at_once_and_its_id_rests(void **arg)
{
	struct address address;
	__u32 id;

	(void)arg;
	add_services(2);
	change_begin();
	id = to.services[0].backends[0].id;
	address = to.services[0].backends[0].address;
	model_del_backend(&to.services[0], &to.services[0].backends[0]);
	change_end();
	assert_int_equal(state.backends[id].ref, 0);
	instance_check();

	change_begin();
	add_backend(&to.services[0], address, 1);
	change_end();
	assert_int_equal(state.backends[id].ref, 0);
	instance_check();

	change_begin();
	id = to.services[1].id;
	model_del_service(&to, &to.services[1]);
	change_end();
	assert_int_equal(state.services[id].state, 0);
	instance_check();
}

/* The last id left: given again, with another incarnation and counts of its own. */
static void a_reused_id_inherits_nothing(void **arg)
{
	struct lb_count full[libbpf_num_possible_cpus()], count;
	struct model_service *s;
	__u32 id, ref;

	(void)arg;
	change_begin();
	s = add_service(&to, address4(0x0a000001), 80, IPPROTO_TCP);
	for (__u32 i = 0; i < LB_MAX_BACKENDS - 1; i++)
		add_backend(s, address4(0x0a010000 + i), 1);
	change_end();

	memset(full, 0x11, sizeof(full));
	change_begin();
	id = to.services[0].backends[7].id;
	ref = to.services[0].backends[7].ref;
	state.live[id] = 5;
	state.hops[id].to = 6;
	assert_return_code(bpf_map_update_elem(state.backend_counts_fd, &id, full, 0),
			   errno);
	model_del_backend(&to.services[0], &to.services[0].backends[7]);
	change_end();

	change_begin();
	add_backend(&to.services[0], address4(0x0a090000), 1);
	change_end();
	assert_int_equal(LB_BACKEND_REF_ID(state.backends[id].ref), id);
	assert_int_not_equal(state.backends[id].ref, ref);
	assert_int_equal(state.live[id], 0);
	assert_int_equal(state.hops[id].to, 0);
	assert_int_equal(state_backend_count(&state, id, &count), 0);
	assert_int_equal(count.packets + count.bytes + count.drops, 0);
}

static void a_service_and_its_successor_change_places_in_one_step(void **arg)
{
	__u32 id;

	(void)arg;
	add_services(1);
	change_begin();
	id = to.services[0].id;
	model_del_service(&to, &to.services[0]);
	add_backend(add_service(&to, address4(0x0a010001), 80, IPPROTO_TCP),
		    address4(0x0a020001), 1);
	change_end();
	assert_int_equal(state.services[id].state, 0);
	instance_check();
}

static void services_of_one_address_share_the_span_of_their_ports(void **arg)
{
	struct address a = address4(0x0a000001);
	struct model_service *s;

	(void)arg;
	change_begin();
	s = add_service(&to, a, 80, IPPROTO_TCP);
	s->port_low = 2000, s->port_high = 3000;
	s = add_service(&to, a, 81, IPPROTO_TCP);
	s->port_low = 5000, s->port_high = 6000;
	change_end();
	assert_int_equal(endpoint_value(&a, 0, 0, LB_ENDPOINT_ADDRESS),
			 2000 | 6000 << 16);

	change_begin();
	model_del_service(&to, &to.services[0]);
	change_end();
	assert_int_equal(endpoint_value(&a, 0, 0, LB_ENDPOINT_ADDRESS),
			 5000 | 6000 << 16);
}

static void a_change_that_is_refused_changes_nothing(void **arg)
{
	__u32 generation;

	(void)arg;
	add_services(1);
	generation = state.services[0].generation;

	change_begin();
	for (int i = 0; i < LB_MAX_SERVICES; i++)
		add_service(&to, address4(0x0a090001 + i), 80, IPPROTO_TCP);
	to.services[0].backends[0].weight = 8;
	assert_int_equal(change_try(), -ENOSPC);

	change_begin();
	for (int i = 0; i < LB_MAX_PROFILES; i++) {
		struct model_service *s =
			add_service(&to, address4(0x0a090001 + i), 80, IPPROTO_TCP);

		s->timeout_set = 1U << TIMEOUT_IDLE;
		s->timeout_ms[TIMEOUT_IDLE] = 1000 * (1 + i);
	}
	assert_int_equal(change_try(), -ENOSPC);

	assert_int_equal(state.config->dirty, 0);
	assert_int_equal(state.services[0].generation, generation);
	instance_check();
	change_begin();
	assert_int_equal(to.n_services, 1);
	assert_int_equal(to.services[0].backends[0].weight, 1);
	change_end();
}

static void services_with_the_same_timeouts_share_a_profile(void **arg)
{
	(void)arg;
	add_services(3);
	change_begin();
	for (int i = 0; i < 2; i++) {
		to.services[i].timeout_set = 1U << TIMEOUT_IDLE;
		to.services[i].timeout_ms[TIMEOUT_IDLE] = 60000;
	}
	change_end();
	change_begin();
	assert_int_equal(state.services[to.services[0].id].profile,
			 state.services[to.services[1].id].profile);
	assert_int_not_equal(state.services[to.services[0].id].profile, 0);
	assert_int_equal(state.services[to.services[2].id].profile, 0);
	to.services[1].timeout_ms[TIMEOUT_IDLE] = 90000;
	change_end();
	change_begin();
	assert_int_equal(to.services[0].timeout_ms[TIMEOUT_IDLE], 60000);
	assert_int_equal(to.services[1].timeout_ms[TIMEOUT_IDLE], 90000);
	change_end();
}

/* The id had a profile before, which another service has by now. */
static void a_new_service_takes_nobodys_profile(void **arg)
{
	struct model_service *s;

	(void)arg;
	add_services(1);
	change_begin();
	to.services[0].timeout_set = 1U << TIMEOUT_IDLE;
	to.services[0].timeout_ms[TIMEOUT_IDLE] = 60000;
	change_end();
	change_begin();
	for (int i = 0; i < LB_MAX_SERVICES; i++)
		if (!state.services[i].state)
			state.services[i].profile =
				state.services[to.services[0].id].profile;
	s = add_service(&to, address4(0x0a090001), 80, IPPROTO_TCP);
	s->timeout_set = 1U << TIMEOUT_IDLE;
	s->timeout_ms[TIMEOUT_IDLE] = 1000;
	change_end();
	change_begin();
	assert_int_equal(to.services[0].timeout_ms[TIMEOUT_IDLE], 60000);
	assert_int_equal(to.services[1].timeout_ms[TIMEOUT_IDLE], 1000);
	change_end();
}

int main(void)
{
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_new_instance_has_stages_policies_and_a_clock),
		TEST(creating_twice_opens_what_is_there),
		TEST(what_was_committed_is_read_back),
		TEST(the_data_path_finds_what_was_committed),
		TEST(only_tables_that_change_are_made_anew),
		TEST(drained_backends_lose_their_slots_and_keep_their_flows),
		TEST(what_is_removed_is_dead_at_once_and_its_id_rests),
		TEST(a_reused_id_inherits_nothing),
		TEST(a_service_and_its_successor_change_places_in_one_step),
		TEST(services_of_one_address_share_the_span_of_their_ports),
		TEST(a_change_that_is_refused_changes_nothing),
		TEST(services_with_the_same_timeouts_share_a_profile),
		TEST(a_new_service_takes_nobodys_profile),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
