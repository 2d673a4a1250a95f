// SPDX-License-Identifier: GPL-2.0-only
/*
 * flood - make a random packet and give it to the chain: for test runs that repeat.
 *
 * A repeated test run goes on with the packet as the chain left it, so each time the whole
 * packet is written anew, from one of a few templates, and changed: the client's port and
 * the TCP flags, or of a reply the backend and the translated port.  A million packets a
 * second and CPU meet in one small table that way.
 *
 * in:   any frame of FLOOD_SIZE bytes
 * out:  lb_parse has another one
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flood.h"

/* 0 -> lb_parse. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} lb_root SEC(".maps");

/* enum flood_kind -> a packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FLOOD_KINDS);
	__type(key, __u32);
	__type(value, struct flood_packet);
} flood_packets SEC(".maps");

/* SYN, ACK, ACK, SYN, FIN and ACK, RST, ACK, SYN: a byte each. */
#define FLAGS 0x0210041102101002ULL

static __always_inline int flood_packet(__u8 *data, __u32 random)
{
	__u32 kind = random & (FLOOD_KINDS - 1);
	const struct flood_packet *p = bpf_map_lookup_elem(&flood_packets, &kind);

	if (!p)
		return -1;
	*(struct flood_packet *)data = *p;
	if (kind == FLOOD_REPLY) {
		*(__be16 *)(data + 36) =
			bpf_htons(FLOOD_PORT_LOW + ((random >> 8) & (FLOOD_PORTS - 1)));
		data[29] = 2 + (random >> 16) % 3;
		data[47] = FLAGS >> ((random >> 20 & 7) * 8);
	} else {
		*(__be16 *)(data + 34) = bpf_htons(1000 + (random >> 8) % FLOOD_CLIENTS);
		if (kind != FLOOD_DATAGRAM)
			data[47] = FLAGS >> ((random >> 20 & 7) * 8);
	}
	return 0;
}

SEC("xdp")
int flood(struct xdp_md *ctx)
{
	__u8 *data;

	/* The mark of the packet before. */
	if (bpf_xdp_adjust_meta(ctx, ctx->data - ctx->data_meta))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	if (data + FLOOD_SIZE > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (flood_packet(data, bpf_get_prandom_u32()))
		return XDP_ABORTED;

	bpf_tail_call_static(ctx, &lb_root, 0);
	return XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
