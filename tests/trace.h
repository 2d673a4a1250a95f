/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - the whole chain with tracing switched on, and the events that come of it.
 *
 * WEB, and WEB6 over IPv6, have three backends; each of the others is there for one way
 * out.  Next hops resolve in the namespace of hosts.h.
 */
#ifndef TEST_TRACE_H
#define TEST_TRACE_H

#include <bpf/libbpf.h>
#include "flows.h"
#include "hosts.h"

/* clang-format off */
#define HTTP	8000
#define SERVER	8080	/* the backends' port */
#define NOBODY	8001	/* port of a service whose backend has no neighbour entry */
#define BARE	8002	/* ... without a policy */
#define DIRECT	8003	/* ... in mode dsr */
#define EMPTY	8004	/* ... with no backend, on-empty drop */
#define PORT	31337	/* the client's */

#define SYN		.flags = TH_SYN
#define TO(port, ...)	TCP(PORT, port, __VA_ARGS__)

enum { WEB, WEB6, LOST_WEB, BARE_WEB, DSR_WEB, EMPTY_WEB, N_SERVICES };	/* ids */
#define CHAIN_POLICY	0	/* slot of round_robin */
#define NO_POLICY	7	/* slot of nothing */

/* One event, taken apart. */
struct seen {
	struct lb_trace_event event;
	__u8 in[LB_TRACE_SNAP], out[LB_TRACE_SNAP];
};

struct traced {
	struct stage stage;
	int parse;		/* program: where a packet enters */
	__u32 backend[N_SERVICES];	/* the first one of each */
	struct ring_buffer *ring;
	size_t n;		/* events taken since trace_take() */
	struct seen last;
};
/* clang-format on */

extern struct traced traced;

/* A packet that makes a flow, one that follows it, and one for no service. */
extern const struct layer *const syn, *const ack, *const foreign;

int trace_open(void **state);
int trace_close(void **state);

/* Forget flows, next hops and events; trace all, whole packets. */
int trace_afresh(void **state);
/* Ask for these from now on; NULL: trace nothing. */
void trace_set(const struct lb_trace_filter *filter);
/* Have the lease end at @until, jiffies. */
void trace_lease(__u32 until);
/* How many events have come since the last time; the last one is in traced.last. */
size_t trace_take(void);
__u64 trace_lost(void);
/* Send @in to lb_parse. */
void trace_run(const struct layer *in, __u32 ifindex, struct run *ret);

#endif /* TEST_TRACE_H */
