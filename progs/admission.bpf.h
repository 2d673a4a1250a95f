/* SPDX-License-Identifier: GPL-2.0-only */
/* admission.bpf.h - may a backend have one flow more? */
#ifndef LB_ADMISSION_BPF_H
#define LB_ADMISSION_BPF_H

#include "chain.bpf.h"
#include "live.bpf.h"
#include "order.bpf.h"
#include "sweep.bpf.h"

/* Backend id -> when it may take a new flow.  Written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LB_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, struct lb_admission);
} lb_admissions SEC(".maps");

/* Will a flow be made for the packet, that counts?  Not for each packet, nor for fragments. */
static __always_inline bool makes_flow(const struct lb_pkt *pkt)
{
	return !(pkt->flags & (LB_PKT_PER_PACKET | LB_PKT_NO_PORTS));
}

static __always_inline bool has_max_flows(__u32 id)
{
	const struct lb_admission *a = bpf_map_lookup_elem(&lb_admissions, &id);
	__u32 most = a ? READ_ONCE(a->max_flows) : 0;

	return most && READ_ONCE(*live_get(id)) >= most;
}

/*
 * May the flow of @pkt not be one of backend @id's, because it has its max-flows?  The flow is
 * counted when it is made, which is later: CPUs that ask at the same moment may each get a
 * yes for the last place.
 */
static __always_inline bool backend_is_full(const struct lb_pkt *pkt, __u32 id)
{
	if (!makes_flow(pkt) || !has_max_flows(id))
		return false;
	return !sweep_flows(pkt->table, pkt->now) || has_max_flows(id);
}

#endif /* LB_ADMISSION_BPF_H */
