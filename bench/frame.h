/* SPDX-License-Identifier: GPL-2.0-only */
/* frame.h - the frames that the rows of the benchmark are about. */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include "measure.h"
#include "row.h"

/* One flow's, of the row's size; the caller says which packets are of which flow. */
struct measure_frame frame_from_client(const struct row *row, __u8 flags);
/* The answer to @r, which is what the backend saw. */
struct measure_frame frame_from_backend(const struct row *row, const struct run *r);

#endif /* BENCH_FRAME_H */
