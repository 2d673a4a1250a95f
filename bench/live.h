/* SPDX-License-Identifier: GPL-2.0-only */
/* live.h - what live.bpf.c and live.c agree on. */
#ifndef BENCH_LIVE_H
#define BENCH_LIVE_H

#include <linux/types.h>

/* clang-format off */
#define LIVE_SIZE	64	/* bytes of a frame: Ethernet, IPv4, TCP or UDP, no padding */
#define LIVE_WORDS	(LIVE_SIZE / 8)
#define LIVE_PORT	1024	/* the first client port; one a flow */
#define LIVE_BLOCK	16384	/* packets between two looks at the clock */
#define LIVE_STAMPS	512	/* looks, a power of two */
#define LIVE_BACKENDS	4	/* the last byte of their MAC and address: 1 and up */

/* What makes a frame one that a backend gets. */
#define LIVE_WANT_MAC	1	/* it is for a backend's MAC */
#define LIVE_WANT_ADDR	2	/* its (outer) destination is the same backend's address */

/* clang-format on */

/* Of the object's .rodata: what to send, what to want. */
struct live_config {
	__u64 packet[LIVE_WORDS];  /* of client port 0, checksums complete */
	__u64 opening[LIVE_WORDS]; /* what begins a flow, the same way */
	__u32 flows_mask;
	__u32 check_at;	 /* where the transport's checksum is */
	__u32 opens;	 /* each flow twice: what begins it, then the packet */
	__u32 want;	 /* LIVE_WANT_* */
	__be32 backends; /* address of the backends but for the last byte */
};

/* At a look at the clock: how many had been sent and had arrived. */
struct live_stamp {
	__u64 ns;
	__u64 sent;
	__u64 arrived;
};

/* Of the object's .bss. */
struct live_counts {
	__u64 sent;
	__u64 arrived;		      /* at backends */
	__u64 strays;		      /* came back, but no backend would have taken it */
	__u64 backend[LIVE_BACKENDS]; /* of those that arrived */
	struct live_stamp stamp[LIVE_STAMPS];
};

#endif /* BENCH_LIVE_H */
