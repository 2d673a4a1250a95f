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

int open_table(__u32 service)
{
	__u32 id;
	int fd;

	if (bpf_map_lookup_elem(state.tables_fd, &service, &id))
		return -1;
	fd = bpf_map_get_fd_by_id(id);
	assert_return_code(fd, errno);
	return fd;
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
