/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame.bpf.h - with which VLAN tags a frame leaves.
 *
 * With those of the interface that it leaves by, whatever it came with.  An interface that
 * names none strips what is there: the tags told the way in.  But on a trunk, an interface
 * on which the host has no VLAN devices, the frame goes back as it came.
 */
#ifndef LB_FRAME_BPF_H
#define LB_FRAME_BPF_H

#include <stdbool.h>
#include <linux/if_ether.h>

#include "cursor.bpf.h"
#include <lb/abi.h>

#define TAG_SIZE 4

/* An Ethernet header up to its type, with as many tags as may be there. */
struct frame {
	__u8 macs[2 * ETH_ALEN];
	struct lb_tag tag[LB_TAGS];
	__be16 type;
} __attribute__((packed));

static __always_inline struct frame *frame_at(const struct xdp_md *ctx)
{
	return packet_at(ctx, 0, 0, sizeof(struct frame));
}

static __always_inline __u32 frame_tags(const struct lb_pkt *pkt)
{
	return (__u32)(pkt->l3 - ETH_HLEN) / TAG_SIZE;
}

static __always_inline bool keeps_tags(const struct xdp_md *ctx,
				       const struct lb_device *out)
{
	return !out->tag[0].type && out->ifindex == ctx->ingress_ifindex &&
	       !(out->flags & LB_DEVICE_F_TAGS);
}

/* Both tags in one word: what functions hand on. */
static __always_inline __u64 tags_word(const struct lb_tag tag[LB_TAGS])
{
	__u64 word;

	__builtin_memcpy(&word, tag, sizeof(word));
	return word;
}

/*
 * Replace the packet's tags by @tags; 0: there is no room.  Global: the verifier looks at it
 * once, and not once more for each way to get there (204,000 steps of lb_rewrite on 6.18).
 */
__noinline int frame_retag(struct xdp_md *ctx, struct lb_pkt *pkt, __u64 tags)
{
	__u8 macs[2 * ETH_ALEN];
	struct lb_tag tag[LB_TAGS];
	struct frame *frame = frame_at(ctx);
	__s32 more;
	__u32 n;

	if (!pkt || !frame)
		return 0;
	__builtin_memcpy(tag, &tags, sizeof(tag));
	n = !!tag[0].type + !!tag[1].type;
	more = ETH_HLEN + n * TAG_SIZE - pkt->l3;
	__builtin_memcpy(macs, frame->macs, sizeof(macs));
	if (more && bpf_xdp_adjust_head(ctx, -more))
		return 0;
	frame = frame_at(ctx);
	if (!frame)
		return 0;
	__builtin_memcpy(frame->macs, macs, sizeof(macs));
	if (n)
		frame->tag[0] = tag[0];
	if (n > 1)
		frame->tag[1] = tag[1];

	pkt->l3 += more;
	pkt->l4 += more;
	pkt->length += more;
	return 1;
}

#endif /* LB_FRAME_BPF_H */
