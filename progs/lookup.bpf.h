/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lookup.bpf.h - whose packet is it, going by both its ends?
 *
 * @family is a constant wherever these are inlined.
 */
#ifndef LB_LOOKUP_BPF_H
#define LB_LOOKUP_BPF_H

#include <bpf/bpf_endian.h>

#include "address.bpf.h"
#include "endpoints.bpf.h"
#include "flow_table.bpf.h"
#include "icmp.bpf.h"
#include "services.bpf.h"
#include "words.bpf.h"

static __always_inline __u32 find_endpoint(int family, const __be32 *address, __be16 port,
					   __u8 protocol, enum lb_endpoint_kind kind)
{
	__u32 rest = PAIR16(port, PAIR8(protocol, kind));
	struct endpoint_key key = {};

	if (family == 4) {
		key.word[0] = PAIR32(address[0], rest);
	} else {
		key.word[0] = address_word(address);
		key.word[1] = address_word(address + 2);
		key.word[2] = PAIR32(rest, 0);
	}
	return endpoint_find(family, &key);
}

/* LB_REPLIES of whoever sends from there: 0 if replies come from nobody there. */
static __always_inline __u32 find_backend(const struct lb_ends *ends, __u8 protocol,
					  int family)
{
	if (!READ_ONCE(lb_switches.replies))
		return 0;
	return find_endpoint(family, ends->source, ends->sport, protocol,
			     LB_ENDPOINT_BACKEND);
}

/*
 * The same of a backend that keeps its clients' ports; pings find_backend() finds.  Global,
 * so that the verifier looks at it once: it is asked only where there are wide services.
 */
__noinline __u32 find_any_port_backend(const struct lb_ends *ends, __u32 family,
				       __u32 protocol)
{
	if (!ends || is_icmp(protocol))
		return 0;
	if (family == 4)
		return find_endpoint(4, ends->source, 0, protocol, LB_ENDPOINT_BACKEND);
	return find_endpoint(6, ends->source, 0, protocol, LB_ENDPOINT_BACKEND);
}

/* By a table in a word, a nibble for each mode: 5 instructions fewer than by comparing. */
#define FORWARD_STAGE(mode, stage) ((__u32)(stage) << 4 * (mode))
#define FORWARD_STAGES                                                                   \
	(FORWARD_STAGE(LB_FORWARD_FULLNAT, LB_STAGE_REWRITE) |                           \
	 FORWARD_STAGE(LB_FORWARD_NAT, LB_STAGE_REWRITE) |                               \
	 FORWARD_STAGE(LB_FORWARD_DSR, LB_STAGE_DSR) |                                   \
	 FORWARD_STAGE(LB_FORWARD_IPIP, LB_STAGE_ENCAP) |                                \
	 FORWARD_STAGE(LB_FORWARD_GUE, LB_STAGE_ENCAP) |                                 \
	 FORWARD_STAGE(LB_FORWARD_LOCAL, LB_STAGE_REWRITE))

static __always_inline __u8 forward_stage(__u32 forward)
{
	return FORWARD_STAGES >> 4 * forward & 0xf;
}

/* It is for the service of @ref. */
static __always_inline void set_service(struct lb_pkt *pkt, __u32 ref)
{
	__u32 flags = LB_SERVICE_REF_FLAGS(ref);

	pkt->service = LB_SERVICE_REF_ID(ref);
	pkt->direction = LB_TO_BACKEND;
	pkt->backend = LB_NO_BACKEND;
	pkt->version = 0;
	pkt->stage = forward_stage(LB_SERVICE_REF_FORWARD(ref));
	if (flags) {
		if (flags & LB_REF_PER_PACKET)
			pkt->flags |= LB_PKT_PER_PACKET;
		if ((flags & LB_REF_MSS) && (pkt->tcp_flags & TCP_SYN))
			pkt->stage = LB_STAGE_MSS;
	}
	/* An error is translated by itself, a tunnel takes it as it is. */
	if ((pkt->flags & LB_PKT_ERROR) && pkt->stage == LB_STAGE_REWRITE)
		pkt->stage = LB_STAGE_ICMP_NAT;
}

/* The key of what @ends has come to be: from a client to pkt->service. */
static __always_inline void make_key(struct lb_pkt *pkt, const struct lb_ends *ends,
				     int family)
{
	__u32 rest = PAIR16(ends->sport, pkt->service);

	if (family == 4) { /* struct lb_flow_key4 */
		pkt->key[0] = PAIR32(ends->source[0], rest);
	} else { /* struct lb_flow_key6 */
		pkt->key[0] = address_word(ends->source);
		pkt->key[1] = address_word(ends->source + 2);
		pkt->key[2] = PAIR32(rest, 0);
	}
	pkt->table = family;
	pkt->hash = lb_hash(pkt->key, key_words(family), lb_params.seed);
}

/* Is this from a backend's port to one of our translated ports? */
static __always_inline bool to_translated_port(const struct lb_ends *ends, int family)
{
	__u32 ports = find_endpoint(family, ends->destination, 0, 0, LB_ENDPOINT_ADDRESS);
	__u32 dport = bpf_ntohs(ends->dport);

	return ports && dport >= (ports & 0xffff) && dport <= ports >> 16;
}

/*
 * From a backend's port, but no reply.  To a translated port it is dropped: the kernel
 * would answer with a reset, in the name of our address.  Echoes of the host's own pings
 * look the same, and nobody answers an echo reply.
 */
static __always_inline int stray_reply(struct xdp_md *ctx, struct lb_pkt *pkt,
				       const struct lb_ends *ends, int family,
				       enum lb_reason reason)
{
	if (is_icmp(pkt->protocol) || (pkt->flags & LB_PKT_ERROR) ||
	    !to_translated_port(ends, family))
		return lb_leave(ctx, pkt, LB_REASON_NOT_OURS, XDP_PASS);
	return lb_leave(ctx, pkt, reason, XDP_DROP);
}

#endif /* LB_LOOKUP_BPF_H */
