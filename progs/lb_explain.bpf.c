// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_explain - before each stage of a chain that is only tried: write down what the stage is
 * told of the packet, and go on to it.
 *
 * lbctl loads it once for each stage and each policy of a private copy of an instance, puts
 * it in the place of the real one, and that into lb_real_stages or lb_real_policies.  No
 * packet of a network comes here.
 *
 * in:   what the stage wants; lb_place says which one it is
 * out:  one more of lb_steps; the stage.  At the end (LB_STAGE_TRACE), pkt->verdict
 * else: XDP_ABORTED if the real one is not loaded
 */
#include "chain.bpf.h"
#include <lb/explain.h>

static const __u8 lb_this_stage = LB_STAGE_TRACE;

/* Set by lbctl before it loads the object. */
const volatile struct lb_place lb_place SEC(".rodata.place");

/* 0 -> the steps of the packet in hand.  Written here. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_steps);
} lb_steps SEC(".maps");

/* enum lb_stage -> the real program.  Written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, LB_STAGE_MAX);
	__type(key, __u32);
	__type(value, __u32);
} lb_real_stages SEC(".maps");

/* Policy slot -> the real program.  Written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, LB_MAX_POLICIES);
	__type(key, __u32);
	__type(value, __u32);
} lb_real_policies SEC(".maps");

static __always_inline void note(const struct lb_pkt *pkt)
{
	__u32 zero = 0, n;
	struct lb_steps *steps = bpf_map_lookup_elem(&lb_steps, &zero);
	struct lb_step *step;

	if (!steps)
		return;
	n = steps->n;
	if (n >= LB_STEPS)
		return;
	step = &steps->step[n & (LB_STEPS - 1)];
	step->place.stage = lb_place.stage;
	step->place.slot = lb_place.slot;
	step->pkt = *pkt;
	steps->n = n + 1;
}

SEC("xdp")
int lb_explain(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return XDP_ABORTED;
	/* The first one: of the packet before, nothing is left. */
	if (lb_place.stage == LB_STAGE_PARSE)
		*pkt = (struct lb_pkt){ .service = LB_NO_SERVICE };
	note(pkt);
	if (lb_place.stage == LB_STAGE_TRACE)
		return pkt->verdict;
	if (lb_place.stage == LB_STAGE_POLICY)
		bpf_tail_call(ctx, &lb_real_policies, lb_place.slot);
	else
		bpf_tail_call(ctx, &lb_real_stages, lb_place.stage);
	return XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
