// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_repair.c - an instance that was left unfinished, is foreign, locked or removed.
 */
#include "instance.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pins.h"
#include "tunables.h"

#define TOLD "source-hash" /* a policy with two tunables, prefixes of addresses */

/* Rules are of services in use, and send to their backends. */
static void check_rules(void)
{
	__u32 id, *last = NULL;

	while (!bpf_map_get_next_key(state.match_rules_fd, last, &id)) {
		struct lb_match_rules rules;

		last = &id;
		assert_in_range(id, 0, LB_MAX_SERVICES - 1);
		assert_int_equal(state.services[id].state, 1);
		assert_int_equal(bpf_map_lookup_elem(state.match_rules_fd, &id, &rules),
				 0);
		for (__u32 i = 0; i < rules.n; i++) {
			const struct lb_backend *b =
				&state.backends[rules.rule[i].backend];

			assert_int_not_equal(b->ref, 0);
			assert_int_equal(b->service, id);
		}
	}
}

/* Each service has what is set for all, but for what is its own; what is no service has
 * nothing of its own. */
static void check_tunables(void)
{
	struct lb_tunables *all;
	int fd, slot;

	change_begin();
	slot = model_find_policy(&to, TOLD);
	fd = tunables_open(&state, slot);
	all = fd < 0 ? NULL : tunables_map(fd);
	assert_non_null(all);
	for (__u32 id = 0; id < LB_MAX_SERVICES; id++) {
		assert_int_equal(all[id].set, all[id].own | all[LB_MAX_SERVICES].set);
		for (int i = 0; i < LB_MAX_TUNABLES; i++)
			if (all[id].set >> i & ~all[id].own >> i & 1)
				assert_int_equal(all[id].value[i],
						 all[LB_MAX_SERVICES].value[i]);
		if (!state.services[id].state)
			assert_int_equal(all[id].own, 0);
	}
	tunables_unmap(all);
	close(fd);
	change_end();
}

static void a_dirty_instance_is_made_anew_from_its_records(void **arg)
{
	static const struct lb_match_rules rules = { .n = 1 };
	__u32 zero = 0, gone = 4;

	(void)arg;
	add_services(20);
	memset(state.endpoints4, 0, LB_ENDPOINT_BUCKETS * sizeof(*state.endpoints4));
	state.endpoints6[3].way[1] =
		(struct lb_endpoint6){ .key = { 1, 2, 3 }, .value = 4 };
	bpf_map_delete_elem(state.tables_fd, &zero);
	assert_int_equal(bpf_map_update_elem(state.match_rules_fd, &gone, &rules, 0), 0);
	state.switches->wide = 1;
	state.sources[9].family = 4;
	state.services[gone].state = 0; /* died while it removed it */
	state.config->dirty = 1;

	instance_reopen();
	assert_int_equal(state.config->dirty, 0);
	instance_check();
	check_rules();
	change_begin();
	assert_int_equal(to.n_services, 19);
	for (__u32 id = 1; id < LB_MAX_BACKENDS; id++)
		if (state.backends[id].ref)
			assert_int_not_equal(state.backends[id].service, 4);
	change_end();
}

/* Few addresses, so that services share backends; one service has each only once. */
static void add_another(struct model_service *s, struct address address)
{
	if (!model_find_backend(s, &address, 8080))
		add_backend(s, address, 1);
}

/* Rules that send to all backends but the first, which is the next to go. */
static void add_rules(struct model_service *s)
{
	while (s->n_rules)
		model_del_rule(s, &s->rules[0]);
	for (size_t i = 1; i < s->n_backends; i++)
		model_add_rule(s, &(struct model_rule){ .low = i,
							.high = i,
							.address = s->backends[i].address,
							.port = s->backends[i].port });
}

/* Of any mode, of one address and port or more, from anywhere. */
static void make_special(struct model_service *s)
{
	s->forward = 1 + random() % (LB_FORWARD_MAX - 1);
	s->per_packet = random() % 8 == 0;
	s->icmp_reply = random() % 8 == 0;
	s->source[0].address = address4(0x64000000 + random() % 8);
	s->source[0].prefix = 32;
	if (random() % 4)
		return;
	s->prefix = 30;
	s->address.word[0] &= htonl(~3U);
	s->port_last = s->port + random() % 3;
}

static void add_random_service(void)
{
	struct address a = address4(0x0b000000 + random() % 0xffffff);
	struct model_service s, *added;

	model_init_service(&s);
	s.address = a;
	s.prefix = 32;
	s.port = s.port_last = 80;
	s.protocol = IPPROTO_TCP;
	make_special(&s);
	added = model_add_service(&to, &s);
	assert_non_null(added);
	add_backend(added, address4(0x0c000000 + random() % 0xffffff), 2);
}

/* A tunable of all services and one of @s change, or are no more. */
static void tell_policy(struct model_service *s)
{
	int slot = model_find_policy(&to, TOLD);
	__u32 key = random() % 2;

	to.policies[slot].set = random() % 4;
	to.policies[slot].value[key] = random() % 33;
	if (random() % 2)
		param_unset(s, slot, key);
	else
		assert_int_equal(param_set(s, slot, key, random() % 33), 0);
}

/* Change all that can be changed, for ever. */
static void change_without_end(void)
{
	srandom(getpid());
	state_close(&state);
	assert_int_equal(state_open(&state, &where, STATE_WRITE), 0);
	for (;;) {
		change_begin();
		to.default_policy = random() % 3;
		for (size_t i = to.n_services; i-- > 0;) {
			struct model_service *s = &to.services[i];

			if (random() % 3 == 0) {
				model_del_service(&to, s);
				continue;
			}
			s->mss = random() % 4 ? 0 : 1400;
			s->slow_start_ms = random() % 4 ? 0 : 90000;
			s->client_ms = random() % 4 ? 0 : 90000;
			if (s->n_backends)
				s->backends[0].max_flows = random() % 2 * 100;
			if (random() % 2)
				s->source[0].address =
					address4(0x64000000 + random() % 8);
			if (s->n_backends && random() % 2)
				model_del_backend(s, &s->backends[0]);
			else
				add_another(s, address4(0x0a100000 + random() % 0x40));
			add_rules(s);
			tell_policy(s);
		}
		for (int i = 0; i < 10; i++)
			add_random_service();
		change_try();
	}
}

static void killed_at_any_moment_the_next_one_finds_all_in_order(void **arg)
{
	int repairs = 0;

	(void)arg;
	add_services(5);
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		assert_return_code(pid, errno);
		if (!pid) {
			change_without_end();
			_exit(1);
		}
		state_close(&state);
		usleep(1000 + i * 3000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);

		assert_int_equal(state_open(&state, &where, STATE_READ), 0);
		repairs += state.config->dirty;
		state_close(&state);
		assert_int_equal(state_open(&state, &where, STATE_WRITE), 0);
		instance_check();
		check_rules();
		check_tunables();
	}
	print_message("# %d of 40 were killed at work\n", repairs);
	assert_true(repairs > 5);
}

static void one_writes_at_a_time_and_readers_need_not_wait(void **arg)
{
	struct state other;
	struct model m;

	(void)arg;
	add_services(1);
	assert_int_equal(state_open(&other, &where, STATE_WRITE), -EBUSY);
	state.config->dirty = 1;
	assert_int_equal(state_open(&other, &where, STATE_READ), 0);
	assert_int_equal(state_read(&other, &m), 0);
	assert_int_equal(m.n_services, 1);
	model_free(&m);
	state_close(&other);
	state.config->dirty = 0;
}

static void another_abi_is_refused_and_left_alone(void **arg)
{
	struct state other;

	(void)arg;
	state.config->abi = LB_ABI_VERSION + 1;
	state.config->dirty = 1;
	state_close(&state);
	assert_int_equal(state_open(&other, &where, STATE_READ), -EPROTO);
	assert_int_equal(state_open(&other, &where, STATE_WRITE), -EPROTO);
	assert_int_equal(state_create(&other, &where, 64), -EPROTO);
}

static void a_foreign_pin_is_refused(void **arg)
{
	char path[PIN_PATH_SIZE];
	struct state other;
	int fd;

	(void)arg;
	state_close(&state);
	snprintf(path, sizeof(path), "%s/" PIN_MAPS "/lb_records", pin_dir);
	assert_return_code(unlink(path), errno);
	assert_int_equal(state_open(&other, &where, STATE_READ), -ENOENT);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", 4, 4, 1, NULL);
	assert_return_code(fd, errno);
	assert_return_code(bpf_obj_pin(fd, path), errno);
	close(fd);
	assert_int_equal(state_open(&other, &where, STATE_READ), -EEXIST);
}

static void an_instance_that_was_never_finished_is_made_anew(void **arg)
{
	char path[PIN_PATH_SIZE];

	(void)arg;
	state.config->magic = 0;
	state_close(&state);
	assert_int_equal(state_open(&state, &where, STATE_READ), -ENOENT);
	snprintf(path, sizeof(path), "%s/" PIN_MAPS "/lb_records", pin_dir);
	unlink(path);
	assert_int_equal(state_create(&state, &where, 100), 0);
	assert_int_equal(state.config->flows, 128);
	add_services(1);
	instance_check();
}

static void nothing_is_left_of_what_was_destroyed(void **arg)
{
	(void)arg;
	state.devices[5].ifindex = 1;
	assert_int_equal(state_destroy(&state), -EBUSY);
	state.devices[5].ifindex = 0;
	assert_int_equal(state_destroy(&state), 0);
	assert_int_equal(access(pin_dir, F_OK), -1);
}

int main(void)
{
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_dirty_instance_is_made_anew_from_its_records),
		TEST(killed_at_any_moment_the_next_one_finds_all_in_order),
		TEST(one_writes_at_a_time_and_readers_need_not_wait),
		TEST(another_abi_is_refused_and_left_alone),
		TEST(a_foreign_pin_is_refused),
		TEST(an_instance_that_was_never_finished_is_made_anew),
		TEST(nothing_is_left_of_what_was_destroyed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
