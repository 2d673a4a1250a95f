/* SPDX-License-Identifier: GPL-2.0-only */
/* trace.bpf.h - what lb_capture and lb_trace share: the event in hand, and what is asked for. */
#ifndef LB_TRACE_BPF_H
#define LB_TRACE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

/* 0 -> the event of the packet in hand.  Written by lb_capture, then by lb_trace. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_capture);
} lb_captured SEC(".maps");

/* 0 -> which packets are asked for.  Written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_trace_filter);
} lb_trace_filter SEC(".maps");

static __always_inline struct lb_capture *captured_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lb_captured, &zero);
}

static __always_inline const struct lb_trace_filter *filter_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lb_trace_filter, &zero);
}

/*
 * Copy the beginning of a packet of @length bytes, up to @limit, to bytes[@at] on: how many
 * were copied.  @at is at most LB_TRACE_SNAP.
 */
static __always_inline __u32 keep(struct xdp_md *ctx, struct lb_capture *c, __u32 at,
				  __u32 length, __u32 limit)
{
	__u64 n = length < limit ? length : limit;

	if (n > LB_TRACE_SNAP)
		n = LB_TRACE_SNAP;
	if (at > LB_TRACE_SNAP || !n)
		return 0;
	/* From 1 to the limit, as 6.1 sees it too: it learns nothing from "not 0". */
	n--;
	asm volatile("%0 &= %1" : "+r"(n) : "i"(LB_TRACE_SNAP - 1));
	n++;
	return bpf_xdp_load_bytes(ctx, 0, c->bytes + at, n) ? 0 : n;
}

#endif /* LB_TRACE_BPF_H */
