/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow_walk.h - the flow tables, read while the data path writes them.
 *
 * A flow is copied between two looks at its version: odd means that a writer is inside,
 * and a version that changed means that the copy may be of two flows (see
 * progs/flow_table.bpf.h).  Such a flow is read again, and left out if it does not keep
 * still: it is then so new or so nearly gone that both answers are right.
 */
#ifndef LB_FLOW_WALK_H
#define LB_FLOW_WALK_H

#include "state.h"

struct flow_view {
	__u8 table;    /* 4 or 6; IPv4 flows of several addresses or ports are in 6 */
	__u8 state;    /* enum lb_flow_state */
	__u16 service; /* id */
	__u32 position;
	__u32 version;
	__u32 backend; /* LB_BACKEND_REF */
	struct address client;
	__u16 client_port;	    /* host order */
	struct address destination; /* of table 6: where the client sent to */
	__u16 destination_port;	    /* host order */
	__u16 nat_port;		    /* host order */
	__u64 idle_ms;
	__u64 left_ms; /* until it times out */
};

/* What is zero is not asked for. */
struct flow_filter {
	bool by_service;
	__u16 service;
	__u32 states;	       /* bit per enum lb_flow_state */
	struct address client; /* family 0: any */
	unsigned int client_length;
	bool by_backend;
	__u32 *refs; /* LB_BACKEND_REF; flow_walk() sorts them */
	size_t n_refs;
};

/*
 * Call @each for every flow that lives (its backend is there, it has not timed out) and
 * passes the filter, until it returns something else than 0.  Returns that, or -errno.
 */
int flow_walk(struct state *s, const struct flow_filter *f,
	      int (*each)(void *arg, const struct flow_view *flow), void *arg);

/* -errno, or 0. */
int flow_number(struct state *s, const struct flow_filter *f, __u64 *ret);
/* Live flows per backend id: @ret has LB_MAX_BACKENDS. */
int flow_numbers(struct state *s, __u64 *ret);

/* Does @b have live flows, or is it unknown?  Then reports how many and @remedy. */
bool backend_has_flows(struct state *s, const struct model_service *service,
		       const struct model_backend *b, const char *remedy);

const char *flow_state_name(unsigned int state);

#endif /* LB_FLOW_WALK_H */
