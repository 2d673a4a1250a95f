// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_sources.c - where tunnels come from: said, or the kernel's own choice.
 */
#include "instance.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define HOST	0x0a090001 /* 10.9.0.1 */
#define SERVICE 0x0a0900fe

static struct model_service *add_tunnel(__u32 address)
{
	struct model_service *s = add_service(&to, address4(address), 80, IPPROTO_TCP);

	s->forward = LB_FORWARD_IPIP;
	return s;
}

static void set_source(struct model_service *s, struct address a, __u8 prefix)
{
	s->source[a.family == 6].address = a;
	s->source[a.family == 6].prefix = prefix;
}

static const struct lb_source *source_of(const struct model_service *s, size_t backend)
{
	return &state.sources[state.backends[s->backends[backend].id].source];
}

/* The source of the first service's first backend, host order. */
static __u32 first_source(void)
{
	struct model m;
	__u32 word;

	assert_int_equal(state_read(&state, &m), 0);
	word = ntohl(source_of(&m.services[0], 0)->address[0]);
	model_free(&m);
	return word;
}

static void the_kernel_chooses_unless_it_is_said(void **arg)
{
	struct model_service *s;

	(void)arg;
	change_begin();
	s = add_tunnel(SERVICE);
	add_backend(s, address4(HOST + 1), 1);
	add_backend(s, address6(2), 1);
	change_end();
	instance_check();
	assert_int_equal(first_source(), HOST);

	change_begin();
	s = &to.services[0];
	assert_int_equal(source_of(s, 1)->address[3], address6(1).word[3]);
	set_source(s, address4(0x64000000), 16);
	change_end();
	instance_check();
	assert_int_equal(first_source(), 0x64000000);

	change_begin();
	assert_int_equal(to.services[0].source[0].prefix, 16);
	assert_int_equal(to.services[0].source[1].address.family, 0);
	to.services[0].source[0] = (struct model_source){};
	to.services[0].source[1] = (struct model_source){};
	change_end();
	instance_check();
	assert_int_equal(first_source(), HOST);
}

static void what_is_the_services_own_is_refused(void **arg)
{
	(void)arg;
	change_begin();
	add_backend(add_tunnel(HOST), address4(HOST + 1), 1);
	assert_int_equal(change_try(), -EADDRNOTAVAIL);
	assert_int_equal(state.config->dirty, 0);
	instance_check();

	change_begin();
	set_source(add_tunnel(HOST), address4(0x64000001), 32);
	add_backend(&to.services[0], address4(0xcb007101), 1);
	change_end();
	instance_check();
	assert_int_equal(first_source(), 0x64000001);
}

/* At boot, one network that is not up must not refuse the whole file. */
static void without_a_way_there_is_none_until_there_is_one(void **arg)
{
	(void)arg;
	change_begin();
	add_backend(add_tunnel(SERVICE), address4(0xcb007101), 1);
	change_end();
	instance_check();
	assert_int_equal(first_source(), 0);
	assert_int_equal(system("ip route add 203.0.113.0/24 via 10.9.0.2"), 0);
	change_begin();
	to.services[0].backends[0].weight = 2;
	change_end();
	instance_check();
	assert_int_equal(first_source(), HOST);
	assert_int_equal(system("ip route del 203.0.113.0/24"), 0);
}

static void who_has_a_source_keeps_it_when_the_route_goes(void **arg)
{
	(void)arg;
	change_begin();
	add_backend(add_tunnel(SERVICE), address4(HOST + 1), 1);
	change_end();
	assert_int_equal(system("ip addr del 10.9.0.1/24 dev v0"), 0);
	change_begin();
	to.services[0].backends[0].weight = 2;
	change_end();
	instance_check();
	assert_int_equal(first_source(), HOST);
	assert_int_equal(system("ip addr add 10.9.0.7/24 dev v0"), 0);
	change_begin();
	change_end();
	instance_check();
	assert_int_equal(first_source(), HOST + 6);
	assert_int_equal(system("ip addr del 10.9.0.7/24 dev v0"), 0);
	assert_int_equal(system("ip addr add 10.9.0.1/24 dev v0"), 0);
}

static void there_can_be_so_many_and_they_are_shared(void **arg)
{
	(void)arg;
	change_begin();
	for (__u32 i = 0; i < LB_MAX_SOURCES - 1; i++)
		set_source(add_tunnel(SERVICE + i), address4(0x64000000 + i), 32);
	set_source(add_tunnel(1), address4(0x64000000), 32);
	change_end();
	instance_check();

	change_begin();
	set_source(add_tunnel(2), address4(0x65000000), 32);
	assert_int_equal(change_try(), -ENOSPC);
	instance_check();
	change_begin();
	model_del_service(&to, &to.services[7]);
	change_end();
	instance_check();
	change_begin();
	set_source(add_tunnel(2), address4(0x65000000), 32);
	change_end();
	instance_check();
}

/* A network of this process alone. */
static int make_network(void **arg)
{
	(void)arg;
	if (unshare(CLONE_NEWNET))
		return -errno;
	return system("ip link add v0 type veth peer name v1 && ip link set v1 up && "
		      "ip link set v0 up && ip addr add 10.9.0.1/24 dev v0 && "
		      "ip -6 addr add fd00::1/64 dev v0 nodad");
}

int main(void)
{
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_kernel_chooses_unless_it_is_said),
		TEST(what_is_the_services_own_is_refused),
		TEST(without_a_way_there_is_none_until_there_is_one),
		TEST(who_has_a_source_keeps_it_when_the_route_goes),
		TEST(there_can_be_so_many_and_they_are_shared),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_network, NULL);
}
