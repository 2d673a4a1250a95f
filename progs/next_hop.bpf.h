/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * next_hop.bpf.h - where a packet leaves, and by which MAC address.
 *
 * Learnt from the kernel's routes and neighbours by bpf_fib_lookup(), kept for a second:
 * per backend towards backends, in the flow towards clients.  The lookup is made as if
 * from lo, whose forwarding lbctl switches on, so that the host need not be a router.
 *
 * The kernel has to do ARP and ND.  A packet whose next hop has no neighbour entry is
 * passed up marked, and lb_resolve gives it to the neighbour code, which queues it.  What
 * XDP sends does not refresh an entry either; so about once a second and next hop one
 * packet goes the kernel's way, which probes a stale neighbour and finds a dead one.
 */
#ifndef LB_NEXT_HOP_BPF_H
#define LB_NEXT_HOP_BPF_H

#include <bpf/bpf_endian.h>

#include "address.bpf.h"
#include "forward.bpf.h"

#define AF_INET	   2
#define AF_INET6   10
#define LO_IFINDEX 1 /* in every network namespace */

/* ARP and ND give up after three seconds; so do we, but for one packet a second. */
#define PATIENCE_S 3

#define PROBES 1024

/* Hash of a next hop -> jiffies when a packet last went to it the kernel's way.  Hops
 * that share a word are probed less often; an entry that goes stale resolves anew. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROBES);
	__type(key, __u32);
	__type(value, __u32);
} lb_probes SEC(".maps");

/* Interface index -> slot in lb_records.devices.  Written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LB_MAX_DEVICES);
	__type(key, __u32);
	__type(value, __u32);
} lb_device_slots SEC(".maps");

/* Slot -> the way out.  Written by lbctl; the kernel removes what is deleted. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, LB_MAX_DEVICES);
	__type(key, __u32);
	__type(value, __u32);
} lb_egress SEC(".maps");

/* What is kept about the way to the backend of @ref, whose low bits are its id. */
static __always_inline struct lb_hop *hop_get(__u32 ref)
{
	return LB_OPAQUE(&lb_records.hops[LB_BELOW(LB_MAX_BACKENDS, ref)]);
}

/* The device of @slot. */
static __always_inline const struct lb_device *device_get(__u32 slot)
{
	return LB_OPAQUE(&lb_records.devices[LB_BELOW(LB_MAX_DEVICES, slot)]);
}

/* The answer: a hop to send to, or an interface for the kernel to send by. */
struct next_hop {
	__u64 to;      /* LB_HOP; 0: ask the kernel */
	__u32 ifindex; /* where the kernel sends; 0: XDP sends */
	__u32 mtu;     /* towards backends: of the route, bytes of IP */
	__u32 via;     /* dsr: whose neighbour the kernel asks for, a backend's id */
	bool gateway;  /* towards backends: it is not the backend itself */
	enum lb_reason reason; /* RESOLVING or REFRESH if the kernel sends */
};

/* By halves of a word: in struct bpf_fib_lookup it is aligned to no more. */
static __always_inline __u64 mac_word(const __u8 *mac)
{
	const __u16 *half = (const __u16 *)mac;

	return half[0] | (__u64)half[1] << 16 | (__u64)half[2] << 32;
}

/*
 * Ask the kernel's FIB for the way from @from to @to: fills all of @hop but the reason.  A
 * function apart, because it is called once a second and its request is large.
 */
static __noinline enum lb_reason hop_lookup(struct xdp_md *ctx, int family,
					    const __be32 *from, const __be32 *to,
					    struct next_hop *hop)
{
	struct bpf_fib_lookup fib = {
		.ifindex = LO_IFINDEX,
		.tot_len = 1, /* any: only so does it tell the MTU */
	};
	__u32 *slot, ifindex;
	long found;

	if (family == 4) {
		fib.family = AF_INET;
		fib.ipv4_src = from[0];
		fib.ipv4_dst = to[0];
	} else {
		fib.family = AF_INET6;
		__builtin_memcpy(fib.ipv6_src, from, 16);
		__builtin_memcpy(fib.ipv6_dst, to, 16);
	}

	found = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	if (found == BPF_FIB_LKUP_RET_FWD_DISABLED)
		return LB_REASON_FORWARDING_OFF;
	if (found != BPF_FIB_LKUP_RET_SUCCESS && found != BPF_FIB_LKUP_RET_NO_NEIGH)
		return LB_REASON_NO_ROUTE;

	/* Known neighbour or not: what the first packet may do, the second may too. */
	ifindex = fib.ifindex;
	slot = bpf_map_lookup_elem(&lb_device_slots, &ifindex);
	if (!slot)
		return LB_REASON_NO_DEVICE;
	if (found == BPF_FIB_LKUP_RET_SUCCESS)
		hop->to = LB_HOP(mac_word(fib.dmac), *slot);
	hop->ifindex = ifindex;
	/* Where it knows no neighbour, some kernels (6.1) leave what they were given. */
	hop->mtu = fib.mtu_result > 1 ? fib.mtu_result : 0;
	hop->gateway =
		!address_equal(family == 4 ? &fib.ipv4_dst : fib.ipv6_dst, to, family);
	return LB_REASON_NONE;
}

/* Shall this packet to @to take the kernel's way? */
static __always_inline bool probe_is_due(__u64 to, __u32 now)
{
	__u32 key = (to * 0x9e3779b97f4a7c15ULL) >> 54, last;
	__u32 *probe = bpf_map_lookup_elem(&lb_probes, &key);

	_Static_assert(PROBES == 1 << (64 - 54),
		       "the hash has as many bits as there are probes");
	if (!probe)
		return false;
	last = READ_ONCE(*probe);
	return now - last >= lb_params.hz &&
	       __sync_val_compare_and_swap(probe, last, now) == last;
}

/* A fresh answer of the FIB: does XDP send, or the kernel? */
static __always_inline void hop_decide(struct next_hop *hop, __u32 now)
{
	hop->reason = hop->to ? LB_REASON_REFRESH : LB_REASON_RESOLVING;
	if (hop->to && !probe_is_due(hop->to, now))
		hop->ifindex = 0;
}

/*
 * Nothing is kept for more than a second.  What seems to expire later did so long ago:
 * jiffies have gone half round since, in 25 days at 1000 Hz.
 */
static __always_inline bool is_kept(__u32 expires, __u32 now)
{
	return expires - now - 1 <= lb_params.hz;
}

/* Note that a backend has no neighbour entry; is that so for so long that it is given up? */
static __always_inline bool is_given_up(struct lb_hop *kept, __u32 now)
{
	__u32 since = READ_ONCE(kept->unresolved), hz = lb_params.hz;
	__s32 pause = now - READ_ONCE(kept->expires);

	/* After a pause, it is asked as if for the first time.  Odd is never 0, and rounded
	 * down never ahead of now, which would look long ago. */
	if (!since || pause > (__s32)(PATIENCE_S * hz)) {
		WRITE_ONCE(kept->unresolved, (now - 1) | 1);
		return false;
	}
	return now - since > PATIENCE_S * hz && is_kept(READ_ONCE(kept->expires), now);
}

/* Where the way begins.  A struct, so that global functions may have a pointer to it. */
struct hop_source {
	__be32 address[4]; /* IPv6, or IPv4 in word 0 */
};

/*
 * What a global function learnt about a hop in one word: the interface by which the kernel
 * sends, if any, and the reason for that, or for giving up.
 */
#define LEARNT(ifindex, reason) ((__u64)(ifindex) << 32 | (reason))
#define LEARNT_IFINDEX(learnt)	((__u32)((learnt) >> 32))
#define LEARNT_REASON(learnt)	((enum lb_reason)(__u32)(learnt))

static __always_inline __u64 hop_learnt(struct next_hop *hop, __u32 now)
{
	hop_decide(hop, now);
	return hop->ifindex ? LEARNT(hop->ifindex, hop->reason) : 0;
}

/*
 * Ask for the next hop from @source to the packet's backend, and keep it in lb_records.hops;
 * in pkt->hop, too, where no other CPU's answer takes its place.
 * Global: the verifier looks at it once, and what the kernel is asked by stays out of the
 * callers' way.
 */
__noinline __u64 learn_backend_hop(struct xdp_md *ctx, struct lb_pkt *pkt,
				   const struct hop_source *source, __u32 family)
{
	struct next_hop hop = {};
	const struct lb_backend *backend;
	enum lb_reason reason;
	struct lb_hop *kept;

	if (!pkt || !source)
		return LEARNT(0, LB_REASON_ABORTED);
	backend = pkt_backend(pkt);
	kept = hop_get(pkt->backend);
	reason = hop_lookup(ctx, family, source->address, backend->address, &hop);
	if (reason)
		return LEARNT(0, reason);
	pkt->hop = hop.to;
	WRITE_ONCE(kept->to, hop.to);
	WRITE_ONCE(kept->mtu, hop.mtu);
	WRITE_ONCE(kept->gateway, hop.gateway);
	if (hop.to)
		WRITE_ONCE(kept->unresolved, 0);
	else if (is_given_up(kept, pkt->now))
		return LEARNT(0, LB_REASON_NO_NEIGHBOUR);
	WRITE_ONCE(kept->expires, pkt->now + lb_params.hz);
	return hop_learnt(&hop, pkt->now);
}

/* The next hop towards the packet's backend, an address of @family, from @source. */
static __always_inline enum lb_reason hop_to_backend(struct xdp_md *ctx,
						     struct lb_pkt *pkt, int family,
						     const __be32 *source,
						     struct next_hop *hop)
{
	const struct lb_hop *kept = hop_get(pkt->backend);
	__u64 learnt = 0, to = READ_ONCE(kept->to);

	if (!to || !is_kept(READ_ONCE(kept->expires), pkt->now)) {
		struct hop_source from = { { source[0] } };

		if (family == 6)
			__builtin_memcpy(&from, source, sizeof(from));
		learnt = learn_backend_hop(ctx, pkt, &from, family);
		if (learnt && !LEARNT_IFINDEX(learnt))
			return LEARNT_REASON(learnt);
		to = pkt->hop;
	}
	hop->ifindex = LEARNT_IFINDEX(learnt);
	hop->reason = LEARNT_REASON(learnt);
	hop->to = to;
	hop->mtu = READ_ONCE(kept->mtu);
	hop->gateway = READ_ONCE(kept->gateway);
	return LB_REASON_NONE;
}

/* Keep the next hop towards the client for a second.  Global: see change_state(). */
__noinline int keep_hop(struct lb_pkt *pkt, __u64 hop)
{
	if (!pkt)
		return 0;
	if (pkt->table == 4)
		flow_set_hop(pkt, 4, hop, pkt->now + lb_params.hz);
	else
		flow_set_hop(pkt, 6, hop, pkt->now + lb_params.hz);
	return 0;
}

/* Ask for the next hop from @source to the packet's client, and keep it in the flow. */
__noinline __u64 learn_client_hop(struct xdp_md *ctx, struct lb_pkt *pkt,
				  const struct hop_source *source, __u32 family)
{
	struct next_hop hop = {};
	enum lb_reason reason;

	if (!pkt || !source)
		return LEARNT(0, LB_REASON_ABORTED);
	reason = hop_lookup(ctx, family, source->address, client_address(pkt), &hop);
	if (reason)
		return LEARNT(0, reason);
	pkt->hop = hop.to;
	keep_hop(pkt, hop.to);
	return hop_learnt(&hop, pkt->now);
}

/* The next hop towards the packet's client; the MTU there is not kept. */
static __always_inline enum lb_reason hop_to_client(struct xdp_md *ctx,
						    struct lb_pkt *pkt, int family,
						    const __be32 *source,
						    struct next_hop *hop)
{
	__u64 learnt = 0;

	if (!pkt->hop || !is_kept(pkt->hop_expires, pkt->now)) {
		struct hop_source from = { { source[0] } };

		if (family == 6)
			__builtin_memcpy(&from, source, sizeof(from));
		learnt = learn_client_hop(ctx, pkt, &from, family);
		if (learnt && !LEARNT_IFINDEX(learnt))
			return LEARNT_REASON(learnt);
	}
	hop->ifindex = LEARNT_IFINDEX(learnt);
	hop->reason = LEARNT_REASON(learnt);
	hop->to = pkt->hop;
	hop->mtu = 0;
	return LB_REASON_NONE;
}

#endif /* LB_NEXT_HOP_BPF_H */
