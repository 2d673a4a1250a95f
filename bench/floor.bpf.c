// SPDX-License-Identifier: GPL-2.0-only
/*
 * floor - what nobody can do without, for comparison: other rows mean little without these.
 *
 * Machines differ, and one machine differs from hour to hour.  A tail call and a lookup in
 * the kernel's LRU map, which is what others keep flows in, are measured in the same run as
 * the balancer, under the same wrapper.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "floor.h"

/* Flow -> anything.  Sized, and filled with as many flows as the row says, by floor.c. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct floor_key);
	__type(value, __u64);
} floor_flows SEC(".maps");

/* 0 -> floor_end. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} floor_next SEC(".maps");

/* 0 -> lookups that found their flow. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} floor_counts SEC(".maps");

static __always_inline void count(void)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&floor_counts, &zero);

	if (n)
		(*n)++;
}

SEC("xdp")
int floor_end(struct xdp_md *ctx)
{
	(void)ctx;
	count();
	return XDP_TX;
}

SEC("xdp")
int floor_tail_call(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &floor_next, 0);
	return XDP_ABORTED;
}

/* The addresses and ports of an untagged IPv4 packet without options. */
SEC("xdp")
int floor_lru(struct xdp_md *ctx)
{
	struct floor_key key = {};
	__u8 *data = (void *)(long)ctx->data;

	if (data + 38 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	__builtin_memcpy(key.ends, data + 26, sizeof(key.ends));
	key.protocol = data[23];
	if (!bpf_map_lookup_elem(&floor_flows, &key))
		return XDP_DROP;
	count();
	return XDP_TX;
}

/* Enter the flow that floor_lru looks for. */
SEC("xdp")
int floor_lru_fill(struct xdp_md *ctx)
{
	struct floor_key key = {};
	__u8 *data = (void *)(long)ctx->data;
	__u64 value = 1;

	if (data + 38 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	__builtin_memcpy(key.ends, data + 26, sizeof(key.ends));
	key.protocol = data[23];
	bpf_map_update_elem(&floor_flows, &key, &value, BPF_ANY);
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
