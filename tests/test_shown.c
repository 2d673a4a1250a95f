// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_shown - that what services and backends are told is what is shown of them, and that
 * a difference names what differs.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "diff.h"
#include "edit.h"

/* A model with one service that is in the kernel. */
static void make_old(struct model *m, const char *line)
{
	model_init(m);
	assert_string_equal(edit_says(m, line), "");
	m->services[0].id = 7;
}

static char saw[1024];

static void keep(const char *line)
{
	snprintf(saw, sizeof(saw), "%s", line);
}

/* What is shown of @line's service is @words, and reads as the same. */
static void check_shown(const char *line, const char *words)
{
	char again[1100], want[1100];
	struct model none, a, b;

	model_init(&none);
	model_init(&a);
	model_init(&b);
	assert_string_equal(edit_says(&a, line), "");
	assert_int_equal(model_diff(&none, &a, keep), 1);
	snprintf(want, sizeof(want), "service add %s", words);
	assert_string_equal(saw, want);

	snprintf(again, sizeof(again), "%s", saw);
	assert_string_equal(edit_says(&b, again), "");
	assert_int_equal(model_diff(&a, &b, keep), 0);
	model_free(&a);
	model_free(&b);
}

static void what_is_told_is_shown(void **state)
{
	(void)state;
	check_shown("service add 10.0.0.1/32:80-80/tcp",
		    "10.0.0.1:80/tcp forward fullnat policy default");
	check_shown(
		"service add 10.0.0.1:80/tcp persistence flow src off on-empty reject "
		"mss off icmp-reply off ports 1024-32767",
		"10.0.0.1:80/tcp forward fullnat policy default");
	check_shown("service add [2001:db8::]/64:*/udp forward gue mss off "
		    "src 2001:db8:1::/64,10.2.0.1/32 persistence none on-empty pass",
		    "[2001:db8::]/64:any/udp forward gue policy default persistence none "
		    "src 10.2.0.1,2001:db8:1::/64 on-empty pass");
	check_shown(
		"service add 10.0.0.1:80/tcp grace 900 on-unknown auto slow-start off",
		"10.0.0.1:80/tcp forward fullnat policy default");
	check_shown(
		"service add 10.0.0.1:80/tcp slow-start 90 grace off persistence client "
		"on-unknown drop",
		"10.0.0.1:80/tcp forward fullnat policy default persistence client 5m "
		"on-unknown drop grace off slow-start 90s");
	check_shown("service add 10.0.0.1:80/tcp icmp-reply on mss 1400 forward nat "
		    "timeout-closed 9 on-empty drop comment x",
		    "10.0.0.1:80/tcp forward nat policy default on-empty drop mss 1400 "
		    "icmp-reply on timeout-closed 9s comment x");
}

static void a_backend_is_shown_with_what_is_not_usual(void **state)
{
	struct model a, b;

	(void)state;
	make_old(&a, "service add 10.0.0.1:80/udp");
	assert_int_equal(model_copy(&b, &a), 0);
	assert_string_equal(
		edit_says(&b, "backend add all 10.1.0.1 max-flows 7 priority 2"), "");
	assert_int_equal(model_diff(&a, &b, keep), 1);
	assert_string_equal(saw, "backend add 10.0.0.1:80/udp 10.1.0.1:80 weight 1 state "
				 "active priority 2 max-flows 7");
	model_free(&a);
	assert_int_equal(model_copy(&a, &b), 0);
	assert_string_equal(edit_says(&b,
				      "backend set all 10.1.0.1 max-flows off priority 0 "
				      "weight 0"),
			    "");
	assert_int_equal(model_diff(&a, &b, keep), 1);
	assert_string_equal(saw, "backend set 10.0.0.1:80/udp 10.1.0.1:80 weight 1 -> 0 "
				 "priority 2 -> 0 max-flows 7 -> off");
	model_free(&a);
	model_free(&b);
}

static void the_difference_names_each_setting(void **state)
{
	struct model a, b;

	(void)state;
	make_old(&a, "service add 10.0.0.1:80/udp forward gue src 10.2.0.1");
	assert_int_equal(model_copy(&b, &a), 0);
	assert_string_equal(edit_says(&b,
				      "service set 10.0.0.1:80/udp src off on-empty pass "
				      "icmp-reply on timeout-idle 90"),
			    "");
	assert_int_equal(model_diff(&a, &b, keep), 1);
	assert_string_equal(saw,
			    "service set 10.0.0.1:80/udp src 10.2.0.1 -> off on-empty "
			    "reject -> pass icmp-reply off -> on timeout-idle default "
			    "-> 90s");
	assert_int_equal(b.services[0].on_empty, LB_ON_EMPTY_PASS);
	assert_true(b.services[0].icmp_reply);
	assert_int_equal(b.services[0].source[0].address.family, 0);
	model_free(&a);
	model_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_shown),
		cmocka_unit_test(a_backend_is_shown_with_what_is_not_usual),
		cmocka_unit_test(the_difference_names_each_setting),
	};

	return cmocka_run_group_tests_name("shown", tests, NULL, NULL);
}
