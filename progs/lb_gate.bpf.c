// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_gate - asks a policy for one flow after another, and hears what it answers.
 *
 * lbctl runs it by BPF_PROG_TEST_RUN, over maps that nobody else has: lb_ask stands for
 * what comes before a policy, lb_hear for all that may come behind.  One run of the kernel's
 * is thousands of flows, so that a policy can be judged while its loading waits.
 *
 * in:   lb_trials; the policy in slot 0 of lb_policies, lb_hear in all slots of lb_stages
 * out:  lb_trial.answer; lb_records.live, as the flow table would keep it
 * else: the answer stays LB_TRIAL_LOST
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "chain.bpf.h"
#include "live.bpf.h"
#include "services.bpf.h"
#include <lb/trial.h>

static const __u8 lb_this_stage = LB_STAGE_POLICY;

/* 0 -> the flows that are asked for, and the answers.  Written by lbctl and here. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_trial);
} lb_trials SEC(".maps");

static __always_inline struct lb_trial *trial(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lb_trials, &zero);
}

/* A flow of the backend that @answer names begins (1) or ends (-1). */
static __always_inline void count_live(__u32 answer, __s64 change)
{
	if (answer && answer < LB_TRIAL_BACKENDS)
		*live_get(answer) += change;
}

static __always_inline void write_key(struct lb_pkt *pkt,
				      const struct lb_trial_flow *flow)
{
	if (flow->family == 4) {
		struct lb_flow_key4 *key = (void *)pkt->key;

		key->client = flow->client[0];
		key->port = flow->port;
		key->service = pkt->service;
	} else {
		struct lb_flow_key6 *key = (void *)pkt->key;

		__builtin_memcpy(key->client, flow->client, sizeof(key->client));
		key->port = flow->port;
		key->service = pkt->service;
		key->more = 0;
	}
}

/* The part that is asked for now, at its next flow. */
static __always_inline struct lb_trial_part *next_part(struct lb_trial *t)
{
	struct lb_trial_part *part = &t->parts[t->part % LB_TRIAL_PARTS];

	if (t->at && t->at >= part->n) {
		t->at = 0;
		part = &t->parts[++t->part % LB_TRIAL_PARTS];
	}
	if (!t->at)
		part->began = bpf_ktime_get_ns();
	return part;
}

/* The next flow's first packet, as it comes to a policy. */
SEC("xdp")
int lb_ask(struct xdp_md *ctx)
{
	struct lb_trial *t = trial();
	struct lb_pkt *pkt = lb_pkt();
	const struct lb_trial_part *part;
	const struct lb_trial_flow *flow;

	if (!t || !pkt)
		return XDP_ABORTED;
	part = next_part(t);
	flow = &t->flow[(part->flow + t->at++ * part->step) % LB_TRIAL_FLOWS];
	count_live(t->answer[(t->next - t->live) % LB_TRIAL_ANSWERS], -1);
	t->answer[t->next++ % LB_TRIAL_ANSWERS] = LB_TRIAL_LOST;

	*pkt = (struct lb_pkt){
		.service = part->service,
		.l3 = 14,
		.l4 = 34,
		.length = 64,
		.tcp_flags = 2,
		.stage = LB_STAGE_REWRITE,
		.family = flow->family,
		.table = flow->family,
		.protocol = flow->protocol,
		.flags = flow->flags,
		.attempt = flow->attempt,
	};
	write_key(pkt, flow);
	bpf_tail_call_static(ctx, &lb_policies, 0);
	return XDP_ABORTED;
}

/* In the place of each stage, lb_trace's as well: what the policy chose, or why nothing. */
SEC("xdp")
int lb_hear(struct xdp_md *ctx __attribute__((unused)))
{
	struct lb_trial *t = trial();
	const struct lb_pkt *pkt = lb_pkt();
	__u32 answer;

	if (!t || !pkt)
		return XDP_ABORTED;
	answer = pkt->reason ? LB_TRIAL_REFUSED(pkt->reason) : pkt->backend;
	t->answer[(t->next - 1) % LB_TRIAL_ANSWERS] = answer;
	count_live(answer, 1);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
