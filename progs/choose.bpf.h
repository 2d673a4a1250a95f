/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * choose.bpf.h - who is to have a packet that has no flow: a service's table, its policy, and
 * what is left to say if there is nobody.
 */
#ifndef LB_CHOOSE_BPF_H
#define LB_CHOOSE_BPF_H

#include "chain.bpf.h"
#include "services.bpf.h"

/* Constant indices are direct jumps once compiled, so those that are shipped have some. */
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
	else if (slot == 5)
		bpf_tail_call_static(ctx, &lb_policies, 5);
	else if (slot == 6)
		bpf_tail_call_static(ctx, &lb_policies, 6);
	else if (slot == 7)
		bpf_tail_call_static(ctx, &lb_policies, 7);
	else if (slot == 8)
		bpf_tail_call_static(ctx, &lb_policies, 8);
	else
		bpf_tail_call(ctx, &lb_policies, slot);
}

/* Nobody to choose: as the service's on-empty says. */
static __always_inline int no_backend(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	const struct lb_service *service = service_get(pkt->service);

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

/* Ask @table's policy, or whoever knows better. */
static __always_inline int choose(struct xdp_md *ctx, struct lb_pkt *pkt,
				  const struct lb_table *table)
{
	pkt->attempt = 0;
	if (!table)
		return no_backend(ctx, pkt);
	if (table->flags & LB_TABLE_F_CLIENT)
		lb_go(ctx, LB_STAGE_CLIENT);
	else
		go_policy(ctx, table->policy);
	return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
}

#endif /* LB_CHOOSE_BPF_H */
