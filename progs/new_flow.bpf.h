/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * new_flow.bpf.h - a packet for a service that has no flow: what the policy is asked, if
 * there is anything to choose from.
 */
#ifndef LB_NEW_FLOW_BPF_H
#define LB_NEW_FLOW_BPF_H

#include "lookup.bpf.h"

/* Constant indices are direct jumps once compiled, so the first policies have some. */
static __always_inline void go_policy(struct xdp_md *ctx, __u32 slot)
{
	if (slot == 0)
		bpf_tail_call_static(ctx, &lb_policies, 0);
	else if (slot == 1)
		bpf_tail_call_static(ctx, &lb_policies, 1);
	else if (slot == 2)
		bpf_tail_call_static(ctx, &lb_policies, 2);
	else if (slot == 3)
		bpf_tail_call_static(ctx, &lb_policies, 3);
	else if (slot == 4)
		bpf_tail_call_static(ctx, &lb_policies, 4);
	else
		bpf_tail_call(ctx, &lb_policies, slot);
}

/* Nobody to choose: as the service's on-empty says. */
static __always_inline int no_backend(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	const struct lb_service *service = service_get(pkt->service);

	if (!service)
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	if (service->on_empty == LB_ON_EMPTY_DROP)
		return lb_drop(ctx, pkt, LB_REASON_EMPTY_DROP);
	if (service->on_empty == LB_ON_EMPTY_PASS) {
		lb_count_drop(pkt, LB_REASON_EMPTY_PASS);
		return lb_end(ctx, pkt, LB_REASON_EMPTY_PASS, XDP_PASS);
	}
	return lb_tell(ctx, pkt, LB_ANSWER_REJECT, LB_REASON_NO_BACKEND);
}

/* The service's table now, or NULL if it has no slot. */
static __always_inline const struct lb_table *table_get(__u32 service)
{
	void *map = bpf_map_lookup_elem(&lb_tables, &service);
	const struct lb_table *table;
	__u32 zero = 0;

	if (!map)
		return NULL;
	table = bpf_map_lookup_elem(map, &zero);
	return table && table->n_slots ? table : NULL;
}

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

	return service && service->on_empty == LB_ON_EMPTY_PASS;
}

static __always_inline int new_flow(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	const struct lb_table *table;

	if ((pkt->flags & LB_PKT_ERROR) && !is_chosen_for_alike(pkt))
		return lb_leave(ctx, pkt, LB_REASON_NOT_OURS, XDP_PASS);
	table = table_get(pkt->service);
	if (pkt->protocol == IPPROTO_TCP && !tcp_is_syn(pkt->tcp_flags) &&
	    !(pkt->flags & (LB_PKT_PER_PACKET | LB_PKT_NO_PORTS)) &&
	    (table || !host_may_know(pkt)))
		return lb_drop(ctx, pkt, LB_REASON_UNKNOWN_FLOW);

	if (!table)
		return no_backend(ctx, pkt);
	go_policy(ctx, table->policy);
	return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
}

#endif /* LB_NEW_FLOW_BPF_H */
