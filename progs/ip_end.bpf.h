/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ip_end.bpf.h - where the IP packet ends: Ethernet may have added to it.
 */
#ifndef LB_IP_END_BPF_H
#define LB_IP_END_BPF_H

#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "cursor.bpf.h"
#include <lb/abi.h>

/* The offset behind its last byte, as its header says; 0: it has none.  lb_parse has seen
 * that it is not beyond the frame. */
static __always_inline __u32 ip_end(const struct xdp_md *ctx, const struct lb_pkt *pkt,
				    int family)
{
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;

	if (family == 4) {
		ip4 = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip4));
		return ip4 ? pkt->l3 + bpf_ntohs(ip4->tot_len) : 0;
	}
	ip6 = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip6));
	return ip6 ? pkt->l3 + sizeof(*ip6) + bpf_ntohs(ip6->payload_len) : 0;
}

#endif /* LB_IP_END_BPF_H */
