// SPDX-License-Identifier: GPL-2.0-only
/* shouter - a lie: keeps the packet for itself, and gives every other one back. */
#include "lb_policy.bpf.h"

const volatile struct lb_policy_meta lb_policy_meta SEC(".rodata.policy") = {
	.magic = LB_POLICY_MAGIC,
	.abi = LB_ABI_VERSION,
	.kind = LB_TABLE_UNIFORM,
	.name = "shouter",
};

SEC("xdp")
int shouter(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt || (bpf_get_prandom_u32() & 1))
		return XDP_TX;
	pkt->backend = 1;
	return lb_go_forward(ctx, pkt);
}

char _license[] SEC("license") = "GPL";
