// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_prefixes.c - services of several addresses or ports, as lb_wide finds them.
 */
#include "instance.h"

#include <errno.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define NET 0x0a000000 /* 10.0.0.0 */

static struct model_service *add_wide(struct address a, __u8 prefix, __u16 first,
				      __u16 last)
{
	struct model_service *s = add_service(&to, a, first, IPPROTO_TCP);

	s->prefix = prefix;
	s->port_last = last;
	return s;
}

/* Who has that: its comment, or "". */
static const char *owner(struct address a, __u16 port)
{
	__u32 ref = wide_service(&a, port, IPPROTO_TCP);

	return ref ? state.services[LB_SERVICE_REF_ID(ref)].comment : "";
}

static void name_it(struct model_service *s, const char *name)
{
	snprintf(s->comment, sizeof(s->comment), "%s", name);
}

static void the_most_specific_wins(void **arg)
{
	(void)arg;
	change_begin();
	name_it(add_wide(address4(NET), 8, 0, 65535), "all of 10/8");
	name_it(add_wide(address4(NET), 24, 1000, 2000), "range of /24");
	name_it(add_wide(address4(NET), 24, 1500, 1500), "port of /24");
	name_it(add_wide(address4(NET + 5), 32, 1, 1499), "range of .5");
	change_end();
	instance_check();
	assert_int_equal(state.switches->wide, 1);

	assert_string_equal(owner(address4(NET + 5), 1499), "range of .5");
	assert_string_equal(owner(address4(NET + 5), 1500), "port of /24");
	assert_string_equal(owner(address4(NET + 5), 1501), "range of /24");
	assert_string_equal(owner(address4(NET + 5), 0), "all of 10/8");
	assert_string_equal(owner(address4(NET + 6), 1499), "range of /24");
	assert_string_equal(owner(address4(NET + 0x100), 1499), "all of 10/8");
	assert_string_equal(owner(address4(0x0b000000), 1499), "");

	change_begin();
	model_del_service(&to, &to.services[0]);
	change_end();
	instance_check();
	assert_string_equal(owner(address4(NET + 0x100), 1499), "");
	assert_string_equal(owner(address4(NET + 5), 1499), "range of .5");
}

static void more_than_there_is_room_for_is_refused(void **arg)
{
	(void)arg;
	change_begin();
	for (int i = 0; i < LB_PREFIX_RANGES; i++)
		add_wide(address4(NET), 24, 100 * i, 100 * i + 50);
	change_end();
	instance_check();

	change_begin();
	add_wide(address4(NET + 7), 32, 1, 2);
	assert_int_equal(change_try(), -ENOSPC);
	assert_int_equal(state.config->dirty, 0);
	instance_check();
	change_begin();
	add_wide(address4(NET + 0x700), 32, 1, 2);
	change_end();
	instance_check();
}

static void the_switch_is_on_while_somebody_needs_it(void **arg)
{
	(void)arg;
	add_services(1);
	assert_int_equal(state.switches->wide, 0);
	change_begin();
	to.services[0].mss = 1400;
	add_service(&to, address4(1), 53, IPPROTO_UDP)->per_packet = true;
	add_service(&to, address6(1), 0, IPPROTO_ICMPV6)->icmp_reply = true;
	change_end();
	instance_check();
	assert_int_equal(state.switches->wide, 1);

	change_begin();
	model_del_service(&to, &to.services[0]);
	assert_false(to.services[0].per_packet);
	change_end();
	instance_check();
	assert_int_equal(state.switches->wide, 0);
}

/* Few addresses and ports, so that all nest and overlap. */
static void add_at_random(void)
{
	static const __u8 lengths[] = { 26, 28, 30, 32 };
	bool six = random() % 3 == 0;
	__u8 prefix = lengths[random() % 4];
	__u32 host = random() % 64 >> (32 - prefix) << (32 - prefix);
	__u16 first = random() % 20, last = first + random() % 20;
	struct address a = six ? address6(host) : address4(NET + host);
	struct service_name name;

	name = (struct service_name){
		.address = a,
		.prefix = six ? 96 + prefix : prefix,
		.protocol = IPPROTO_TCP,
		.port = first,
		.port_last = last,
	};
	if (!model_find_service(&to, &name))
		add_wide(a, name.prefix, first, last);
}

static void any_change_leaves_what_is_wanted(void **arg)
{
	int refused = 0;

	(void)arg;
	srandom(1);
	for (int i = 0; i < 150; i++) {
		change_begin();
		for (size_t n = to.n_services; n-- > 0;)
			if (random() % 3 == 0)
				model_del_service(&to, &to.services[n]);
		for (int n = 0; n < 20; n++)
			add_at_random();
		refused += !!change_try();
		assert_int_equal(state.config->dirty, 0);
		instance_check();
	}
	print_message("# %d of 150 were refused\n", refused);
	assert_in_range(refused, 0, 100);
}

int main(void)
{
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_most_specific_wins),
		TEST(more_than_there_is_room_for_is_refused),
		TEST(the_switch_is_on_while_somebody_needs_it),
		TEST(any_change_leaves_what_is_wanted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
