/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * send.bpf.h - a packet whose next hop is known leaves, by XDP or by the kernel.
 */
#ifndef LB_SEND_BPF_H
#define LB_SEND_BPF_H

#include "frame.bpf.h"
#include "next_hop.bpf.h"

/* Does the device of @ifindex leave the packet's tags as they are? */
static __always_inline bool keeps_tags_at(const struct xdp_md *ctx, __u32 ifindex)
{
	const __u32 *slot = bpf_map_lookup_elem(&lb_device_slots, &ifindex);

	return slot && keeps_tags(ctx, device_get(*slot));
}

/*
 * Take the tags off for the kernel, whose device of @ifindex puts its own there; @ret_tag is
 * what a trunk keeps.
 */
static __always_inline bool untag(struct xdp_md *ctx, struct lb_pkt *pkt, __u32 ifindex,
				  struct lb_tag *ret_tag)
{
	const struct frame *frame = frame_at(ctx);

	if (!frame)
		return false;
	if (keeps_tags_at(ctx, ifindex))
		*ret_tag = frame->tag[0];
	return frame_retag(ctx, pkt, 0);
}

/* Have the kernel send it by hop->ifindex: leave the mark that lb_resolve looks for. */
static __always_inline int send_by_kernel(struct xdp_md *ctx, struct lb_pkt *pkt,
					  const struct next_hop *hop)
{
	struct lb_tag tag = {};
	struct lb_mark *mark;

	if (pkt->l3 != ETH_HLEN && !untag(ctx, pkt, hop->ifindex, &tag))
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*mark)))
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	mark = (void *)(long)ctx->data_meta;
	if ((void *)(mark + 1) > (void *)(long)ctx->data)
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);

	mark->magic = LB_MARK_MAGIC;
	mark->ifindex = hop->ifindex;
	mark->tag = tag;
	mark->backend = hop->via;
	return lb_forward(ctx, pkt, hop->reason, XDP_PASS);
}

static __always_inline int send_by_xdp(struct xdp_md *ctx, struct lb_pkt *pkt, __u64 to,
				       enum lb_reason reason)
{
	__u32 slot = LB_HOP_DEVICE(to);
	const struct lb_device *dev = device_get(slot);
	__u8 *eth;

	if ((pkt->l3 != ETH_HLEN || dev->tag[0].type) && !keeps_tags(ctx, dev) &&
	    !frame_retag(ctx, pkt, tags_word(dev->tag)))
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	eth = packet_at(ctx, 0, 0, ETH_HLEN);
	if (!eth)
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);

	*(__u32 *)eth = to;
	*(__u16 *)(eth + 4) = to >> 32;
	*(__u32 *)(eth + 6) = *(const __u32 *)dev->mac;
	*(__u16 *)(eth + 10) = *(const __u16 *)(dev->mac + 4);

	if (dev->out == ctx->ingress_ifindex)
		return lb_forward(ctx, pkt, reason, XDP_TX);
	if (bpf_redirect_map(&lb_egress, slot, XDP_DROP) != XDP_REDIRECT)
		return lb_drop(ctx, pkt, LB_REASON_NO_DEVICE);
	return lb_forward(ctx, pkt, reason, XDP_REDIRECT);
}

/*
 * Two tags the kernel cannot keep: with the second one the packet is of the first one's
 * protocol, and not one that has neighbours.
 */
static __always_inline bool kernel_can_send(const struct xdp_md *ctx,
					    const struct lb_pkt *pkt, __u32 ifindex)
{
	return frame_tags(pkt) < 2 || !keeps_tags_at(ctx, ifindex);
}

/* Will all of the Ethernet header be written anew when the packet is sent by @hop? */
static __always_inline bool writes_ethernet(const struct lb_pkt *pkt,
					    const struct next_hop *hop)
{
	return pkt->l3 == ETH_HLEN && !hop->ifindex;
}

/* Send by @hop; @reason is counted unless the kernel sends. */
static __always_inline int send(struct xdp_md *ctx, struct lb_pkt *pkt,
				const struct next_hop *hop, enum lb_reason reason)
{
	if (hop->ifindex && kernel_can_send(ctx, pkt, hop->ifindex))
		return send_by_kernel(ctx, pkt, hop);
	if (!hop->to)
		return lb_drop(ctx, pkt, LB_REASON_NO_NEIGHBOUR);
	return send_by_xdp(ctx, pkt, hop->to, reason);
}

#endif /* LB_SEND_BPF_H */
