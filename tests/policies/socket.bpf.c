// SPDX-License-Identifier: GPL-2.0-only
/* socket - says that it is a policy, and is a program for sockets. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

const volatile struct lb_policy_meta lb_policy_meta SEC(".rodata.policy") = {
	.magic = LB_POLICY_MAGIC,
	.abi = LB_ABI_VERSION,
	.kind = LB_TABLE_UNIFORM,
	.name = "socket",
};

SEC("socket")
int read_socket(struct __sk_buff *skb)
{
	return lb_policy_meta.slot + skb->len;
}

char _license[] SEC("license") = "GPL";
