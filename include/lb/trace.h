/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - the part of the ABI that shows single packets to `lbctl trace`.
 *
 * While lb_switches.trace is on, lb_parse sends each packet through LB_STAGE_CAPTURE, which
 * keeps it as it came, and every way out leads through LB_STAGE_TRACE, which writes what
 * became of it.  The switch is a lease that lbctl renews: one that was killed leaves
 * nothing on.
 *
 * Include abi.h, which has the rules.
 */
#ifndef LB_TRACE_H
#define LB_TRACE_H

#include <linux/types.h>

#define LB_TRACE_LEASE_S 5    /* the longest lease: a longer one has run out long ago */
#define LB_TRACE_SNAP	 2048 /* bytes of a packet that are kept, at most; 2^n */
#define LB_TRACE_RING	 (1 << 20) /* bytes of map lb_trace_ring */

/*
 * The one value of map lb_trace_filter, written by lbctl while nothing is traced: which
 * packets are written, and how much of them.  What is 0 is not asked for.
 */
struct lb_trace_filter {
	__u64 reasons; /* bit per enum lb_reason */
	__u32 states;  /* bit per enum lb_flow_state: of the packet's flow, as found */
	__u32 service_ref;   /* id + 1 */
	__be32 client[4];    /* the sender, or the client of the packet's flow; */
	__be32 mask[4];	     /* those bits of it */
	__be32 backend[4];   /* IPv6, or IPv4 in word 0 */
	__u8 client_family;  /* 4 or 6 */
	__u8 backend_family; /* 4 or 6 */
	__be16 backend_port; /* 0: any */
	__u32 sample;	     /* of so many on a CPU that pass, one */
	__u32 snap;	     /* bytes of a packet to keep */
	__u32 pad;
};
_Static_assert(sizeof(struct lb_trace_filter) == 80, "lb_trace_filter");

enum lb_trace_flow { LB_TRACE_NO_FLOW, LB_TRACE_NEW_FLOW, LB_TRACE_KNOWN_FLOW };

/*
 * A record of map lb_trace_ring, written by LB_STAGE_TRACE: one packet.  kept_in bytes of
 * it as it came are behind this, and behind them kept_out bytes of it as it left.
 */
struct lb_trace_event {
	__u64 ktime_ns;	     /* CLOCK_MONOTONIC, when it came */
	__u32 ifindex;	     /* where */
	__u32 service;	     /* id, or LB_NO_SERVICE */
	__u32 backend;	     /* id, or LB_NO_BACKEND */
	__u32 length_in;     /* bytes from the Ethernet header on */
	__u32 length_out;    /* 0: it did not leave */
	__u16 kept_in;	     /* 14 or more, if it was so long */
	__u16 kept_out;	     /* 0 if no service had it, too: nothing was changed */
	struct lb_ends ends; /* as it came; 0 as far as headers could not be read */
	__u8 family;	     /* 4, 6, or 0: neither */
	__u8 protocol;	     /* IPPROTO_*, or 0 */
	__u8 tcp_flags;	     /* byte 13 of the TCP header */
	__u8 direction;	     /* enum lb_direction; valid if `flow` is not 0 */
	__u8 flow;	     /* enum lb_trace_flow */
	__u8 stage;	     /* enum lb_stage: by which it left */
	__u8 verdict;	     /* XDP_* */
	__u8 reason;	     /* enum lb_reason */
	__u32 pad;
};
_Static_assert(sizeof(struct lb_trace_event) == 80, "lb_trace_event");

/*
 * The one value of map lb_captured (per CPU): the event of the packet in hand, while it
 * comes about.  LB_STAGE_CAPTURE writes what it says of the packet as it came.
 */
struct lb_capture {
	struct lb_trace_event event;
	__u8 bytes[2 * LB_TRACE_SNAP];
	__u32 turn; /* of `sample` */
	__u32 pad;
};
_Static_assert(sizeof(struct lb_capture) == 88 + 2 * LB_TRACE_SNAP, "lb_capture");

/* Map lb_trace_lost (per CPU): 0 -> __u64, events that found the ring full. */

#endif /* LB_TRACE_H */
