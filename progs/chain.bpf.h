/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chain.bpf.h - what every stage has: the packet in hand, the next stage, the way out.
 */
#ifndef LB_CHAIN_BPF_H
#define LB_CHAIN_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

/* Set by the loader before the object is loaded, so the JIT sees constants. */
const volatile struct lb_params lb_params SEC(".rodata.params");

/* 0 -> the packet in hand.  Written by each stage for the next. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
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

static __always_inline struct lb_pkt *lb_pkt(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lb_scratch, &zero);
}

/* Count a way out that concerns no service, and take it. */
static __always_inline int lb_leave(enum lb_reason reason, int verdict)
{
	__u32 key = reason;
	struct lb_reason_count *n = bpf_map_lookup_elem(&lb_reasons, &key);

	if (n) {
		n->packets++;
		n->last = bpf_jiffies64();
		n->service = 0; /* the last one may have had some */
		n->backend = LB_NO_BACKEND;
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
	n->service = service + 1;
	n->backend = backend;
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

/* Drop a packet of pkt->service, and say for which reason; pkt->backend may be 0. */
static __always_inline int lb_drop(const struct lb_pkt *pkt, enum lb_reason reason)
{
	__u32 service = pkt->service, backend = LB_BACKEND_REF_ID(pkt->backend);
	__u64 now = bpf_jiffies64();

	count_reason(reason, service, backend, now);
	count_drop(bpf_map_lookup_elem(&lb_service_counts, &service), reason, now);
	if (backend)
		count_drop(bpf_map_lookup_elem(&lb_backend_counts, &backend), reason,
			   now);

	return reason == LB_REASON_ABORTED ? XDP_ABORTED : XDP_DROP;
}

static __always_inline void count_bytes(struct lb_count *n, __u32 bytes)
{
	if (!n)
		return;

	n->packets++;
	n->bytes += bytes;
}

/* Forward a packet of pkt->service and pkt->backend by @verdict. */
static __always_inline int lb_forward(const struct lb_pkt *pkt, enum lb_reason reason,
				      int verdict)
{
	__u32 service = pkt->service, backend = LB_BACKEND_REF_ID(pkt->backend);

	count_reason(reason, service, backend, bpf_jiffies64());
	count_bytes(bpf_map_lookup_elem(&lb_service_counts, &service), pkt->length);
	count_bytes(bpf_map_lookup_elem(&lb_backend_counts, &backend), pkt->length);
	return verdict;
}

/* Go on to lb_rewrite; comes back only if it is not loaded. */
static __always_inline int lb_go_rewrite(struct xdp_md *ctx, const struct lb_pkt *pkt)
{
	bpf_tail_call_static(ctx, &lb_stages, LB_STAGE_REWRITE);
	return lb_drop(pkt, LB_REASON_NO_STAGE);
}

#endif /* LB_CHAIN_BPF_H */
