/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * instance.h - an instance on the real kernel, in a folder of pins of this process.
 *
 * Nothing is attached to any interface.
 */
#ifndef TEST_INSTANCE_H
#define TEST_INSTANCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "state.h"

extern char pin_dir[64], build[256];
extern struct state_options where;
extern struct state state;

/* For each test: a new instance of 64 flows, open for writing. */
int instance_setup(void **arg);
int instance_teardown(void **arg);
void instance_reopen(void);

/* All that is made of the records is there, and nothing else is (instance_check.c). */
void instance_check(void);

/* A change: @from is the kernel's state, @to a copy to be edited and committed. */
extern struct model from, to;

void change_begin(void);
int change_try(void);
void change_end(void);

struct address address4(__u32 host);
struct address address6(__u32 host);
struct model_service *add_service(struct model *m, struct address a, __u16 port,
				  __u8 protocol);
struct model_backend *add_backend(struct model_service *s, struct address a,
				  __u32 weight);
/* But for ids and times. */
void assert_service_equal(const struct model_service *a, const struct model_service *b);
/* A change of its own: @n services of two backends each. */
void add_services(__u32 n);

/* What the data path sees. */
int open_table(__u32 service);		      /* -1: there is none */
struct lb_table read_previous(__u32 service); /* zeros: there is none */
struct lb_table read_header(__u32 service);
__u16 read_slot(__u32 service, __u32 slot);
/* LB_SERVICE_REF of the service of several addresses or ports that has it, or 0. */
__u32 wide_service(const struct address *a, __u16 port, __u8 protocol);
__u32 endpoint_value(const struct address *a, __u16 port, __u8 protocol,
		     enum lb_endpoint_kind kind);

#endif /* TEST_INSTANCE_H */
