// SPDX-License-Identifier: GPL-2.0-only
/*
 * counter - somebody else's XDP program behind the chain, that counts what it is given.
 *
 * What the chain or a firewall before it kept must not be in here, what they passed must.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <xdp/xdp_helpers.h>

struct {
	__uint(priority, 70);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(counter);

/* Destination port -> IPv4 packets of TCP or UDP to it.  Written by the program. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u64);
} counted SEC(".maps");

struct packet {
	struct ethhdr eth;
	struct iphdr ip; /* without options: the tests send none */
	__be16 source, dest;
} __attribute__((packed));

SEC("xdp")
int counter(struct xdp_md *ctx)
{
	const struct packet *p = (void *)(long)ctx->data;
	__u64 *count;
	__u32 port;

	if ((const void *)(p + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	if (p->eth.h_proto != bpf_htons(ETH_P_IP) || p->ip.ihl != 5)
		return XDP_PASS;
	if (p->ip.protocol != IPPROTO_TCP && p->ip.protocol != IPPROTO_UDP)
		return XDP_PASS;

	port = bpf_ntohs(p->dest);
	count = bpf_map_lookup_elem(&counted, &port);
	if (count)
		__sync_fetch_and_add(count, 1);

	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
