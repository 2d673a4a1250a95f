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

/* The device of @slot. */
static __always_inline const struct lb_device *device_get(__u32 slot)
{
	return &lb_records.devices[LB_BELOW(LB_MAX_DEVICES, slot)];
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

/* The next hop towards the packet's backend, an address of @family, from @source. */
static __always_inline enum lb_reason
hop_to_backend(struct xdp_md *ctx, struct lb_pkt *pkt, int family, const __be32 *source,
	       const struct lb_backend *backend, struct next_hop *hop)
{
	__u32 id = LB_BACKEND_REF_ID(pkt->backend), now = pkt->now, hz = lb_params.hz;
	struct lb_hop *kept = &lb_records.hops[LB_BELOW(LB_MAX_BACKENDS, id)];
	enum lb_reason reason;

	hop->to = READ_ONCE(kept->to);
	hop->mtu = READ_ONCE(kept->mtu);
	hop->gateway = READ_ONCE(kept->gateway);
	if (hop->to && is_kept(READ_ONCE(kept->expires), now))
		return LB_REASON_NONE;

	hop->to = 0;
	reason = hop_lookup(ctx, family, source, backend->address, hop);
	if (reason)
		return reason;
	WRITE_ONCE(kept->to, hop->to);
	WRITE_ONCE(kept->mtu, hop->mtu);
	WRITE_ONCE(kept->gateway, hop->gateway);
	if (!hop->to) {
		__u32 since = READ_ONCE(kept->unresolved);
		__s32 pause = now - READ_ONCE(kept->expires);

		/* After a pause, it is asked as if for the first time.  Odd is never
		 * 0, and rounded down never ahead of now, which would look long ago. */
		if (!since || pause > (__s32)(PATIENCE_S * hz))
			WRITE_ONCE(kept->unresolved, (now - 1) | 1);
		else if (now - since > PATIENCE_S * hz && is_kept(kept->expires, now))
			return LB_REASON_NO_NEIGHBOUR;
	} else {
		WRITE_ONCE(kept->unresolved, 0);
	}
	WRITE_ONCE(kept->expires, now + hz);
	hop_decide(hop, now);
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

/* The next hop towards the packet's client. */
static __always_inline enum lb_reason hop_to_client(struct xdp_md *ctx,
						    struct lb_pkt *pkt, int family,
						    const __be32 *source,
						    struct next_hop *hop)
{
	enum lb_reason reason;

	hop->to = pkt->hop;
	if (hop->to && is_kept(pkt->hop_expires, pkt->now))
		return LB_REASON_NONE;

	hop->to = 0;
	reason = hop_lookup(ctx, family, source, client_address(pkt), hop);
	if (reason)
		return reason;
	hop->mtu = 0; /* is not kept, so it is not for the one packet either */
	keep_hop(pkt, hop->to);
	hop_decide(hop, pkt->now);
	return LB_REASON_NONE;
}

#endif /* LB_NEXT_HOP_BPF_H */
