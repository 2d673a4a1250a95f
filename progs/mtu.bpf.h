/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mtu.bpf.h - a packet that does not fit the way out: who is told, and what would fit.
 *
 * Nothing is fragmented here.  Who forbids fragments, by IPv4's DF or by speaking IPv6, is
 * told the size that fits; who does not would not listen.
 */
#ifndef LB_MTU_BPF_H
#define LB_MTU_BPF_H

#include "chain.bpf.h"
#include "headers.bpf.h"

/* What all links carry, and senders go down to (RFC 791, RFC 8200). */
#define IP4_MIN_MTU 68
#define IP6_MIN_MTU 1280

/* Of the packet in hand, as its own IP header says. */
struct ip_size {
	__u16 length; /* from the IP header on: Ethernet may have padded it */
	bool may_fragment;
	bool later; /* a fragment, not the first */
};

/* An error about an error is forbidden, and so is one about a later fragment (RFC 1122). */
static __always_inline int too_big(struct xdp_md *ctx, struct lb_pkt *pkt,
				   const struct ip_size *size, __s32 fits)
{
	__s32 least = pkt->family == 4 ? IP4_MIN_MTU : IP6_MIN_MTU;

	if ((pkt->flags & LB_PKT_ERROR) || size->may_fragment || size->later)
		return lb_drop(ctx, pkt, LB_REASON_TOO_BIG_DROP);
	pkt->mtu = fits > least ? fits : least;
	return lb_tell(ctx, pkt, LB_ANSWER_TOO_BIG, LB_REASON_TOO_BIG);
}

#endif /* LB_MTU_BPF_H */
