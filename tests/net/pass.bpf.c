// SPDX-License-Identifier: GPL-2.0-only
/*
 * pass - an XDP program that does nothing, for the switch's end of the balancer's cable.
 *
 * A veth takes what its other end sends back by XDP_TX only if it has an XDP program
 * itself; GRO, which makes it take redirected packets, is not enough.  On real cables
 * nothing of the kind is needed.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
