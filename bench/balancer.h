/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * balancer.h - the shipped stages with one service, for a row of the benchmark.
 *
 * Each row has a balancer of its own, with maps of its own: no row finds what another one
 * left.  Tables are made by lbctl's code, so that policies choose in what is really
 * installed.
 */
#ifndef BENCH_BALANCER_H
#define BENCH_BALANCER_H

#include "hosts.h"
#include "world.h"

/* clang-format off */
#define BALANCER_PORT	  80	 /* the service's */
#define BALANCER_BACKENDS 16 /* of a service */
#define BALANCER_MANY	  256 /* of one in fullnat mode: a million flows need the ports */
#define BALANCER_POLICY	  0	 /* its slot */
/* clang-format on */

struct balancer_service {
	int family;    /* 4 or 6 */
	__u8 protocol; /* IPPROTO_* */
	enum lb_forward mode;
	const char *policy; /* the name of its object */
	bool per_packet;    /* persistence none: the policy is asked for each packet */
};

struct balancer {
	struct stage stage;
	int parse; /* the program */
	__u32 service;
};

/* The namespace that next hops are found in. */
void balancer_open_hosts(void);
/* @slots: how many flows there is room for, 2^n. */
void balancer_open(struct balancer *b, const struct balancer_service *service,
		   __u32 slots);
void balancer_close(struct balancer *b);

#endif /* BENCH_BALANCER_H */
