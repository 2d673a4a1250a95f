// SPDX-License-Identifier: GPL-2.0-only
/*
 * live - a generator of packets, and the hosts that get them, at the far end of one cable.
 *
 * live_send is run by BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES: each frame that
 * it returns XDP_TX for is really sent.  The kernel uses frames again as they came back, so
 * the whole packet is written each time, and its checksum completed: who translates may
 * look at it.  live_count is the interface's own program: all that comes back ends there,
 * and what a backend would have taken is counted.  live_floor is what a balancer cannot be
 * faster than: it sends all to one backend's MAC.  Generator and counter run on one CPU, so
 * plain words count.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "live.h"

const volatile struct live_config config;
struct live_counts counts;

static __always_inline void look_at_clock(__u64 n)
{
	struct live_stamp *s = &counts.stamp[n / LIVE_BLOCK & (LIVE_STAMPS - 1)];

	s->ns = bpf_ktime_get_ns();
	s->sent = n;
	s->arrived = counts.arrived;
}

SEC("xdp")
int live_send(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u64 *word = (__u64 *)data, n = counts.sent;
	__u32 flow = config.opens ? n / 2 : n, sum;
	__be16 *check, port;

	if (data + LIVE_SIZE > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (n % LIVE_BLOCK == 0)
		look_at_clock(n);
#pragma unroll
	for (int i = 0; i < LIVE_WORDS; i++)
		word[i] = config.opens && n % 2 == 0 ? config.opening[i]
						     : config.packet[i];

	/* The checksum is that of port 0. */
	port = bpf_htons(LIVE_PORT + (flow & config.flows_mask));
	*(__be16 *)(data + 34) = port;
	check = (__be16 *)(data + (config.check_at & 63));
	if ((__u8 *)(check + 1) > data + LIVE_SIZE)
		return XDP_ABORTED;
	sum = (__u16) ~*check + port;
	*check = ~((sum & 0xffff) + (sum >> 16));
	counts.sent = n + 1;
	return XDP_TX;
}

SEC("xdp")
int live_count(struct xdp_md *ctx)
{
	const struct ethhdr *eth = (void *)(long)ctx->data;
	const struct iphdr *ip = (void *)(eth + 1);
	__u32 mac, addr;

	if ((const void *)(ip + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	mac = eth->h_dest[5] - 1;
	addr = bpf_ntohl(ip->daddr ^ config.backends) - 1;
	if (eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ((config.want & LIVE_WANT_MAC) && mac >= LIVE_BACKENDS) ||
	    ((config.want & LIVE_WANT_ADDR) && addr != mac)) {
		counts.strays++;
		return XDP_DROP;
	}
	counts.arrived++;
	counts.backend[mac & (LIVE_BACKENDS - 1)]++;
	return XDP_DROP;
}

SEC("xdp")
int live_floor(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	eth->h_dest[5] = 1;
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
