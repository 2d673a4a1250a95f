/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * send.bpf.h - a packet whose next hop is known leaves, by XDP or by the kernel.
 */
#ifndef LB_SEND_BPF_H
#define LB_SEND_BPF_H

#include "next_hop.bpf.h"
#include "cursor.bpf.h"

/* Have the kernel send it by @ifindex: leave the mark that lb_resolve looks for. */
static __always_inline int send_by_kernel(struct xdp_md *ctx, struct lb_pkt *pkt,
					  const struct next_hop *hop)
{
	struct lb_mark *mark;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*mark)))
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	mark = (void *)(long)ctx->data_meta;
	if ((void *)(mark + 1) > (void *)(long)ctx->data)
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);

	mark->magic = LB_MARK_MAGIC;
	mark->ifindex = hop->ifindex;
	mark->tag = (struct lb_tag){};
	return lb_forward(ctx, pkt, hop->reason, XDP_PASS);
}

static __always_inline int send_by_xdp(struct xdp_md *ctx, struct lb_pkt *pkt, __u64 to,
				       enum lb_reason reason)
{
	__u32 slot = LB_HOP_DEVICE(to);
	const struct lb_device *dev = bpf_map_lookup_elem(&lb_devices, &slot);
	__u8 *eth = packet_at(ctx, 0, 0, 14);

	if (!dev || !eth)
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);

	*(__u32 *)eth = to;
	*(__u16 *)(eth + 4) = to >> 32;
	__builtin_memcpy(eth + 6, dev->mac, 6);

	if (dev->out == ctx->ingress_ifindex)
		return lb_forward(ctx, pkt, reason, XDP_TX);
	if (bpf_redirect_map(&lb_egress, slot, XDP_DROP) != XDP_REDIRECT)
		return lb_drop(ctx, pkt, LB_REASON_NO_DEVICE);
	return lb_forward(ctx, pkt, reason, XDP_REDIRECT);
}

/* Send by @hop; @reason is counted unless the kernel sends. */
static __always_inline int send(struct xdp_md *ctx, struct lb_pkt *pkt,
				const struct next_hop *hop, enum lb_reason reason)
{
	if (hop->ifindex)
		return send_by_kernel(ctx, pkt, hop);
	return send_by_xdp(ctx, pkt, hop->to, reason);
}

#endif /* LB_SEND_BPF_H */
