/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - the parts of `lbctl trace`: what is asked for, the ring of events, an event for
 * people and programs, and as packets in a file.
 */
#ifndef LB_TRACE_COMMAND_H
#define LB_TRACE_COMMAND_H

#include <bpf/libbpf.h>
#include <jansson.h>
#include "command.h"
#include "pcapng.h"

#define TRACE_SNAP                                                                       \
	256 /* bytes of a packet in a file, unless another number is asked for */

/* What the words say. */
struct trace_wish {
	struct lb_trace_filter filter;
	unsigned long limit; /* packets; 0: none */
	const char *file;    /* NULL: to stdout */
};

/* Reports. */
enum outcome trace_words(const struct state *s, struct words *w, struct trace_wish *ret);

/* ---- the switch, and the ring -------------------------------------------------------- */

struct trace_ring {
	const struct state *state;
	int lock_fd, ring_fd, lost_fd;
	struct lb_switches *switches;
	struct ring_buffer *ring;
	ring_buffer_sample_fn take;
	void *arg;
	bool is_on;
	__u64 lost_before, lost; /* events: when we began, and since */
};

/* Lock it, set the filter, forget what is in the ring; reports. */
int trace_ring_open(struct trace_ring *r, const struct state *s,
		    const struct lb_trace_filter *filter, ring_buffer_sample_fn take,
		    void *arg);
/* Have packets be traced for a while longer; reports. */
int trace_ring_renew(struct trace_ring *r);
/* Read the counter into r->lost. */
int trace_ring_count_lost(struct trace_ring *r);
/* Off, and free. */
void trace_ring_close(struct trace_ring *r);

/* ---- what an event says -------------------------------------------------------------- */

#define TRACE_TEXT_SIZE 96

/* Whom its numbers name, and when it was, by CLOCK_REALTIME. */
struct trace_names {
	const struct state *state;
	__u64 clock_offset; /* CLOCK_REALTIME - CLOCK_MONOTONIC, ns */
};

void trace_names_init(struct trace_names *n, const struct state *s);
__u64 trace_time(const struct trace_names *n, const struct lb_trace_event *e);
/* Into @ret of TRACE_TEXT_SIZE, which they return; NULL: there is none. */
char *trace_device(const struct trace_names *n, __u32 ifindex, char *ret);
char *trace_service(const struct trace_names *n, const struct lb_trace_event *e,
		    char *ret);
char *trace_backend(const struct trace_names *n, const struct lb_trace_event *e,
		    char *ret);
const char *trace_verdict(const struct lb_trace_event *e);
const char *trace_stage(const struct lb_trace_event *e);

void trace_print_heads(void);
void trace_print(const struct trace_names *n, const struct lb_trace_event *e);
/* NULL: out of memory */
json_t *trace_row(const struct trace_names *n, const struct lb_trace_event *e);
/* The packet as it came and, if it left otherwise, as it left; 0 or -errno. */
int trace_write(struct pcapng *file, const struct trace_names *n,
		const struct lb_trace_event *e);

#endif /* LB_TRACE_COMMAND_H */
