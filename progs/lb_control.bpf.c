// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_control - what lbctl asks the kernel to do for it, by BPF_PROG_TEST_RUN.
 *
 * lbctl may be killed at any instant, so it never holds a flow's lock; a program that the
 * kernel runs for it cannot be killed half-way.
 *
 * in:   the record of abi.h as packet data
 * out:  the record filled in, or the flow ended; XDP_PASS
 * else: XDP_DROP
 */
#include "cursor.bpf.h"
#include "flow_write.bpf.h"

/* What time is it, in jiffies? */
SEC("xdp")
int lb_clock(struct xdp_md *ctx)
{
	struct lb_clock *clock = packet_at(ctx, 0, 0, sizeof(*clock));

	if (!clock)
		return XDP_DROP;

	clock->jiffies = bpf_jiffies64();
	clock->ktime_ns = bpf_ktime_get_ns();
	return XDP_PASS;
}

static __always_inline int evict(const struct lb_evict *which, int family)
{
	struct lb_bucket *b = flow_lock(family, which->position, which->version);

	if (!b)
		return XDP_DROP;

	flow_evict(b, family, which->position & 7, LB_EVENT_EVICTED_BY_HAND);
	bucket_unlock(b);
	return XDP_PASS;
}

/* End one flow. */
SEC("xdp")
int lb_evict(struct xdp_md *ctx)
{
	const struct lb_evict *which = packet_at(ctx, 0, 0, sizeof(*which));

	if (!which || !which->version || (which->version & 1)) /* no flow has these */
		return XDP_DROP;
	return which->family == 4 ? evict(which, 4) : evict(which, 6);
}

char _license[] SEC("license") = "GPL";
