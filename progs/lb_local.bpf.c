// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_local - replies of local sockets, on their way out by a real interface.
 *
 * What our own stack sends passes no XDP program, but tc egress.  In local mode a reply
 * leaves from the backend's address and port, and the client waits for one from the
 * service's.  Checksums may be left to the network card (partial): the helpers know.  On
 * lo, XDP sees both directions: this is not to be there too.
 *
 * in:   any packet that leaves by the interface
 * out:  a reply of a service in local mode comes from where the client sent to, counted; so
 *       does an ICMP error of our own stack, that a port is unreachable, and what it quotes
 *       went there
 * else: untouched.  TC_ACT_SHOT for a reply of a backend that is down
 */
#include <linux/pkt_cls.h>

#include "quote.bpf.h"
#include "forward.bpf.h"
#include "reply.bpf.h"
#include "skb_quote.bpf.h"

/*
 * The client's end and the backend's.  Not all of a packet that the network card will cut
 * into segments is where programs read, so no length is compared.
 */
static __always_inline bool parse(struct __sk_buff *skb, struct headers *h,
				  struct lb_pkt *pkt)
{
	const void *start = (void *)(long)skb->data;
	struct cursor c = cursor_init(skb);

	if (parse_to_ip(&c, pkt))
		return false;
	pkt->l3 = c.pos - start;
	if (pkt->family == 4 ? parse_ip4(&c, h, pkt) : parse_ip6(&c, h, pkt))
		return false;
	if (h->special & LATER_FRAGMENT)
		return false;
	pkt->l4 = c.pos - start;
	return !parse_ports(&c, h, pkt);
}

/*
 * Is it a reply of a service in local mode?  Then its flow is in @pkt.  Global, as error(), so
 * that the verifier looks at it once, and not for each way to read the headers before it.
 */
__noinline int find(struct lb_pkt *pkt)
{
	const struct lb_service *service;

	if (!pkt)
		return false;
	pkt->now = bpf_jiffies64();
	if (!reply_find_any(pkt))
		return false;
	service = service_get(pkt->service);
	if (service->forward != LB_FORWARD_LOCAL)
		return false;
	set_origin(pkt, service);
	return true;
}

/* A datagram in fragments: the later ones have no port, so only that may change. */
static __always_inline bool can_be_translated(const struct lb_pkt *pkt,
					      const struct headers *h)
{
	return !(h->special & FIRST_FRAGMENT) ||
	       address_equal(pkt->origin, pkt->ends.source, 6);
}

/* Does the error come from where the packet went that it quotes? */
static __always_inline bool is_from_backend(struct __sk_buff *skb,
					    const struct lb_pkt *pkt, int family)
{
	__be32 source[4] = {};
	__u32 at = pkt->l3 + (family == 4 ? offsetof(struct iphdr, saddr)
					  : offsetof(struct ipv6hdr, saddr));

	return !bpf_skb_load_bytes(skb, at, source, family == 4 ? 4 : 16) &&
	       address_equal(source, pkt->ends.source, family);
}

static __always_inline long translate(struct __sk_buff *skb, struct lb_pkt *pkt,
				      int family)
{
	long err = skb_quote_to(skb, pkt, family);

	if (err || address_equal(pkt->origin, pkt->ends.source, family) ||
	    !is_from_backend(skb, pkt, family))
		return err;
	/* The checksum that covers the address is the error's. */
	pkt->protocol = family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	return skb_from_address(skb, pkt, family);
}

/* Behind the error's header; the bound is for the verifier. */
static __always_inline __u64 quote_offset(const struct lb_pkt *pkt)
{
	__u64 at = pkt->l4 + sizeof(struct icmp_header);

	asm volatile("%0 &= %1" : "+r"(at) : "i"(L4_LIMIT));
	return at;
}

static __always_inline bool parse_quote(struct __sk_buff *skb, struct lb_pkt *pkt,
					int family)
{
	struct cursor c = cursor_init(skb);
	struct headers h = {};
	const union quoted *q;

	if (!cursor_skip(&c, quote_offset(pkt)))
		return false;
	q = reverse(&c, &h, pkt, family, &pkt->ends);
	if (q)
		pkt->quoted = (const void *)q - (void *)(long)skb->data;
	return q;
}

/* What the host could not take. */
__noinline int error(struct __sk_buff *skb, struct lb_pkt *pkt)
{
	long err;

	if (!pkt)
		return TC_ACT_UNSPEC;
	pkt->flags = LB_PKT_ERROR;
	if (!(pkt->family == 4 ? parse_quote(skb, pkt, 4) : parse_quote(skb, pkt, 6)) ||
	    !find(pkt))
		return TC_ACT_UNSPEC;

	err = pkt->family == 4 ? translate(skb, pkt, 4) : translate(skb, pkt, 6);
	if (err) {
		lb_count_drop(pkt, LB_REASON_ABORTED);
		return TC_ACT_SHOT;
	}
	lb_count_forward(pkt, LB_REASON_ICMP_ERROR, skb->len);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int lb_local(struct __sk_buff *skb)
{
	struct headers h = {};
	struct lb_pkt pkt = {};
	enum lb_reason reason, sent;

	if (!parse(skb, &h, &pkt))
		return TC_ACT_UNSPEC;
	if (h.special & ICMP_ERROR)
		return error(skb, &pkt);
	pkt.ends = h.ends;
	if (!find(&pkt) || !can_be_translated(&pkt, &h))
		return TC_ACT_UNSPEC;

	reason = follow(&pkt, pkt_backend(&pkt), &sent);
	if (reason) {
		lb_count_drop(&pkt, reason);
		return TC_ACT_SHOT;
	}
	if (pkt.family == 4 ? skb_from(skb, &pkt, 4) : skb_from(skb, &pkt, 6)) {
		lb_count_drop(&pkt, LB_REASON_ABORTED);
		return TC_ACT_SHOT;
	}
	lb_count_forward(&pkt, sent, skb->len);
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
