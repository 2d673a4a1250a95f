/* SPDX-License-Identifier: GPL-2.0-only */
/* path.h - measure one row, and count whether its packets went the way they should. */
#ifndef BENCH_PATH_H
#define BENCH_PATH_H

#include "measure.h"
#include "row.h"

struct result {
	struct measured times;
	double verified; /* share of the packets that went this way, by our own counters */
};

/* Fails the running test if the balancer cannot be made. */
void path_run(const struct row *row, struct result *ret);
/* The same of a row whose path is none of ours, with @frame. */
void floor_run(const struct row *row, struct measure_frame *frame, struct result *ret);

#endif /* BENCH_PATH_H */
