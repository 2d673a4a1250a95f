// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_wide - services of several addresses or ports: `any`, ranges, prefixes.
 *
 * in:   lb_pkt with pkt->ends, of a packet that no service of one address and port has, and
 *       that comes from no backend's port.  With LB_PKT_NO_PORTS it is a fragment, with
 *       LB_PKT_NO_REPLY lb_reply has seen it
 * out:  as lb_parse, with LB_PKT_WIDE and pkt->origin.  To lb_reply if it may be a reply of
 *       a backend that keeps its clients' ports
 * else: XDP_PASS for what is not for a service either; XDP_DROP with a reason
 */
#include "new_flow.bpf.h"
#include "prefixes.bpf.h"
#include "wide.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_WIDE;

/*
 * Fragments are told apart by addresses alone, so all of a datagram have to go where its
 * address says: a mode that leaves the packet as it is, and a policy that looks no further.
 */
static __always_inline int fragment(struct xdp_md *ctx, struct lb_pkt *pkt, bool any_port)
{
	const struct lb_table *table = table_get(pkt->service);
	const struct wide_name none = {};

	if (!any_port || (pkt->stage != LB_STAGE_DSR && pkt->stage != LB_STAGE_ENCAP) ||
	    (table && !(table->promises & LB_PROMISE_ADDRESS)))
		return lb_drop(ctx, pkt, LB_REASON_FRAGMENT);
	wide_key(pkt, pkt->ends.source, 0, &none);
	return new_flow(ctx, pkt);
}

/* A backend's reply looks like a new flow if its own address is a service's too. */
static __always_inline void try_reply(struct xdp_md *ctx, struct lb_pkt *pkt, int family)
{
	if (!(pkt->flags & LB_PKT_NO_REPLY) &&
	    find_any_port_backend(&pkt->ends, family, pkt->protocol))
		lb_go(ctx, LB_STAGE_REPLY);
}

static __always_inline void set_ends_origin(struct lb_pkt *pkt)
{
	__builtin_memcpy(pkt->origin, pkt->ends.destination, sizeof(pkt->origin));
	pkt->origin_port = pkt->ends.dport;
}

/* The key is another flow's. */
static __always_inline int collision(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	if (pkt->flags & LB_PKT_ERROR)
		return lb_leave(ctx, pkt, LB_REASON_NOT_OURS, XDP_PASS);
	return lb_drop(ctx, pkt, LB_REASON_NO_PORT);
}

static __always_inline int for_service(struct xdp_md *ctx, struct lb_pkt *pkt, int family,
				       __u32 ref)
{
	struct wide_name name = { .port = pkt->ends.dport };

	if (address_names_flow(LB_SERVICE_REF_FORWARD(ref)))
		__builtin_memcpy(name.address, pkt->ends.destination,
				 sizeof(name.address));
	wide_key(pkt, pkt->ends.source, pkt->ends.sport, &name);
	set_ends_origin(pkt);
	if (!(pkt->flags & LB_PKT_PER_PACKET) && flow_find(pkt, 6)) {
		if (!wide_agrees(pkt))
			return collision(ctx, pkt);
		return lb_go_forward(ctx, pkt);
	}
	try_reply(ctx, pkt, family);
	return new_flow(ctx, pkt);
}

/* Do its replies come to translated ports? */
static __always_inline bool is_fullnat_backend(const struct lb_pkt *pkt, int family)
{
	return LB_REPLIES_FULLNAT(find_backend(&pkt->ends, pkt->protocol, family)) ||
	       LB_REPLIES_FULLNAT(
		       find_any_port_backend(&pkt->ends, family, pkt->protocol));
}

static __always_inline int wide(struct xdp_md *ctx, struct lb_pkt *pkt, int family)
{
	const struct lb_prefix *p =
		prefix_find(family, pkt->ends.destination, pkt->protocol);
	__u32 ref = p ? prefix_service(p, pkt->ends.dport) : 0;

	if (ref) {
		set_service(pkt, ref);
		pkt->flags |= LB_PKT_WIDE;
		if (pkt->flags & LB_PKT_NO_PORTS)
			return fragment(ctx, pkt, prefix_has_one(p));
		return for_service(ctx, pkt, family, ref);
	}
	if (!(pkt->flags & LB_PKT_NO_PORTS))
		try_reply(ctx, pkt, family);
	if ((pkt->flags & (LB_PKT_NO_PORTS | LB_PKT_NO_REPLY)) &&
	    is_fullnat_backend(pkt, family))
		return stray_reply(ctx, pkt, &pkt->ends, family,
				   pkt->flags & LB_PKT_NO_PORTS
					   ? LB_REASON_FRAGMENT
					   : LB_REASON_UNKNOWN_REPLY);
	return lb_leave(ctx, pkt, LB_REASON_NOT_OURS, XDP_PASS);
}

SEC("xdp")
int lb_wide(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return lb_abort();
	if (pkt->family == 4)
		return wide(ctx, pkt, 4);
	return wide(ctx, pkt, 6);
}

char _license[] SEC("license") = "GPL";
