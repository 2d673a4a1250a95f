/* SPDX-License-Identifier: GPL-2.0-only */
/* path.h - measure one row, and count whether its packets went the way they should. */
#ifndef BENCH_PATH_H
#define BENCH_PATH_H

#include "measure.h"
#include "row.h"

struct result {
	struct measured times;
	double verified; /* share of the packets that went this way, by our own counters */
	double refused; /* share of them that went it, but for nothing: no port was free */
	double stages_ns; /* of a linked row: how much longer the shipped stages take */
	double bytes;	  /* of PATH_MEMORY, of all tables of that family */
};

#define PATH_COUNTS 4

struct path_counts {
	__u64 n[PATH_COUNTS];
	size_t used;
	__u64 refused; /* PATH_NEW of fullnat: no port was found */
};

/* Fails the running test if the balancer cannot be made. */
void path_run(const struct row *row, struct result *ret);
/* What it does with rows of these kinds. */
void floor_run(const struct row *row, struct result *ret);
void two_run(const struct row *row, struct result *ret);
void memory_run(const struct row *row, struct result *ret);

/* Make the flows @first and on, @n of them, each confirmed as a client does. */
void path_make_flows(int prog, const struct row *row, __u32 first, __u32 n);
/* Add what must count each packet that goes the row's way. */
void path_count(const struct balancer *b, const struct row *row, struct path_counts *ret);
/* Packets that have gone it in between: as many as all of these counted. */
__u64 path_gone(const struct path_counts *before, const struct path_counts *after);

#endif /* BENCH_PATH_H */
