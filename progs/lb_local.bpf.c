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
 * out:  a reply of a service in local mode comes from where the client sent to, counted
 * else: untouched, also what our kernel says itself: that a port is unreachable still names
 *       the backend's port, which a client does not take for its own.  TC_ACT_SHOT for a
 *       reply of a backend that is down
 */
#include <linux/pkt_cls.h>

#include "headers.bpf.h"
#include "forward.bpf.h"
#include "reply.bpf.h"
#include "skb.bpf.h"

/*
 * The client's end and the backend's.  Not all of a packet that the network card will cut
 * into segments is where programs read, so no length is compared.
 */
static __always_inline bool parse(struct __sk_buff *skb, struct headers *h,
				  struct lb_pkt *pkt)
{
	const void *start = (void *)(long)skb->data, *ip;

	h->cursor = cursor_init(skb);
	if (parse_ip(h, pkt, &ip) || h->no_ports)
		return false;
	pkt->l3 = ip - start;
	pkt->l4 = h->cursor.pos - start;
	return !parse_ports(h, pkt);
}

/* Is it a reply of a service in local mode?  Then its flow is in @pkt. */
static __always_inline bool find(struct lb_pkt *pkt)
{
	const struct lb_service *service;

	pkt->now = bpf_jiffies64();
	if (!reply_find_any(pkt))
		return false;
	service = service_get(pkt->service);
	if (!service || service->forward != LB_FORWARD_LOCAL)
		return false;
	set_origin(pkt, service);
	return true;
}

/* A datagram in fragments: the later ones have no port, so only that may change. */
static __always_inline bool can_be_translated(const struct lb_pkt *pkt,
					      const struct headers *h)
{
	return !h->fragment || address_equal(pkt->origin, pkt->ends.source, 6);
}

SEC("tc")
int lb_local(struct __sk_buff *skb)
{
	struct headers h = {};
	struct lb_pkt pkt = {};
	enum lb_reason reason, sent;

	if (!parse(skb, &h, &pkt) || h.icmp_error)
		return TC_ACT_UNSPEC;
	pkt.ends = h.ends;
	if (!find(&pkt) || !can_be_translated(&pkt, &h))
		return TC_ACT_UNSPEC;

	reason = follow(&pkt, &sent);
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
