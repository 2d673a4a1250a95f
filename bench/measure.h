/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure.h - how long a program takes for a packet, by repeated test runs.
 *
 * wrap.bpf.c says why there is a program around it.  A figure is the difference to the same
 * wrapper around a program that does nothing, both measured in turn: round after round, so
 * that what else the machine does hits both.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "stage.h"
#include "wrap.h"

/* clang-format off */
#define MEASURE_NOTHING	-1	/* as a program: one that does nothing, within the wrapper */
#define MEASURE_ROUNDS	3
#define MEASURE_WARM	8	/* batches of each round that do not count */
#define MEASURE_BATCHES	32	/* and those behind them */
#define MEASURE_SAMPLES	(MEASURE_ROUNDS * MEASURE_BATCHES)
/* clang-format on */

/*
 * Packets of a batch.  A short one has a chance to be disturbed by nothing; over fewer, the
 * clock and the choice of flows are felt.
 */
extern __u32 measure_batch;

/* A frame, and which of its packets are whose. */
struct measure_frame {
	__u8 data[PACKET_MAX];
	size_t length;
	int family;    /* 4 or 6 */
	__u8 protocol; /* IPPROTO_* */
	__u32 ifindex; /* that it comes in by */
	__u32 flows;   /* 2^n; 1: the frame's own; 0: 2^32 */
	__u64 first;   /* number of the first packet */
	enum wrap_order order;
};

/* ns per packet, of batches. */
struct times {
	double min, median;
};

struct measured {
	struct times gross, floor, net; /* with the wrapper; the wrapper alone; without */
	__u64 packets;			/* that the program under test has seen */
};

/* Give @packets of @frame to @prog. */
void measure_feed(int prog, const struct measure_frame *frame, __u64 packets);
/* How much longer @prog takes than @base, for each packet of @frame. */
void measure_run(int prog, int base, const struct measure_frame *frame,
		 struct measured *ret);
/* The same on CPU 0 and CPU 1 at once, over MEASURE_NOTHING: @prog[i] and @frame[i] there. */
void measure_two(const int prog[2], const struct measure_frame frame[2],
		 struct measured ret[2]);
/* What a packet costs the kernel's test run if nothing is done with it. */
void measure_loop(const struct measure_frame *frame, struct measured *ret);

#endif /* BENCH_MEASURE_H */
