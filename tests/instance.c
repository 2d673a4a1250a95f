// SPDX-License-Identifier: GPL-2.0-only
/*
 * instance.c - an instance on the real kernel, in a folder of pins of this process.
 */
#include "instance.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoints.h"
#include "pins.h"

char pin_dir[64], build[256];
struct state_options where;
struct state state;

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

int instance_setup(void **arg)
{
	(void)arg;
	snprintf(pin_dir, sizeof(pin_dir), "/sys/fs/bpf/swy-test-%d", getpid());
	snprintf(build, sizeof(build), "%s", getenv("BUILD") ?: "build");
	where = (struct state_options){ .pin_dir = pin_dir,
					.wait_ms = 100,
					.objects = build };
	libbpf_set_print(print_nothing);
	return state_create(&state, &where, 64);
}

int instance_teardown(void **arg)
{
	(void)arg;
	state_close(&state);
	state = (struct state){};
	snprintf(state.dir, sizeof(state.dir), "%s", pin_dir);
	return pins_remove(&state);
}

void instance_reopen(void)
{
	state_close(&state);
	assert_int_equal(state_open(&state, &where, STATE_WRITE), 0);
}

/* ---- models ------------------------------------------------------------------------ */

struct address address4(__u32 host)
{
	return (struct address){ .family = 4, .word = { htonl(host) } };
}

struct address address6(__u32 host)
{
	return (struct address){ .family = 6,
				 .word = { htonl(0xfd000000), 0, 0, htonl(host) } };
}

struct model_service *add_service(struct model *m, struct address a, __u16 port,
				  __u8 protocol)
{
	struct model_service s, *added;

	model_init_service(&s);
	s.address = a;
	s.prefix = a.family == 4 ? 32 : 128;
	s.port = s.port_last = port;
	s.protocol = protocol;
	added = model_add_service(m, &s);
	assert_non_null(added);
	return added;
}

struct model_backend *add_backend(struct model_service *s, struct address a, __u32 weight)
{
	struct model_backend b, *added;

	model_init_backend(&b);
	b.address = a;
	b.port = 8080;
	b.weight = weight;
	added = model_add_backend(s, &b);
	assert_non_null(added);
	return added;
}

void assert_service_equal(const struct model_service *a, const struct model_service *b)
{
	assert_memory_equal(&a->address, &b->address, sizeof(a->address));
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->protocol, b->protocol);
	assert_int_equal(a->forward, b->forward);
	assert_int_equal(a->policy, b->policy);
	assert_int_equal(a->timeout_set, b->timeout_set);
	for (int i = 0; i < TIMEOUT_MAX; i++)
		if (a->timeout_set & 1U << i)
			assert_int_equal(a->timeout_ms[i], b->timeout_ms[i]);
	assert_int_equal(a->port_low, b->port_low);
	assert_int_equal(a->port_high, b->port_high);
	assert_int_equal(a->prefix, b->prefix);
	assert_int_equal(a->port_last, b->port_last);
	assert_int_equal(a->per_packet, b->per_packet);
	assert_int_equal(a->icmp_reply, b->icmp_reply);
	assert_int_equal(a->on_empty, b->on_empty);
	assert_int_equal(a->mss, b->mss);
	assert_int_equal(a->on_unknown, b->on_unknown);
	assert_int_equal(a->grace_ms, b->grace_ms);
	assert_int_equal(a->slow_start_ms, b->slow_start_ms);
	assert_int_equal(a->client_ms, b->client_ms);
	assert_memory_equal(a->source, b->source, sizeof(a->source));
	assert_string_equal(a->comment, b->comment);
	assert_int_equal(a->n_backends, b->n_backends);
	for (size_t i = 0; i < a->n_backends; i++) {
		assert_memory_equal(&a->backends[i].address, &b->backends[i].address,
				    sizeof(a->backends[i].address));
		assert_int_equal(a->backends[i].port, b->backends[i].port);
		assert_int_equal(a->backends[i].weight, b->backends[i].weight);
		assert_int_equal(a->backends[i].state, b->backends[i].state);
		assert_int_equal(a->backends[i].priority, b->backends[i].priority);
		assert_int_equal(a->backends[i].max_flows, b->backends[i].max_flows);
	}
}

struct model from, to;

void change_begin(void)
{
	assert_int_equal(state_read(&state, &from), 0);
	assert_int_equal(model_copy(&to, &from), 0);
}

int change_try(void)
{
	int err = state_commit(&state, &from, &to);

	model_free(&from);
	model_free(&to);
	return err;
}

void change_end(void)
{
	assert_int_equal(change_try(), 0);
	assert_int_equal(state.config->dirty, 0);
}

/* @n services of two backends each. */
void add_services(__u32 n)
{
	change_begin();
	for (__u32 i = 0; i < n; i++) {
		struct model_service *s =
			add_service(&to, address4(0x0a010001 + i), 80, IPPROTO_TCP);

		add_backend(s, address4(0x0a020001 + i), 1);
		add_backend(s, address4(0x0a030001 + i), 3);
	}
	change_end();
}

/* ---- what the data path sees ------------------------------------------------------- */

static int open_inner(int outer_fd, __u32 service)
{
	__u32 id;
	int fd;

	if (bpf_map_lookup_elem(outer_fd, &service, &id))
		return -1;
	fd = bpf_map_get_fd_by_id(id);
	assert_return_code(fd, errno);
	return fd;
}

int open_table(__u32 service)
{
	return open_inner(state.tables_fd, service);
}

struct lb_table read_previous(__u32 service)
{
	int fd = open_inner(state.previous_fd, service);
	struct lb_table header = {};
	__u32 zero = 0;

	if (fd < 0)
		return header;
	assert_return_code(bpf_map_lookup_elem(fd, &zero, &header), errno);
	close(fd);
	return header;
}

struct lb_table read_header(__u32 service)
{
	struct lb_table header;
	__u32 zero = 0;
	int fd = open_table(service);

	assert_return_code(fd, ENOENT);
	assert_return_code(bpf_map_lookup_elem(fd, &zero, &header), errno);
	close(fd);
	return header;
}

__u16 read_slot(__u32 service, __u32 slot)
{
	__u32 chunk = 1 + slot / LB_TABLE_CHUNK;
	struct lb_table_slots slots;
	int fd = open_table(service);

	assert_return_code(bpf_map_lookup_elem(fd, &chunk, &slots), errno);
	close(fd);
	return slots.id[slot % LB_TABLE_CHUNK];
}

__u32 endpoint_value(const struct address *a, __u16 port, __u8 protocol,
		     enum lb_endpoint_kind kind)
{
	const struct endpoint_table t = { state.endpoints4, state.endpoints6,
					  state.config->params.seed, NULL };
	struct endpoint e = endpoint_make(a, port, protocol, kind, 0);

	return endpoints_get(&t, &e);
}
