// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_capture - while packets are traced: keep the packet as it came.
 *
 * The stages change it, and lb_trace wants to tell both.  Whatever they leave in lb_pkt is
 * about this packet alone, because all of it is cleared here.
 *
 * in:   an Ethernet frame, from lb_parse
 * out:  lb_captured; lb_parse again, with pkt->captured = LB_CAPTURING
 * else: lb_parse again, with lb_switches.trace = 0, if nobody has renewed the lease
 */
#include "headers.bpf.h"
#include "trace.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_CAPTURE;

/*
 * Unsigned: one that has run out is far in the future.  It is taken back only as it was
 * read, for it may just have been renewed.
 */
static __always_inline bool lease_has_ended(void)
{
	__u32 until = READ_ONCE(lb_switches.trace);
	__u32 left = until - (__u32)bpf_jiffies64();

	if (left <= LB_TRACE_LEASE_S * lb_params.hz + 1)
		return false;
	__sync_val_compare_and_swap(&lb_switches.trace, until, 0);
	return true;
}

/* What the headers say, as far as lb_parse will be able to read them. */
static __always_inline void read_headers(struct xdp_md *ctx, struct lb_pkt *pkt,
					 struct lb_trace_event *e)
{
	const void *start = (void *)(long)ctx->data;
	struct cursor c = cursor_init(ctx);
	struct headers h = {};

	*pkt = (struct lb_pkt){ .service = LB_NO_SERVICE };
	if (!parse_to_ip(&c, pkt)) {
		if (pkt->family == 4)
			parse_packet(&c, start, &h, pkt, 4);
		else
			parse_packet(&c, start, &h, pkt, 6);
	}
	e->ends = h.ends;
	e->family = pkt->family;
	e->protocol = pkt->protocol;
	e->tcp_flags = pkt->tcp_flags;
}

static __always_inline void capture(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	const struct lb_trace_filter *filter = filter_get();
	struct lb_capture *c = captured_get();

	if (!filter || !c)
		return;
	read_headers(ctx, pkt, &c->event);
	c->event.ktime_ns = bpf_ktime_get_ns();
	c->event.ifindex = ctx->ingress_ifindex;
	c->event.length_in = bpf_xdp_get_buff_len(ctx);
	c->event.kept_in = keep(ctx, c, 0, c->event.length_in, filter->snap);
	pkt->captured = LB_CAPTURING;
}

SEC("xdp")
int lb_capture(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return lb_abort();
	if (!lease_has_ended())
		capture(ctx, pkt);
	lb_go(ctx, LB_STAGE_PARSE);
	pkt->captured = LB_NOT_CAPTURED;
	return lb_leave(ctx, pkt, LB_REASON_NO_STAGE, XDP_ABORTED);
}

char _license[] SEC("license") = "GPL";
