/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * new_flow.bpf.h - a packet for a service that has no flow: who is asked where it shall
 * go.
 */
#ifndef LB_NEW_FLOW_BPF_H
#define LB_NEW_FLOW_BPF_H

#include "choose.bpf.h"
#include "lookup.bpf.h"

/*
 * An error is of no flow of ours, or of one that nobody keeps.  Where replies go past us and
 * each packet is chosen for alike, the choice for what the error quotes is the same once more.
 */
static __always_inline bool is_chosen_for_alike(const struct lb_pkt *pkt)
{
	const struct lb_table *table;

	if (!(pkt->flags & LB_PKT_PER_PACKET) ||
	    (pkt->stage != LB_STAGE_DSR && pkt->stage != LB_STAGE_ENCAP))
		return false;
	table = table_get(pkt->service);
	return table && (table->promises & LB_PROMISE_STICKY);
}

/* Connections that the host took while no backend was usable go on there. */
static __always_inline bool host_may_know(const struct lb_pkt *pkt)
{
	const struct lb_service *service = service_get(pkt->service);

	return service->on_empty == LB_ON_EMPTY_PASS;
}

/* Neither a connection's first packet nor of a flow, where flows are kept. */
static __always_inline bool is_unknown(const struct lb_pkt *pkt)
{
	return pkt->protocol == IPPROTO_TCP && !tcp_is_syn(pkt->tcp_flags) &&
	       !(pkt->flags & (LB_PKT_PER_PACKET | LB_PKT_NO_PORTS));
}

static __always_inline int new_flow(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	const struct lb_table *table;

	if ((pkt->flags & LB_PKT_ERROR) && !is_chosen_for_alike(pkt))
		return lb_leave(ctx, pkt, LB_REASON_NOT_OURS, XDP_PASS);
	table = table_get(pkt->service);
	if (is_unknown(pkt) && (table || !host_may_know(pkt))) {
		pkt->flags |= LB_PKT_UNKNOWN;
		pkt->attempt = LB_UNKNOWN_NONE;
		lb_go(ctx, LB_STAGE_UNKNOWN);
		return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
	}
	return choose(ctx, pkt, table);
}

#endif /* LB_NEW_FLOW_BPF_H */
