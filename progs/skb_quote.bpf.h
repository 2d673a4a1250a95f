/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * skb_quote.bpf.h - another destination in what an ICMP error of the stack quotes.
 *
 * Of what the client sent, our stack saw the backend's address and port, and quotes them; the
 * client looks for the socket that sent to the service.  Nothing here is left to the
 * network card: the stack computes the checksums of its errors itself.
 */
#ifndef LB_SKB_QUOTE_BPF_H
#define LB_SKB_QUOTE_BPF_H

#include "skb.bpf.h"

/* Change @n bytes, 2 or 4, at @at of the quote, and the error's own checksum, at @check. */
static __always_inline long quote_store(struct __sk_buff *skb, __u32 check, __u32 at,
					__be32 from, __be32 to, __u32 n)
{
	long err = bpf_l4_csum_replace(skb, check, from, to, n);

	return err ?: bpf_skb_store_bytes(skb, at, &to, n, 0);
}

/*
 * The quoted checksum at @at covers a word of @n bytes that is not what it was.  There may be
 * none, or it may not be quoted.
 */
static __always_inline long quote_mend(struct __sk_buff *skb, __u32 check, __u32 at,
				       __be32 from, __be32 to, __u32 n)
{
	__u16 was, is;
	long err;

	if (bpf_skb_load_bytes(skb, at, &was, sizeof(was)) || !was)
		return 0;
	err = bpf_l3_csum_replace(skb, at, from, to, n);
	if (err || bpf_skb_load_bytes(skb, at, &is, sizeof(is)))
		return err;
	return bpf_l4_csum_replace(skb, check, was, is, sizeof(is));
}

static __always_inline __u32 quoted_check(const struct lb_pkt *pkt)
{
	if (pkt->protocol == IPPROTO_TCP)
		return pkt->quoted + offsetof(struct tcphdr, check);
	if (pkt->protocol == IPPROTO_UDP)
		return pkt->quoted + offsetof(struct udphdr, check);
	return pkt->quoted + offsetof(struct icmp_header, check);
}

static __always_inline long
quote_to_address(struct __sk_buff *skb, const struct lb_pkt *pkt, int family, __u32 check)
{
	__u32 ip = pkt->l4 + sizeof(struct icmp_header);
	__u32 at = ip + (family == 4 ? offsetof(struct iphdr, daddr)
				     : offsetof(struct ipv6hdr, daddr));
	long err = 0;

#pragma unroll
	for (int i = 0; i < (family == 4 ? 1 : 4); i++) {
		__be32 from = pkt->ends.source[i], to = pkt->origin[i];

		err = err ?: quote_store(skb, check, at + 4 * i, from, to, sizeof(to));
		if (!err && pkt->protocol != IPPROTO_ICMP)
			err = quote_mend(skb, check, quoted_check(pkt), from, to,
					 sizeof(to));
	}
	if (!err && family == 4)
		err = quote_mend(skb, check, ip + offsetof(struct iphdr, check),
				 pkt->ends.source[0], pkt->origin[0], sizeof(__be32));
	return err;
}

/* Where ports are, TCP and UDP agree; an echo has none of the backend's. */
static __always_inline long quote_to_port(struct __sk_buff *skb, const struct lb_pkt *pkt,
					  __u32 check)
{
	__be16 from = pkt->ends.sport, to = pkt->origin_port;
	long err = quote_store(skb, check, pkt->quoted + offsetof(struct udphdr, dest),
			       from, to, sizeof(to));

	return err ?: quote_mend(skb, check, quoted_check(pkt), from, to, sizeof(to));
}

/* Have the quote be of a packet to pkt->origin instead of pkt->ends.source. */
static __always_inline long skb_quote_to(struct __sk_buff *skb, const struct lb_pkt *pkt,
					 int family)
{
	__u32 check = pkt->l4 + offsetof(struct icmp_header, check);
	long err = 0;

	if (!address_equal(pkt->origin, pkt->ends.source, family))
		err = quote_to_address(skb, pkt, family, check);
	if (!err && !is_icmp(pkt->protocol) && pkt->origin_port != pkt->ends.sport)
		err = quote_to_port(skb, pkt, check);
	return err;
}

#endif /* LB_SKB_QUOTE_BPF_H */
