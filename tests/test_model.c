// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_model - the tree of services and backends, the difference between two trees, and
 * commands that work on one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "address.h"
#include "diff.h"
#include "edit.h"

#define N_SERVICES 300

static struct model_service *add(struct model *m, const char *text)
{
	struct service_name name;
	struct model_service s;

	assert_null(service_parse(text, &name));
	model_init_service(&s);
	model_set_name(&s, &name);
	return model_add_service(m, &s);
}

static struct model_backend *add_backend(struct model_service *s, const char *text)
{
	struct model_backend b;

	model_init_backend(&b);
	assert_null(backend_parse(text, &b.address, &b.port));
	return model_add_backend(s, &b);
}

static struct model_service *find(const struct model *m, const char *text)
{
	struct service_name name;

	assert_null(service_parse(text, &name));
	return model_find_service(m, &name);
}

/* A pseudo-random order of 0 .. N_SERVICES - 1: 7 has no factor in common with it. */
static void shuffled(int i, char *ret, size_t size)
{
	int n = i * 7 % N_SERVICES;

	snprintf(ret, size, "10.0.%d.%d:%d/%s", n / 16, n % 16 + 1, 80 + n % 3,
		 n % 2 ? "tcp" : "udp");
}

static void services_are_sorted_and_found(void **state)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct model m;
	size_t i;

	(void)state;
	model_init(&m);
	for (i = 0; i < N_SERVICES; i++) {
		shuffled(i, text, sizeof(text));
		assert_null(find(&m, text));
		assert_non_null(add(&m, text));
		assert_non_null(find(&m, text));
	}
	assert_int_equal(m.n_services, N_SERVICES);
	for (i = 1; i < m.n_services; i++)
		assert_true(address_compare(&m.services[i - 1].address,
					    &m.services[i].address) < 0);

	for (i = 0; i < N_SERVICES; i += 2) {
		shuffled(i, text, sizeof(text));
		model_del_service(&m, find(&m, text));
		assert_null(find(&m, text));
	}
	for (i = 1; i < N_SERVICES; i += 2) {
		shuffled(i, text, sizeof(text));
		assert_non_null(find(&m, text));
	}
	assert_int_equal(m.n_services, N_SERVICES / 2);
	model_free(&m);
}

static void port_and_protocol_tell_services_apart(void **state)
{
	struct model m;

	(void)state;
	model_init(&m);
	add(&m, "10.0.0.1:80/tcp");
	assert_null(find(&m, "10.0.0.1:80/udp"));
	assert_null(find(&m, "10.0.0.1:81/tcp"));
	assert_null(find(&m, "10.0.0.2:80/tcp"));
	assert_null(find(&m, "[2001:db8::1]:80/tcp"));
	model_free(&m);
}

static void a_copy_is_of_its_own(void **state)
{
	struct model a, b;
	struct model_service *s;

	(void)state;
	model_init(&a);
	s = add(&a, "10.0.0.1:80/tcp");
	add_backend(s, "10.0.1.1:80");
	add_backend(s, "10.0.1.2:80");
	add(&a, "10.0.0.2:80/tcp");
	assert_int_equal(model_copy(&b, &a), 0);

	b.services[0].backends[0].weight = 7;
	model_del_backend(&b.services[0], &b.services[0].backends[1]);
	assert_int_equal(a.services[0].n_backends, 2);
	assert_int_equal(a.services[0].backends[0].weight, 1);
	assert_int_equal(b.services[0].n_backends, 1);
	assert_int_equal(b.n_services, 2);
	model_free(&a);
	model_free(&b);
}

static void backends_are_sorted_and_found(void **state)
{
	static const char *const texts[] = { "10.0.1.3:80", "10.0.1.1:81", "10.0.1.2:80",
					     "10.0.1.1:80" };
	struct model m;
	struct model_service *s;
	struct address a;
	__u16 port;
	size_t i;

	(void)state;
	model_init(&m);
	s = add(&m, "10.0.0.1:80/tcp");
	for (i = 0; i < 4; i++)
		assert_non_null(add_backend(s, texts[i]));
	assert_int_equal(s->backends[0].port, 80);
	assert_int_equal(s->backends[1].port, 81);

	assert_null(backend_parse("10.0.1.2:80", &a, &port));
	model_del_backend(s, model_find_backend(s, &a, port));
	assert_null(model_find_backend(s, &a, port));
	assert_int_equal(s->n_backends, 3);
	assert_null(backend_parse("10.0.1.3:80", &a, &port));
	assert_non_null(model_find_backend(s, &a, port));
	model_free(&m);
}

static char *said[16];
static size_t n_said;

static void keep(const char *line)
{
	assert_true(n_said < 16);
	said[n_said++] = strdup(line);
}

static void forget(void)
{
	while (n_said)
		free(said[--n_said]);
}

static void the_difference_has_old_and_new(void **state)
{
	struct model a, b;
	struct model_service *s;

	(void)state;
	model_init(&a);
	a.policies[0].used = a.policies[1].used = true;
	strcpy(a.policies[0].info.meta.name, "round-robin");
	strcpy(a.policies[1].info.meta.name, "hash");
	s = add(&a, "10.0.0.1:80/tcp");
	add_backend(s, "10.0.1.1:80");
	add_backend(s, "10.0.1.2:80");
	add(&a, "10.0.0.2:80/tcp");
	assert_int_equal(model_copy(&b, &a), 0);
	assert_int_equal(model_diff(&a, &b, keep), 0);
	assert_int_equal(n_said, 0);

	b.default_policy = 1;
	b.services[0].backends[0].weight = 3;
	b.services[0].timeout_set = 1;
	b.services[0].timeout_ms[TIMEOUT_IDLE] = 90000;
	model_del_backend(&b.services[0], &b.services[0].backends[1]);
	model_del_service(&b, &b.services[1]);
	add(&b, "10.0.0.3:80/udp");

	assert_int_equal(model_diff(&a, &b, keep), 6);
	assert_string_equal(said[0], "policy set default round-robin -> hash");
	assert_string_equal(said[1], "service del 10.0.0.2:80/tcp");
	assert_string_equal(said[2],
			    "service set 10.0.0.1:80/tcp timeout-idle default -> 90s");
	assert_string_equal(said[3], "backend del 10.0.0.1:80/tcp 10.0.1.2:80");
	assert_string_equal(said[4],
			    "backend set 10.0.0.1:80/tcp 10.0.1.1:80 weight 1 -> 3");
	assert_string_equal(said[5],
			    "service add 10.0.0.3:80/udp forward fullnat policy default");
	forget();
	model_free(&a);
	model_free(&b);
}

static void commands_work_on_a_model(void **state)
{
	struct model m;

	(void)state;
	model_init(&m);
	m.policies[0].used = m.policies[5].used = true;
	strcpy(m.policies[0].info.meta.name, "round-robin");
	strcpy(m.policies[5].info.meta.name, "hash");

	assert_int_equal(edit_model(&m, "service add 10.0.0.1:80/tcp ports 2000-3000"),
			 DONE);
	assert_int_equal(edit_model(&m, "service add 10.0.0.1:80/tcp"), REFUSED);
	assert_int_equal(edit_model(&m, "service add [2001:db8::1]:80/tcp policy hash"),
			 DONE);
	assert_int_equal(edit_model(&m, "backend add all 10.0.1.1 weight 0"), DONE);
	assert_int_equal(edit_model(&m, "backend add 10.0.0.1:80/tcp 10.0.1.1:80"),
			 REFUSED);
	assert_int_equal(edit_model(&m, "backend add 10.0.0.1:80/tcp 2001:db8::2"),
			 REFUSED);
	assert_int_equal(edit_model(&m, "backend replace 10.0.0.1:80/tcp 10.0.1.1:80"),
			 DONE);
	assert_int_equal(edit_model(&m, "backend drain all 10.0.1.1"), DONE);
	assert_int_equal(edit_model(&m, "backend del all 10.0.1.9"), REFUSED);
	assert_int_equal(edit_model(&m, "policy set hash"), DONE);
	assert_int_equal(edit_model(&m, "policy set wrr"), REFUSED);
	assert_int_equal(m.default_policy, 5);
	assert_int_equal(m.n_services, 2);
	assert_int_equal(m.services[0].port_low, 2000);
	assert_int_equal(m.services[0].n_backends, 1);
	assert_int_equal(m.services[0].backends[0].weight, 1);
	assert_int_equal(m.services[0].backends[0].state, LB_BACKEND_DRAIN);
	assert_int_equal(m.services[1].n_backends, 0);
	assert_int_equal(m.services[1].policy, 5);

	assert_int_equal(edit_model(&m, "service replace 10.0.0.1:80/tcp"), DONE);
	assert_int_equal(m.services[0].port_low, MODEL_PORT_LOW);
	assert_int_equal(m.services[0].n_backends, 1);
	assert_int_equal(edit_model(&m, "service delete [2001:db8::1]:80/tcp"), DONE);
	assert_int_equal(m.n_services, 1);
	model_free(&m);
}

static void limits_are_kept(void **state)
{
	char line[128];
	struct model m;
	int i;

	(void)state;
	model_init(&m);
	for (i = 0; i < LB_MAX_SERVICES; i++) {
		struct model_service s;

		model_init_service(&s);
		s.address = (struct address){ .family = 4,
					      .word = { htonl(0x0a000000 + i) } };
		s.prefix = 32;
		s.port = s.port_last = 80;
		s.protocol = IPPROTO_TCP;
		assert_non_null(model_add_service(&m, &s));
	}
	assert_int_equal(edit_model(&m, "service add 10.1.0.1:80/tcp"), REFUSED);
	assert_int_equal(m.n_services, LB_MAX_SERVICES);
	model_free(&m);

	model_init(&m);
	add(&m, "10.0.0.1:80/tcp");
	for (i = 1; i < LB_MAX_BACKENDS; i++) {
		snprintf(line, sizeof(line), "10.1.%d.%d:80", i / 250, i % 250 + 1);
		assert_non_null(add_backend(&m.services[0], line));
	}
	assert_int_equal(edit_model(&m, "backend add 10.0.0.1:80/tcp 10.2.0.1"), REFUSED);
	assert_int_equal(m.services[0].n_backends, LB_MAX_BACKENDS - 1);
	model_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_are_sorted_and_found),
		cmocka_unit_test(port_and_protocol_tell_services_apart),
		cmocka_unit_test(a_copy_is_of_its_own),
		cmocka_unit_test(backends_are_sorted_and_found),
		cmocka_unit_test(the_difference_has_old_and_new),
		cmocka_unit_test(commands_work_on_a_model),
		cmocka_unit_test(limits_are_kept),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
