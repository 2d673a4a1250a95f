/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quote.bpf.h - what an ICMP error quotes, turned round.
 *
 * The quote is of a packet that could not be delivered.  Turned round, it is a packet that
 * goes where the error goes.
 */
#ifndef LB_QUOTE_BPF_H
#define LB_QUOTE_BPF_H

#include "address.bpf.h"
#include "headers.bpf.h"

/* What every quote has of the header behind IP (RFC 792); of an echo: type and identifier. */
union quoted {
	struct {
		__be16 source;
		__be16 destination;
	} port;
	struct icmp_header icmp;
};
_Static_assert(sizeof(union quoted) == 8, "quoted");

static __always_inline bool reverse_echo(const struct icmp_header *icmp, __u8 protocol,
					 struct lb_ends *ret)
{
	bool v6 = protocol == IPPROTO_ICMPV6;

	if (icmp->type == (v6 ? ICMP6_ECHO : ICMP4_ECHO))
		ret->dport = icmp->id; /* its reply */
	else if (icmp->type == (v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY))
		ret->sport = icmp->id; /* its request */
	else
		return false;
	return true;
}

static __always_inline bool reverse_l4(const union quoted *q, const struct lb_pkt *pkt,
				       int family, struct lb_ends *ret)
{
	if (pkt->protocol == (family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return reverse_echo(&q->icmp, pkt->protocol, ret);
	if (pkt->protocol != IPPROTO_TCP && pkt->protocol != IPPROTO_UDP)
		return false;
	ret->sport = q->port.destination;
	ret->dport = q->port.source;
	return true;
}

/*
 * Read the quoted headers, which begin at @c, and turn their ends round: where its
 * ports are; @h->ends is as they say.  NULL: it is of nothing that we know.
 */
static __always_inline const union quoted *reverse(struct cursor *c, struct headers *h,
						   struct lb_pkt *pkt, int family,
						   struct lb_ends *ret)
{
	enum lb_reason reason = family == 4 ? parse_ip4(c, h, pkt) : parse_ip6(c, h, pkt);
	const union quoted *q;

	if (reason || h->special & LATER_FRAGMENT)
		return NULL;
	q = cursor_take(c, union quoted);
	if (!q || !reverse_l4(q, pkt, family, ret))
		return NULL;
	copy_address(ret->source, h->ends.destination, family);
	copy_address(ret->destination, h->ends.source, family);
	return q;
}

#endif /* LB_QUOTE_BPF_H */
