/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * row.h - the rows of the benchmark of paths: which packets, and which way they must go.
 */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include "balancer.h"

/* What is measured of a packet's way. */
enum path {
	PATH_NOT_OURS, /* it is not for a service */
	PATH_KNOWN,    /* from a client whose flow is known */
	PATH_REPLY,    /* from the backend of a flow */
	PATH_NEW,      /* a SYN that nobody has seen, and the table is full */
	PATH_CHOICE,   /* the policy is asked, and no flow is kept */
	/* Known flows on CPU 0 and CPU 1 at once. */
	PATH_SAME_FLOW,	   /* both have the same one */
	PATH_SAME_SERVICE, /* each has its own, of one service */
	PATH_APART,	   /* each has a balancer of its own */
	PATH_MEMORY,	   /* no packets: what the tables take */
	/* For comparison: none of ours. */
	PATH_LOOP,	/* nothing at all */
	PATH_TAIL_CALL, /* of a constant index */
	PATH_LRU,	/* a lookup in the kernel's LRU map */
};

struct row {
	const char *name; /* "case" */
	enum path path;
	struct balancer_service service;
	__u32 flows; /* that take turns, 2^n; PATH_NEW: that are in the table */
	__u32 table; /* flows there is room for */
	__u32 bytes; /* of the frame, Ethernet header included */
	bool linked; /* the stages in one program instead */
};

extern const struct row rows[];
extern const size_t n_rows;

/* "tcp-known/ipip/ipv4/1/64", of at most @size bytes. */
void row_name(const struct row *row, char *ret, size_t size);
/* NULL: none. */
const char *row_mode(const struct row *row);
bool row_is_of_two(const struct row *row);
bool row_is_floor(const struct row *row);

#endif /* BENCH_ROW_H */
