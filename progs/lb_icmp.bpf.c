// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_icmp - an ICMP error: which flow is it about?
 *
 * An error quotes the packet that could not be delivered.  Turned round, the quote is a
 * packet that goes where the error goes: to the backend if a client's side complains about
 * what was sent there, to the client if a backend's side does.  So it is looked up as that.
 *
 * in:   lb_pkt of an ICMP error, as lb_parse leaves it
 * out:  lb_pkt with the flow, LB_PKT_ERROR, the protocol of the quote and where its ports
 *       are; to what forwards packets of the flow as they are, or to lb_icmp_nat.  What
 *       cannot be told by address and port alone goes to lb_wide or lb_reply, and what is
 *       of a service that keeps no flows to its policy, if that chooses alike
 * else: XDP_PASS of all that is about no flow of ours
 */
#include "quote.bpf.h"
#include "find.bpf.h"
#include "ip_end.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_ICMP;

/* An error goes to whoever sent what it quotes. */
static __always_inline bool goes_to(struct xdp_md *ctx, const struct lb_pkt *pkt,
				    const __be32 *sender, int family)
{
	if (family == 4) {
		const struct iphdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		return ip && address_equal(&ip->daddr, sender, 4);
	} else {
		const struct ipv6hdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		return ip && address_equal(ip->daddr.in6_u.u6_addr32, sender, 6);
	}
}

/* Read the quote of @pkt into @ret, turned round.  False: it is of nothing that we know. */
static __always_inline bool reverse_quote(struct xdp_md *ctx, struct lb_pkt *pkt,
					  int family, struct lb_ends *ret)
{
	__u32 at = pkt->l4 + sizeof(struct icmp_header), end = ip_end(ctx, pkt, family);
	struct cursor c = cursor_init(ctx);
	struct headers h = {};
	const union quoted *q;

	c.pos = packet_at(ctx, at, L4_LIMIT, 0);
	if (!c.pos)
		return false;
	q = reverse(&c, &h, pkt, family, ret);
	if (!q)
		return false;

	pkt->quoted = (const void *)q - (void *)(long)ctx->data;
	return pkt->quoted + sizeof(*q) <= end &&
	       goes_to(ctx, pkt, h.ends.source, family);
}

static __always_inline int find(struct xdp_md *ctx, struct lb_pkt *pkt, int family)
{
	struct lb_ends ends = {};

	if (!reverse_quote(ctx, pkt, family, &ends))
		return lb_leave(ctx, pkt, LB_REASON_NOT_OURS, XDP_PASS);
	pkt->flags |= LB_PKT_ERROR;
	return find_flow(ctx, pkt, &ends, family);
}

SEC("xdp")
int lb_icmp(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return lb_abort();
	if (pkt->family == 4)
		return find(ctx, pkt, 4);
	return find(ctx, pkt, 6);
}

char _license[] SEC("license") = "GPL";
