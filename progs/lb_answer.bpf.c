// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_answer - what the balancer says itself: TCP resets, ICMP errors, echo replies.
 *
 * As a host would say it, from the address that the packet was sent to, back the way that
 * the packet came.  Errors are limited, and not sent about what must not cause one (RFC
 * 1122, 3.2.2; RFC 4443, 2.4).
 *
 * in:   lb_pkt with answer, reason and, for LB_ANSWER_TOO_BIG, mtu; the packet as it came
 * out:  XDP_TX, counted by that reason
 * else: XDP_DROP with the one that says that nobody was told, or with answer-limit
 */
#include "headers.bpf.h"
#include "answer_limit.bpf.h"
#include "answer_packet.bpf.h"
#include "flow_state.bpf.h"
#include "ip_end.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_ANSWER;

/* An error quotes as much as fits into what every network takes (RFC 1812, 4.3.2.3; RFC
 * 4443, 2.4): 576 bytes of IPv4, 1280 of IPv6. */
#define QUOTE4 (576 - (int)sizeof(struct iphdr) - (int)sizeof(struct icmp_header))
#define QUOTE6 (1280 - (int)sizeof(struct ipv6hdr) - (int)sizeof(struct icmp_header))

/* ---- may it be answered? ----------------------------------------------------------- */

static __always_inline bool is_one_host(const __be32 *address, int family)
{
	__u8 first = *(const __u8 *)address;

	if (family == 4)
		return first && first < 224;
	return first != 0xff && (address[0] | address[1] | address[2] | address[3]);
}

/* Of IPv4, only the first fragment may cause an error. */
static __always_inline bool is_later_fragment(struct xdp_md *ctx,
					      const struct lb_pkt *pkt, int family)
{
	const struct iphdr *ip;

	if (family == 6)
		return false;
	ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));
	return !ip || (ip->frag_off & bpf_htons(IP4_OFFSET));
}

static __always_inline bool may_answer(struct xdp_md *ctx, const struct lb_pkt *pkt,
				       int family, const struct back *b)
{
	/* The lowest bit of a MAC address's first byte is that of groups. */
	if ((b->frame[0] | b->frame[3]) & bpf_htons(0x0100))
		return false;
	if (!is_one_host(b->source, family) || !is_one_host(b->destination, family))
		return false;
	if (pkt->flags & LB_PKT_ERROR)
		return false;
	if (pkt->answer == LB_ANSWER_TOO_BIG)
		return !is_later_fragment(ctx, pkt, family);
	return !(pkt->flags & LB_PKT_NO_PORTS) && !(pkt->tcp_flags & TCP_RST);
}

/* ---- the answers ----------------------------------------------------------------- */

/* To a segment of a connection that is not there (RFC 9293, 3.10.7.1). */
static __always_inline void reset_fill(const struct tcphdr *tcp, __u8 flags, __u32 left,
				       struct tcphdr *ret)
{
	__u32 head = tcp->doff * 4, data = left > head ? left - head : 0;

	*ret = (struct tcphdr){
		.source = tcp->dest,
		.dest = tcp->source,
		.doff = sizeof(*ret) / 4,
		.rst = 1,
	};
	if (flags & TCP_ACK) {
		ret->seq = tcp->ack_seq;
		return;
	}
	ret->ack = 1;
	ret->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + data + !!(flags & TCP_SYN) +
				 !!(flags & TCP_FIN));
}

static __always_inline bool reset(struct xdp_md *ctx, const struct lb_pkt *pkt,
				  int family, const struct back *b)
{
	__u32 l4 = b->l3 + (family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	struct tcphdr *tcp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*tcp)), new;
	__u64 sum;

	if (!tcp)
		return false;
	reset_fill(tcp, pkt->tcp_flags, ip_end(ctx, pkt, family) - pkt->l4, &new);
	sum = back_write_ip(ctx, b, family, IPPROTO_TCP, sizeof(new));
	tcp = packet_at(ctx, l4, L4_LIMIT, sizeof(*tcp));
	if (!tcp)
		return false;
	*tcp = new;
	tcp->check = csum_of(sum + sum_header(tcp, sizeof(*tcp)));
	return back_write_frame(ctx, b) &&
	       !bpf_xdp_adjust_tail(ctx, (int)(l4 + sizeof(*tcp)) - (int)pkt->length);
}

/* What an ICMP error says: type and code, and the second half of its header. */
struct complaint {
	__be16 what;
	__be32 rest;
};

static __always_inline struct complaint complaint(const struct lb_pkt *pkt, int family)
{
	__be32 mtu = bpf_htonl(pkt->mtu); /* IPv4: of 16 bits (RFC 1191, 4) */

	if (pkt->answer == LB_ANSWER_TOO_BIG && family == 4)
		return (struct complaint){
			bpf_htons(ICMP4_UNREACHABLE << 8 | ICMP4_FRAG_NEEDED), mtu
		};
	if (pkt->answer == LB_ANSWER_TOO_BIG)
		return (struct complaint){ bpf_htons(ICMP6_TOO_BIG << 8), mtu };
	if (family == 4)
		return (struct complaint){ bpf_htons(ICMP4_UNREACHABLE << 8 | ICMP4_PORT),
					   0 };
	return (struct complaint){ bpf_htons(ICMP6_UNREACHABLE << 8 | ICMP6_PORT), 0 };
}

/* An ICMP error in front of what it is about. */
static __always_inline bool complain(struct xdp_md *ctx, const struct lb_pkt *pkt,
				     int family, const struct back *b)
{
	const __u32 ip = family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr),
		    most = family == 4 ? QUOTE4 : QUOTE6;
	__u32 quote = ip_end(ctx, pkt, family) - b->l3;
	struct complaint c = complaint(pkt, family);
	struct icmp_header *icmp;
	__u64 sum, pseudo;

	if (quote > most)
		quote = most;
	sum = sum_bytes(ctx, b->l3, quote) + c.what + c.rest;
	if (bpf_xdp_adjust_head(ctx, -(int)(ip + sizeof(*icmp))) ||
	    bpf_xdp_adjust_tail(ctx, (int)(b->l3 + quote) - (int)pkt->length) ||
	    !back_write_frame(ctx, b))
		return false;
	pseudo = back_write_ip(ctx, b, family,
			       family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
			       sizeof(*icmp) + quote);
	icmp = packet_at(ctx, b->l3 + ip, L4_LIMIT, sizeof(*icmp));
	if (!icmp)
		return false;
	*(__be16 *)icmp = c.what;
	icmp->check = csum_of(sum + (family == 6 ? pseudo : 0));
	*(__be32 *)&icmp->id = c.rest;
	return true;
}

/* The request sent back: addresses change places, which no sum notices. */
static __always_inline bool echo(struct xdp_md *ctx, const struct lb_pkt *pkt, int family,
				 const struct back *b)
{
	__u8 was = family == 4 ? ICMP4_ECHO : ICMP6_ECHO,
	     type = family == 4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
	struct icmp_header *icmp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*icmp));

	if (!icmp || !back_write_frame(ctx, b))
		return false;
	icmp = packet_at(ctx, pkt->l4, L4_LIMIT, sizeof(*icmp));
	if (!icmp)
		return false;
	icmp->type = type;
	icmp->check = csum_apply(icmp->check,
				 csum_change(bpf_htons(was << 8), bpf_htons(type << 8)));

	if (family == 4) {
		struct iphdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return false;
		ip->check =
			csum_apply(ip->check, csum_change(bpf_htons(ip->ttl << 8),
							  bpf_htons(ANSWER_TTL << 8)));
		ip->ttl = ANSWER_TTL;
		ip->saddr = b->source[0];
		ip->daddr = b->destination[0];
	} else {
		struct ipv6hdr *ip = packet_at(ctx, pkt->l3, L3_LIMIT, sizeof(*ip));

		if (!ip)
			return false;
		ip->hop_limit = ANSWER_TTL;
		copy_address(ip->saddr.in6_u.u6_addr32, b->source, 6);
		copy_address(ip->daddr.in6_u.u6_addr32, b->destination, 6);
	}
	return true;
}

/* Why it is dropped if its sender is not to be told. */
static __always_inline enum lb_reason untold(enum lb_reason reason)
{
	switch (reason) {
	case LB_REASON_NO_BACKEND:
		return LB_REASON_EMPTY_DROP;
	case LB_REASON_FULL:
		return LB_REASON_FULL_DROP;
	case LB_REASON_TOO_BIG:
		return LB_REASON_TOO_BIG_DROP;
	case LB_REASON_UNKNOWN_RESET:
		return LB_REASON_UNKNOWN_FLOW;
	default:
		return reason;
	}
}

static __always_inline int answer(struct xdp_md *ctx, struct lb_pkt *pkt, int family)
{
	enum lb_reason reason = pkt->reason;
	struct back b = {};
	bool sent;

	if (!back_read(ctx, pkt, family, &b) || !may_answer(ctx, pkt, family, &b))
		return lb_drop(ctx, pkt, untold(reason));
	if (pkt->answer == LB_ANSWER_ECHO) {
		if (!echo(ctx, pkt, family, &b))
			return lb_drop(ctx, pkt, reason);
		return lb_leave(ctx, pkt, reason, XDP_TX);
	}

	if (!answer_is_due(pkt))
		return lb_drop(ctx, pkt, LB_REASON_ANSWER_LIMIT);
	if (pkt->answer == LB_ANSWER_REJECT && pkt->protocol == IPPROTO_TCP)
		sent = reset(ctx, pkt, family, &b);
	else
		sent = complain(ctx, pkt, family, &b);
	if (!sent)
		return lb_drop(ctx, pkt, untold(reason));
	lb_count_drop(pkt, reason);
	return lb_end(ctx, pkt, reason, XDP_TX);
}

SEC("xdp")
int lb_answer(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return lb_abort();
	if (pkt->family == 4)
		return answer(ctx, pkt, 4);
	return answer(ctx, pkt, 6);
}

char _license[] SEC("license") = "GPL";
