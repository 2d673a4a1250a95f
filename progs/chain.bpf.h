/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chain.bpf.h - what every stage has: the packet in hand, the next stage, the way out.
 */
#ifndef LB_CHAIN_BPF_H
#define LB_CHAIN_BPF_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

#include "order.bpf.h"

/* Set by the loader before the object is loaded, so the verifier knows what is in it. */
const volatile struct lb_params lb_params SEC(".rodata.params");

/* 0 -> the packet in hand, written by each stage for the next; 1 -> one that is only
 * thought of. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct lb_pkt);
} lb_scratch SEC(".maps");

/* enum lb_stage -> program.  Each version of the stages has its own. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, LB_STAGE_MAX);
	__type(key, __u32);
	__type(value, __u32);
} lb_stages SEC(".maps");

/* Policy slot -> program.  Append-only, written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, LB_MAX_POLICIES);
	__type(key, __u32);
	__type(value, __u32);
} lb_policies SEC(".maps");

/* enum lb_reason -> packets that left for it, and the last one.  Written by stages. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_REASON_MAX);
	__type(key, __u32);
	__type(value, struct lb_reason_count);
} lb_reasons SEC(".maps");

/* Service id -> what went through it and what did not.  Written by stages. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_MAX_SERVICES);
	__type(key, __u32);
	__type(value, struct lb_count);
} lb_service_counts SEC(".maps");

/* Backend id -> what went through it and what did not.  Written by stages. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, struct lb_count);
} lb_backend_counts SEC(".maps");

/*
 * What is not always needed.  Written by lbctl.  Global data, an array map of one value
 * whose address is known when the program is loaded: looked up, as three times on the way
 * of each packet, it took 2 ns a time.
 */
struct lb_switches lb_switches SEC(".data.lb_switches");

/*
 * Which stage this object is, for lb_trace.  Each gives it its value, a constant that is
 * known here too once compiled: static const __u8 lb_this_stage = LB_STAGE_DSR;
 */
static const __u8 lb_this_stage;

static __always_inline struct lb_pkt *lb_pkt(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lb_scratch, &zero);
}

/* Room for a packet that is only thought of: the stack has too little. */
static __always_inline struct lb_pkt *lb_thought(void)
{
	__u32 one = 1;

	return bpf_map_lookup_elem(&lb_scratch, &one);
}

/* Leave the chain, by way of lb_trace while somebody watches. */
static __always_inline int lb_end(struct xdp_md *ctx, struct lb_pkt *pkt,
				  enum lb_reason reason, int verdict)
{
	if (READ_ONCE(lb_switches.trace)) {
		pkt->reason = reason;
		pkt->verdict = verdict;
		pkt->ended_by = lb_this_stage;
		bpf_tail_call_static(ctx, &lb_stages, LB_STAGE_TRACE);
	}
	return verdict;
}

static __always_inline void count_reason(enum lb_reason reason, __u32 service,
					 __u32 backend, __u64 now)
{
	__u32 key = reason;
	struct lb_reason_count *n = bpf_map_lookup_elem(&lb_reasons, &key);

	if (!n)
		return;

	n->packets++;
	n->last = now;
	n->service = service;
	n->backend = backend;
}

/* Count a way out that concerns no service, and take it. */
static __always_inline int lb_leave(struct xdp_md *ctx, struct lb_pkt *pkt,
				    enum lb_reason reason, int verdict)
{
	count_reason(reason, 0, LB_NO_BACKEND, bpf_jiffies64());
	pkt->service = LB_NO_SERVICE;
	return lb_end(ctx, pkt, reason, verdict);
}

/* There is no packet in hand: no scratch map. */
static __always_inline int lb_abort(void)
{
	count_reason(LB_REASON_ABORTED, 0, LB_NO_BACKEND, bpf_jiffies64());
	return XDP_ABORTED;
}

static __always_inline void count_drop(struct lb_count *n, enum lb_reason reason,
				       __u64 now)
{
	if (!n)
		return;

	n->drops++;
	n->last_drop = now;
	n->drop_reason = reason;
}

/* Count a packet of pkt->service that is not forwarded; pkt->backend may be 0. */
static __always_inline void lb_count_drop(const struct lb_pkt *pkt, enum lb_reason reason)
{
	__u32 service = pkt->service, backend = LB_BACKEND_REF_ID(pkt->backend);
	__u64 now = bpf_jiffies64();

	count_reason(reason, service + 1, backend, now);
	count_drop(bpf_map_lookup_elem(&lb_service_counts, &service), reason, now);
	if (backend)
		count_drop(bpf_map_lookup_elem(&lb_backend_counts, &backend), reason,
			   now);
}

/* A defect, of ours or of a policy: told from other drops by whoever watches XDP. */
static __always_inline bool is_defect(enum lb_reason reason)
{
	return reason == LB_REASON_ABORTED || reason == LB_REASON_NO_STAGE ||
	       reason == LB_REASON_BAD_SLOT;
}

/* Drop a packet of pkt->service, and say for which reason; pkt->backend may be 0. */
static __always_inline int lb_drop(struct xdp_md *ctx, struct lb_pkt *pkt,
				   enum lb_reason reason)
{
	lb_count_drop(pkt, reason);
	return lb_end(ctx, pkt, reason, is_defect(reason) ? XDP_ABORTED : XDP_DROP);
}

static __always_inline void count_bytes(struct lb_count *n, __u32 bytes)
{
	if (!n)
		return;

	n->packets++;
	n->bytes += bytes;
}

/* Count a packet of pkt->service and pkt->backend that is forwarded. */
static __always_inline void lb_count_forward(const struct lb_pkt *pkt,
					     enum lb_reason reason, __u32 bytes)
{
	__u32 service = pkt->service, backend = LB_BACKEND_REF_ID(pkt->backend);

	count_reason(reason, service + 1, backend, bpf_jiffies64());
	count_bytes(bpf_map_lookup_elem(&lb_service_counts, &service), bytes);
	count_bytes(bpf_map_lookup_elem(&lb_backend_counts, &backend), bytes);
}

/* Forward a packet of pkt->service and pkt->backend by @verdict. */
static __always_inline int lb_forward(struct xdp_md *ctx, struct lb_pkt *pkt,
				      enum lb_reason reason, int verdict)
{
	lb_count_forward(pkt, reason, pkt->length);
	return lb_end(ctx, pkt, reason, verdict);
}

/* Go on to @stage, a constant: a direct jump once compiled. */
#define lb_go(ctx, stage) bpf_tail_call_static(ctx, &lb_stages, stage)

/* Go on to what forwards the packet; comes back only if that is not loaded. */
static __always_inline int lb_go_forward(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	switch (pkt->stage) {
	case LB_STAGE_REWRITE:
		lb_go(ctx, LB_STAGE_REWRITE);
		break;
	case LB_STAGE_ENCAP:
		lb_go(ctx, LB_STAGE_ENCAP);
		break;
	case LB_STAGE_DSR:
		lb_go(ctx, LB_STAGE_DSR);
		break;
	case LB_STAGE_MSS:
		lb_go(ctx, LB_STAGE_MSS);
		break;
	case LB_STAGE_ICMP_NAT:
		lb_go(ctx, LB_STAGE_ICMP_NAT);
		break;
	}
	return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
}

/*
 * Have lb_answer tell the sender, if it may; @reason is counted either way.  The packet is
 * not to be changed before.
 */
static __always_inline int lb_tell(struct xdp_md *ctx, struct lb_pkt *pkt,
				   enum lb_answer answer, enum lb_reason reason)
{
	pkt->answer = answer;
	pkt->reason = reason;
	lb_go(ctx, LB_STAGE_ANSWER);
	return lb_drop(ctx, pkt, reason);
}

#endif /* LB_CHAIN_BPF_H */
