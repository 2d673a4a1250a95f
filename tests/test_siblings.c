// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_siblings.c - lists of backends that share an address and port in nat and local mode.
 */
#include "instance.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Service @n, of that mode, with the backend that all share. */
static struct model_service *add_sharer(int n, enum lb_forward forward)
{
	struct model_service *s =
		add_service(&to, address4(0x0a000001 + n), 80, IPPROTO_TCP);

	s->forward = forward;
	add_backend(s, address4(0x0a0000ff), 1);
	return s;
}

static __u32 shared_value(void)
{
	const struct address a = address4(0x0a0000ff);

	return endpoint_value(&a, 8080, IPPROTO_TCP, LB_ENDPOINT_BACKEND);
}

static void services_that_share_a_backend_are_listed(void **arg)
{
	(void)arg;
	change_begin();
	add_sharer(0, LB_FORWARD_NAT);
	add_sharer(1, LB_FORWARD_LOCAL);
	add_sharer(2, LB_FORWARD_NAT);
	change_end();
	instance_check();
	assert_false(LB_REPLIES_FULLNAT(shared_value()));

	change_begin();
	model_del_service(&to, &to.services[1]);
	add_sharer(3, LB_FORWARD_FULLNAT);
	change_end();
	instance_check();
	assert_true(LB_REPLIES_FULLNAT(shared_value()));

	change_begin();
	model_del_service(&to, &to.services[2]);
	model_del_service(&to, &to.services[0]);
	change_end();
	instance_check();
	change_begin();
	model_del_service(&to, &to.services[0]);
	change_end();
	instance_check();
	assert_int_equal(shared_value(), 0);
}

static void modes_without_replies_through_us_have_no_backend_endpoint(void **arg)
{
	(void)arg;
	change_begin();
	add_sharer(0, LB_FORWARD_DSR);
	change_end();
	instance_check();
	assert_int_equal(shared_value(), 0);
}

static void a_list_has_a_limit(void **arg)
{
	(void)arg;
	change_begin();
	for (int i = 0; i < LB_MAX_SIBLINGS; i++)
		add_sharer(i, i % 2 ? LB_FORWARD_NAT : LB_FORWARD_LOCAL);
	change_end();
	instance_check();

	change_begin();
	add_sharer(100, LB_FORWARD_NAT);
	assert_int_equal(change_try(), -EMLINK);
	change_begin();
	model_del_service(&to, &to.services[3]); /* its place is free after that only */
	add_sharer(100, LB_FORWARD_NAT);
	assert_int_equal(change_try(), -EMLINK);
	assert_int_equal(state.config->dirty, 0);
	instance_check();

	change_begin();
	add_sharer(100, LB_FORWARD_FULLNAT);
	change_end();
	instance_check();
}

/* A backend that stays, and a reader that looks for it as lb_reply does. */
static atomic_bool stop;
static atomic_uint wanted_id;

static void *look(void *ret_missed)
{
	unsigned long *missed = ret_missed;

	while (!stop) {
		__u32 id = LB_REPLIES_FIRST(shared_value());
		int n = 0;

		for (; id && id != wanted_id && n < LB_MAX_SIBLINGS; n++)
			id = __atomic_load_n(&state.backends[id].next, __ATOMIC_RELAXED);
		*missed += id != wanted_id;
	}
	return NULL;
}

static void change_others(void)
{
	static int last;

	change_begin();
	for (size_t i = to.n_services; i-- > 0;)
		if (to.services[i].backends[0].id != wanted_id && random() % 2)
			model_del_service(&to, &to.services[i]);
	for (size_t i = from.n_services; i < LB_MAX_SIBLINGS; i++)
		if (random() % 2)
			add_sharer(++last, LB_FORWARD_NAT);
	change_end();
	instance_check();
}

static void readers_find_who_stays_while_others_come_and_go(void **arg)
{
	unsigned long missed = 0;
	pthread_t reader;

	(void)arg;
	srandom(3);
	change_begin();
	add_sharer(0, LB_FORWARD_NAT);
	change_end();
	change_begin();
	wanted_id = to.services[0].backends[0].id;
	change_end();

	stop = false;
	assert_int_equal(pthread_create(&reader, NULL, look, &missed), 0);
	for (int i = 0; i < 60; i++)
		change_others();
	stop = true;
	pthread_join(reader, NULL);
	assert_int_equal(missed, 0);
}

int main(void)
{
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		TEST(services_that_share_a_backend_are_listed),
		TEST(modes_without_replies_through_us_have_no_backend_endpoint),
		TEST(a_list_has_a_limit),
		TEST(readers_find_who_stays_while_others_come_and_go),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
