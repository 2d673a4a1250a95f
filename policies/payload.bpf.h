/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * payload.bpf.h - what a packet says, for policies that look into it.
 *
 * How long the payload is the IP header says: Ethernet fills short frames up.
 */
#ifndef LB_PAYLOAD_BPF_H
#define LB_PAYLOAD_BPF_H

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "cursor.bpf.h"
#include "lb_policy.bpf.h"

/* What is behind the TCP, UDP or ICMP header. */
struct lb_payload {
	__u32 offset; /* in the packet */
	__u32 length;
};

/* From the IP header on. */
static __always_inline __u32 ip_length(const struct lb_policy_flow *flow)
{
	if (flow->family == 4) {
		const struct iphdr *ip =
			packet_at(flow->ctx, flow->l3, L3_LIMIT, sizeof(*ip));

		return ip ? bpf_ntohs(ip->tot_len) : 0;
	} else {
		const struct ipv6hdr *ip =
			packet_at(flow->ctx, flow->l3, L3_LIMIT, sizeof(*ip));

		return ip ? bpf_ntohs(ip->payload_len) + sizeof(*ip) : 0;
	}
}

/* Of TCP with its options, UDP and ICMP echoes. */
static __always_inline __u32 l4_length(const struct lb_policy_flow *flow)
{
	const __u8 *l4;

	if (flow->protocol != IPPROTO_TCP)
		return 8;
	l4 = packet_at(flow->ctx, flow->l4, L4_LIMIT, 20);
	return l4 ? l4[12] >> 4 << 2 : 0;
}

/* False if the headers claim to be longer than all of it. */
static __always_inline bool lb_payload(const struct lb_policy_flow *flow,
				       struct lb_payload *ret)
{
	__u32 all = flow->l3 + ip_length(flow);

	ret->offset = flow->l4 + l4_length(flow);
	ret->length = all - ret->offset;
	return all >= ret->offset;
}

/*
 * Copy @n bytes, 1 to 16, at @offset of the payload; false if it ends before.  A bound from
 * below is lost on kernel 6.1, so the verifier is shown one from above of one less.
 */
static __always_inline bool lb_payload_copy(const struct lb_policy_flow *flow,
					    const struct lb_payload *p, __u32 offset,
					    void *to, __u32 n)
{
	__u64 less = n - 1;

	asm volatile("%0 &= 15" : "+r"(less));
	return offset + n <= p->length &&
	       !bpf_xdp_load_bytes(flow->ctx, p->offset + offset, to, less + 1);
}

#endif /* LB_PAYLOAD_BPF_H */
