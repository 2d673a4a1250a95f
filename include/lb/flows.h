/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flows.h - the part of the ABI that is flows: their states, records and tables.
 *
 * Include abi.h, which has the rules.  progs/flow_table.bpf.h explains the protocol.
 */
#ifndef LB_FLOWS_H
#define LB_FLOWS_H

#include <linux/types.h>

/*
 * Where a flow stands; 3 bits.  Where replies go past us, only what the client sends
 * counts.  UDP and ICMP use the last three.  An idle flow ends by the timeout of its state.
 */
enum lb_flow_state {
	LB_FLOW_HALF_OPEN, /* the client's SYN was seen, its first ACK not yet */
	LB_FLOW_ESTABLISHED,
	LB_FLOW_CLIENT_FIN,  /* closing: the client sent a FIN */
	LB_FLOW_BACKEND_FIN, /* closing: the backend sent a FIN */
	LB_FLOW_CLOSED,	     /* a RST, or FINs from both */
	LB_FLOW_DATAGRAM,    /* UDP, no reply seen */
	LB_FLOW_ANSWERED,    /* UDP, a reply seen */
	LB_FLOW_STREAM,	     /* UDP, the client went on after a reply */
	LB_FLOW_STATES
};

/*
 * How long a flow may be idle in each state.  The one value of map lb_profiles is an
 * array of LB_MAX_PROFILES of these, written by lbctl, each timeout as one word; the
 * timeout of a flow is word LB_WAY(state, profile) of it.  Services with the same
 * timeouts share a profile, so that a flow's bucket can tell expired flows with 5 bits
 * and without reading them.
 */
struct lb_profile {
	__u32 timeout[LB_FLOW_STATES]; /* jiffies */
};
_Static_assert(sizeof(struct lb_profile) == 32, "lb_profile");

/* What names a flow: the client's end, and the service (which has the rest). */
struct lb_flow_key4 {
	__be32 client;
	__be16 port;
	__u16 service; /* id */
};
_Static_assert(sizeof(struct lb_flow_key4) == 8, "lb_flow_key4");

/*
 * Of IPv6; and of IPv4 where client and service are not enough, with the client in word 0:
 * services of several addresses or ports, and translated ones with persistence none.  `more`
 * is then a hash of what else names the flow (progs/wide.bpf.h), else 0.
 */
struct lb_flow_key6 {
	__be32 client[4];
	__be16 port; /* of ICMP: the echo's identifier */
	__u16 service;
	__u32 more;
};
_Static_assert(sizeof(struct lb_flow_key6) == 24, "lb_flow_key6");

/* A next hop: `to` = MAC address in the low 48 bits (first byte lowest), slot in
 * lb_records.devices above.  0: not known. */
#define LB_HOP(mac, device) ((__u64)(mac) | (__u64)(device) << 48)
#define LB_HOP_MAC(to)	    ((to)&0xffffffffffffULL)
#define LB_HOP_DEVICE(to)   ((__u32)((to) >> 48))

/* What a flow is, apart from its key. */
struct lb_flow {
	__u32 version;	    /* odd while being written; up by 2 for each flow */
	__u32 backend;	    /* LB_BACKEND_REF */
	__be16 nat_port;    /* fullnat: the source port the backend sees */
	__be16 origin_port; /* the port that the client sent to */
	__u32 hop_expires;  /* jiffies */
	__u64 hop;	    /* towards the client */
};
_Static_assert(sizeof(struct lb_flow) == 24, "lb_flow");

struct lb_flow4 {
	__u64 key[1]; /* struct lb_flow_key4 */
	struct lb_flow flow;
};
_Static_assert(sizeof(struct lb_flow4) == 32, "lb_flow4");

struct lb_flow6 {
	__u64 key[3]; /* struct lb_flow_key6 */
	struct lb_flow flow;
	__be32 origin[4]; /* the address that the client sent to */
};
_Static_assert(sizeof(struct lb_flow6) == 64, "lb_flow6");

#define LB_FLOW_WAYS 8

/*
 * The first cache line of a bucket: all that a search needs of its eight flows.
 * progs/flow_table.bpf.h explains the protocol.
 */
struct lb_bucket {
	__u32 lock; /* 1 while a writer is inside */
	__u32 pad;
	__u16 tag[LB_FLOW_WAYS];  /* LB_TAG(hash); 0: the way is empty */
	__u8 state[LB_FLOW_WAYS]; /* LB_WAY(enum lb_flow_state, profile) */
	__u32 seen[LB_FLOW_WAYS]; /* jiffies of the last packet */
};
_Static_assert(sizeof(struct lb_bucket) == 64, "lb_bucket");

#define LB_WAY(state, profile) ((__u8)((state) | (profile) << 3))
#define LB_WAY_STATE(way)      ((way)&7)
#define LB_WAY_PROFILE(way)    ((way) >> 3)

/*
 * Values of maps lb_flows4 and lb_flows6, written by the data path.  With h =
 * lb_hash(key words, seed): a flow is in bucket LB_BUCKET_1(h) or LB_BUCKET_2(h),
 * both masked with lb_params.flow_buckets - 1; if these are one, the second is that
 * xor 1.  A flow's position is bucket * 8 + way.
 */
struct lb_bucket4 {
	struct lb_bucket head;
	struct lb_flow4 flow[LB_FLOW_WAYS];
};
_Static_assert(sizeof(struct lb_bucket4) == 320, "lb_bucket4");

struct lb_bucket6 {
	struct lb_bucket head;
	struct lb_flow6 flow[LB_FLOW_WAYS];
};
_Static_assert(sizeof(struct lb_bucket6) == 576, "lb_bucket6");

/*
 * The translated tuple: what a reply shows.  With the lowest three bits of nat_port (in
 * host order) taken out, LB_BUCKET_1(lb_hash(tuple words, seed)) masked with
 * lb_params.nat_slots / 8 - 1 is its element of lb_nat4 or lb_nat6, and these bits are its
 * place there.  A tuple has exactly one place, which makes it unique without a lock, and
 * eight ports in a row are in one cache line.
 */
struct lb_tuple4 {
	__be32 backend;
	__be32 address; /* the balancer's: the service's address */
	__be16 backend_port;
	__be16 nat_port;
	__u32 protocol;
};
_Static_assert(sizeof(struct lb_tuple4) == 16, "lb_tuple4");

struct lb_tuple6 {
	__be32 backend[4];
	__be32 address[4];
	__be16 backend_port;
	__be16 nat_port;
	__u32 protocol;
};
_Static_assert(sizeof(struct lb_tuple6) == 40, "lb_tuple6");

/* The last word of a tuple, of either family: nat_port's place in it, and all but that. */
#define LB_NAT_PLACES	    8
#define LB_NAT_PORT(port)   ((__u64)(__be16)(port) << 16)
#define LB_NAT_PLACE(ports) ((__u32)((ports) >> 24) & (LB_NAT_PLACES - 1))
#define LB_NAT_GROUP(ports) ((ports) & ~((LB_NAT_PLACES - 1ULL) << 24))

/*
 * In each place, position + 1 of the flow in the low half, its version (even) in the high
 * half.  Valid only while that flow has that version: the entry of a flow that ended cleans
 * itself.
 */
#define LB_NAT(position, version) ((__u64)((position) + 1) | (__u64)(version) << 32)

/* Value of maps lb_nat4 and lb_nat6, written by the data path. */
struct lb_nat_group {
	__u64 flow[LB_NAT_PLACES]; /* LB_NAT, or 0 */
};
_Static_assert(sizeof(struct lb_nat_group) == 64, "lb_nat_group");

#endif /* LB_FLOWS_H */
