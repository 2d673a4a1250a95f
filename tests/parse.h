/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.h - lb_parse alone: the packets that it is shown, and the world they are for.
 */
#ifndef TEST_PARSE_H
#define TEST_PARSE_H

#include "flows.h"
#include "hosts.h"

/* clang-format off */
#define HTTP	8000
#define DNS	53
#define POLICY	2		/* of the services whose tables have slots */
#define FAR_POLICY 7		/* called by a run-time index */
#define EMPTY	80		/* a port whose service has no usable backend */
#define BARE	81		/* one without any table */
#define LOST	82		/* one whose policy is not loaded */
#define FAR	83		/* one with FAR_POLICY */
#define NAT	20000		/* translated port of the flow that is known */
#define KNOWN	4001		/* its client's port */
#define OLD	4002		/* client's port of a flow that has timed out */
#define ENDED	4003		/* of a closed one */
#define GONE	4004		/* of one whose backend is another by now */
#define DOWN	4005		/* of one whose backend is down */

/* A packet, and where it must go. */
struct parse_row {
	const char *name;
	const struct layer *in;
	__u32 verdict;			/* XDP_*, REACHED_* */
	enum lb_reason reason;		/* if it left */
	/* If it went on: */
	__u16 l3, l4;			/* 0: 14, and 20 or 40 more */
	enum lb_direction direction;
	__u16 client_port;		/* 0: 31337 */
};
/* clang-format on */

extern const struct parse_row parse_rows[];
extern const size_t parse_n_rows;

extern struct stage parse_stage;
int parse_open(void **state);
int parse_close(void **state);

#endif /* TEST_PARSE_H */
