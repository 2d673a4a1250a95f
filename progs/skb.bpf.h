/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * skb.bpf.h - another source address and port in a packet of the stack.
 *
 * The helpers do what incremental updates of our own could not: a checksum that is left
 * to the network card covers nothing but the pseudo-header yet, and not as its complement.
 */
#ifndef LB_SKB_BPF_H
#define LB_SKB_BPF_H

#include <stddef.h>
#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>

#include "icmp.bpf.h"
#include <lb/abi.h>

static __always_inline __u32 check_offset(const struct lb_pkt *pkt)
{
	if (pkt->protocol == IPPROTO_TCP)
		return pkt->l4 + offsetof(struct tcphdr, check);
	if (pkt->protocol == IPPROTO_UDP)
		return pkt->l4 + offsetof(struct udphdr, check);
	return pkt->l4 + offsetof(struct icmp_header, check);
}

/* No checksum (RFC 768) stays none; one that comes out as zero becomes all ones. */
static __always_inline __u64 check_flags(const struct lb_pkt *pkt)
{
	return pkt->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
}

/* The address is in the checksum of all but ICMP, and in that of the IPv4 header. */
static __always_inline long skb_from_address(struct __sk_buff *skb,
					     const struct lb_pkt *pkt, int family)
{
	__u64 flags = check_flags(pkt) | BPF_F_PSEUDO_HDR | sizeof(__be32);
	__u32 at = pkt->l3 + (family == 4 ? offsetof(struct iphdr, saddr)
					  : offsetof(struct ipv6hdr, saddr));
	long err = 0;

	if (family == 4)
		err = bpf_l3_csum_replace(skb, pkt->l3 + offsetof(struct iphdr, check),
					  pkt->ends.source[0], pkt->origin[0],
					  sizeof(__be32));
#pragma unroll
	for (int i = 0; i < (family == 4 ? 1 : 4); i++)
		if (pkt->protocol != IPPROTO_ICMP)
			err = err
				      ?: bpf_l4_csum_replace(skb, check_offset(pkt),
							     pkt->ends.source[i],
							     pkt->origin[i], flags);
	return err ?: bpf_skb_store_bytes(skb, at, pkt->origin, family == 4 ? 4 : 16, 0);
}

/* Where ports are, TCP and UDP agree. */
static __always_inline long skb_from_port(struct __sk_buff *skb, const struct lb_pkt *pkt,
					  __be16 port)
{
	long err = bpf_l4_csum_replace(skb, check_offset(pkt), pkt->ends.sport, port,
				       check_flags(pkt) | sizeof(port));

	return err ?: bpf_skb_store_bytes(skb, pkt->l4, &port, sizeof(port), 0);
}

/* Have the packet come from pkt->origin instead of pkt->ends.source. */
static __always_inline long skb_from(struct __sk_buff *skb, const struct lb_pkt *pkt,
				     int family)
{
	long err = 0;

	if (!address_equal(pkt->origin, pkt->ends.source, family))
		err = skb_from_address(skb, pkt, family);
	if (!err && !is_icmp(pkt->protocol) && pkt->origin_port != pkt->ends.sport)
		err = skb_from_port(skb, pkt, pkt->origin_port);
	return err;
}

#endif /* LB_SKB_BPF_H */
