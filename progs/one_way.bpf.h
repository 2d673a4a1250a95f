/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * one_way.bpf.h - the flows of modes whose replies go past us: dsr, ipip and gue.
 */
#ifndef LB_ONE_WAY_BPF_H
#define LB_ONE_WAY_BPF_H

#include "forward.bpf.h"

/* Global: see change_state(). */
__noinline int commit4(struct lb_pkt *pkt, const struct lb_service *service)
{
	if (!pkt || !service)
		return LB_REASON_ABORTED;
	return commit(pkt, 4, service, NULL);
}

__noinline int commit6(struct lb_pkt *pkt, const struct lb_service *service)
{
	if (!pkt || !service)
		return LB_REASON_ABORTED;
	return commit(pkt, 6, service, NULL);
}

/*
 * Enter the packet's new flow.  With persistence none there is nothing to remember, and a
 * fragment has no flow.
 */
static __always_inline enum lb_reason enter(struct lb_pkt *pkt,
					    const struct lb_service *service)
{
	if (pkt->flags & (LB_PKT_PER_PACKET | LB_PKT_NO_PORTS))
		return chosen_backend(pkt) ? LB_REASON_NONE : LB_REASON_EMPTY_DROP;
	set_origin(pkt, service);
	return pkt->table == 4 ? commit4(pkt, service) : commit6(pkt, service);
}

/* Enter the packet's flow, or follow it. */
static __always_inline enum lb_reason
one_way(struct lb_pkt *pkt, const struct lb_service *service, enum lb_reason *ret_sent)
{
	if (pkt->version)
		return follow(pkt, pkt_backend(pkt), ret_sent);
	*ret_sent = sent_first(pkt);
	return enter(pkt, service);
}

#endif /* LB_ONE_WAY_BPF_H */
