// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_mss - a SYN offers segments that are no longer than the service says.
 *
 * For ways whose MTU neither end learns.  Only where both directions come through us.  What
 * a SYN without the option offers is 536 bytes (RFC 9293, 3.7.1), and so never too much.
 *
 * in:   lb_pkt of a SYN or SYN-ACK of a service with `mss`
 * out:  the same, to lb_rewrite
 * else: -
 */
#include <linux/tcp.h>

#include "chain.bpf.h"
#include "checksum.bpf.h"
#include "ip_end.bpf.h"
#include "order.bpf.h"
#include "services.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_MSS;

#define TCP_OPTIONS    40 /* bytes, and so the most there can be (RFC 9293, 3.1) */
#define OPTION_END     0
#define OPTION_NOTHING 1
#define OPTION_MSS     2
#define OPTION_MSS_LEN 4

/* Lower the MSS of the option at @at. */
static __always_inline void clamp(struct xdp_md *ctx, const struct lb_pkt *pkt, __u32 at,
				  __u16 mss)
{
	__u8 *option = packet_at(ctx, at, L4_LIMIT, OPTION_MSS_LEN);
	struct tcphdr *tcp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*tcp));
	__u16 was, from, to;

	if (!option || !tcp)
		return;
	was = option[2] << 8 | option[3];
	if (was <= mss)
		return;
	option[2] = mss >> 8;
	option[3] = mss;

	from = bpf_htons(was);
	to = bpf_htons(mss);
	if ((at ^ pkt->l4) & 1) { /* its bytes are in two words of the sum */
		from = __builtin_bswap16(from);
		to = __builtin_bswap16(to);
	}
	tcp->check = csum_apply(tcp->check, csum_change(from, to));
}

/* Look at the option at @at: where the next one is, or 0 if there is none. */
static __always_inline __u32 see_option(struct xdp_md *ctx, const struct lb_pkt *pkt,
					__u32 at, __u32 end, __u16 mss)
{
	const __u8 *option = packet_at(ctx, at, L4_LIMIT, 1);
	__u8 kind, len;

	if (at >= end || !option || *option == OPTION_END)
		return 0;
	kind = *option;
	if (kind == OPTION_NOTHING)
		return at + 1;

	option = packet_at(ctx, at, L4_LIMIT, 2);
	if (!option || option[1] < 2)
		return 0;
	len = option[1];
	if (at + len > end)
		return 0;
	if (kind == OPTION_MSS && len == OPTION_MSS_LEN)
		clamp(ctx, pkt, at, mss);
	return at + len;
}

/* Where the options end, or 0 if the header contradicts itself. */
static __always_inline __u32 options_end(struct xdp_md *ctx, const struct lb_pkt *pkt)
{
	const struct tcphdr *tcp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*tcp));
	__u32 end = pkt->family == 4 ? ip_end(ctx, pkt, 4) : ip_end(ctx, pkt, 6);

	if (!tcp || pkt->l4 + tcp->doff * 4 > end)
		return 0;
	return pkt->l4 + tcp->doff * 4;
}

SEC("xdp")
int lb_mss(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();
	const struct lb_service *service;
	__u32 at, end, mss;

	if (!pkt)
		return lb_abort();
	service = service_get(pkt->service);
	mss = READ_ONCE(service->mss);
	end = mss ? options_end(ctx, pkt) : 0;
	at = pkt->l4 + sizeof(struct tcphdr);

#pragma unroll
	for (int i = 0; i < TCP_OPTIONS; i++) {
		if (!at)
			break;
		at = see_option(ctx, pkt, at & L4_LIMIT, end, mss);
	}
	lb_go(ctx, LB_STAGE_REWRITE);
	return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
}

char _license[] SEC("license") = "GPL";
