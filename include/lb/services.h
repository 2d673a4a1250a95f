/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * services.h - the part of the ABI that is services, their backends and how both are found.
 *
 * Include abi.h, which has the rules.
 */
#ifndef LB_SERVICES_H
#define LB_SERVICES_H

#include <linux/types.h>

/* How a service's packets leave (design.md, "Forwarding"). 0 is not a mode. */
enum lb_forward {
	LB_FORWARD_NONE,
	LB_FORWARD_FULLNAT, /* source and destination translated, both ways */
	LB_FORWARD_NAT,	    /* destination only; replies come through us */
	LB_FORWARD_DSR,	    /* destination MAC only */
	LB_FORWARD_IPIP,    /* in an outer IPv4 or IPv6 header */
	LB_FORWARD_GUE,	    /* the same over UDP, GUE variant 1 */
	LB_FORWARD_LOCAL,   /* destination, then up the own stack */
	LB_FORWARD_MAX
};

/* Replies of these modes come through us and are translated back. */
#define LB_FORWARD_IS_NAT(mode)                                                          \
	((mode) == LB_FORWARD_FULLNAT || (mode) == LB_FORWARD_NAT ||                     \
	 (mode) == LB_FORWARD_LOCAL)

/* ---- services and backends ------------------------------------------------- */

/*
 * What an exact (address, port, protocol) is to us.  Part of the key, so that one
 * address and port may be a service and the backend of another service.
 */
enum lb_endpoint_kind {
	LB_ENDPOINT_SERVICE = 1, /* of one address and port; value: LB_SERVICE_REF */
	LB_ENDPOINT_BACKEND =
		2, /* whose replies come through us; value: LB_REPLIES.  Port 0:
					 * it keeps the port that the client chose */
	LB_ENDPOINT_ADDRESS = 3, /* a fullnat service's address; port and protocol 0;
					 * value: translated ports, LO | HI << 16 */
	LB_ENDPOINT_PING = 4,	 /* an address whose echo requests we answer; port 0;
					 * protocol IPPROTO_ICMP(V6); value: 1 */
};

/*
 * What a packet for a service needs to know at once, so that a known flow's need not read
 * the service's record.  Also the value of a port range (struct lb_range).
 */
#define LB_SERVICE_REF(id, forward, flags)                                               \
	((__u32)((id) + 1) | (__u32)(forward) << 13 | (__u32)(flags) << 16)
#define LB_SERVICE_REF_ID(ref)	    (((ref)&0x1fff) - 1)
#define LB_SERVICE_REF_FORWARD(ref) ((ref) >> 13 & 7)
#define LB_SERVICE_REF_FLAGS(ref)   ((ref) >> 16)

/* Flags of LB_SERVICE_REF. */
#define LB_REF_PER_PACKET (1U << 0) /* persistence none */
#define LB_REF_MSS	  (1U << 1) /* SYNs have their MSS clamped */

/*
 * Whose replies may come from a BACKEND endpoint: of fullnat services, which the translated
 * tuple tells apart, and of nat and local services, by a list of the backends that have this
 * address, port and protocol, from @first on by lb_backend.next.  0 as first: of none.
 */
#define LB_REPLIES(fullnat, first) ((__u32)(first) | (__u32) !!(fullnat) << 31)
#define LB_REPLIES_FIRST(value)	   ((value)&0xffff)
#define LB_REPLIES_FULLNAT(value)  ((value) >> 31)
#define LB_MAX_SIBLINGS		   8 /* the longest such list */

struct lb_endpoint_key4 {
	__be32 address;
	__be16 port;
	__u8 protocol; /* IPPROTO_* */
	__u8 kind;     /* enum lb_endpoint_kind */
};
_Static_assert(sizeof(struct lb_endpoint_key4) == 8, "lb_endpoint_key4");

struct lb_endpoint_key6 {
	__be32 address[4];
	__be16 port;
	__u8 protocol;
	__u8 kind;
	__u32 pad;
};
_Static_assert(sizeof(struct lb_endpoint_key6) == 24, "lb_endpoint_key6");

#define LB_ENDPOINT_WAYS    4
#define LB_ENDPOINT_BUCKETS 8192 /* per family; a power of two */

struct lb_endpoint4 {
	__u64 key[1]; /* struct lb_endpoint_key4 */
	__u32 value;  /* 0: empty.  The word that publishes */
	__u32 spilt;  /* way 0, of the bucket */
};
_Static_assert(sizeof(struct lb_endpoint4) == 16, "lb_endpoint4");

struct lb_endpoint6 {
	__u64 key[3]; /* struct lb_endpoint_key6 */
	__u32 value;
	__u32 spilt;
};
_Static_assert(sizeof(struct lb_endpoint6) == 32, "lb_endpoint6");

/*
 * lb_records.endpoints4 and endpoints6, written by lbctl.  With h =
 * lb_hash(key words, seed of struct lb_params): an endpoint is in bucket LB_BUCKET_1(h) or
 * LB_BUCKET_2(h), in any way.  In the second only while `spilt` of the first is not 0, which
 * is set before and may stay set: so most foreign packets cost one bucket.  To move one,
 * write the copy, wait for an RCU grace period, and clear the original.  A way that was
 * cleared is written again only after another one, so that no reader compares half an old
 * key with half a new.
 */
struct lb_endpoint_bucket4 {
	struct lb_endpoint4 way[LB_ENDPOINT_WAYS];
};
struct lb_endpoint_bucket6 {
	struct lb_endpoint6 way[LB_ENDPOINT_WAYS];
};

#define LB_SERVICE_F_OWN_POLICY (1U << 0) /* does not follow the default */
#define LB_SERVICE_F_PER_PACKET (1U << 1) /* persistence none */
#define LB_SERVICE_F_ICMP_REPLY (1U << 2) /* icmp-reply on (lbctl) */

/* What becomes of a new flow's packet when no backend is usable. */
enum lb_on_empty { LB_ON_EMPTY_REJECT, LB_ON_EMPTY_DROP, LB_ON_EMPTY_PASS };

/*
 * What becomes of a TCP packet without a flow that is no SYN, where no consistent policy
 * says whose it was.
 */
enum lb_on_unknown {
	LB_ON_UNKNOWN_AUTO,   /* reset in fullnat, nat and local, else drop */
	LB_ON_UNKNOWN_SELECT, /* the policy chooses, as for a new flow */
	LB_ON_UNKNOWN_RESET,
	LB_ON_UNKNOWN_DROP,
};

/*
 * lb_records.services, index = service id, written by lbctl.  Published by
 * `state`.  What clients use (address to protocol), forward and F_PER_PACKET never change
 * while it is in use; the others may, each as one word.
 */
struct lb_service {
	__be32 address[4]; /* IPv6, or IPv4 in word 0; of a prefix, its first */
	__be16 port;	   /* of a range, the first; `any`: 0; of ICMP: 0 */
	__be16 port_last;  /* of a range, the last; `any`: 65535; else as port */
	__u8 prefix;	   /* length in bits; 32 or 128: one address */
	__u8 protocol;	   /* IPPROTO_TCP, _UDP, _ICMP or _ICMPV6 */
	__u8 forward;	   /* enum lb_forward */
	__u8 family;	   /* 4 or 6 */
	__u32 profile;	   /* index of lb_profiles, for new flows */
	__u16 port_low;	   /* translated ports, both included, host order */
	__u16 port_high;
	__u32 state;	/* 0 free, 1 in use */
	__u32 flags;	/* LB_SERVICE_F_* */
	__u32 on_empty; /* enum lb_on_empty */
	__u32 mss;	/* SYNs of both ends offer no more; 0: off */

	/* What only lbctl reads. */
	__u32 source4; /* index in sources of `src`, by family; 0: not set */
	__u32 source6;
	__u32 policy;	   /* slot in lb_policies if F_OWN_POLICY */
	__u32 generation;  /* of the last table that was built */
	__u32 timeout_set; /* bit per keyword of timeout-*, set by the user */
	__u32 pad;
	__u64 since;	  /* CLOCK_REALTIME, s: when it was added */
	char comment[64]; /* NUL-terminated */

	/* For new flows. */
	__u32 on_unknown; /* enum lb_on_unknown */
	__u32 grace;	  /* jiffies: how long lb_previous counts after a flip */
	__u32 slow_start; /* jiffies: until a backend has its full share; 0: at once */
	__u32 affinity;	  /* jiffies: persistence client; 0: off */
	__u64 pad2[4];
};
_Static_assert(sizeof(struct lb_service) == 192, "lb_service");

/* More than one address or port: its flows need more of a key (LB_FLOW_KEY6 `more`). */
#define LB_SERVICE_IS_WIDE(s)                                                            \
	((s)->port != (s)->port_last || (s)->prefix != ((s)->family == 4 ? 32 : 128))

enum lb_backend_state {
	LB_BACKEND_FREE, /* the id may be given away */
	LB_BACKEND_ACTIVE,
	LB_BACKEND_DRAIN, /* keeps its flows, takes no new ones */
	LB_BACKEND_DOWN,  /* its TCP packets are dropped; UDP flows choose again */
};

/*
 * A backend as flows name it: its id, and which of the backends that had this id.
 * A flow whose reference is not the record's own is dead: a new backend under an old
 * id inherits nothing.
 */
#define LB_BACKEND_REF(id, incarnation) ((__u32)(id) | (__u32)(incarnation) << 16)
#define LB_BACKEND_REF_ID(ref)		((ref)&0xffff)

/*
 * lb_records.backends, index = backend id, written by lbctl.  A backend belongs
 * to one service.  `ref` is LB_BACKEND_REF(id, incarnation) while the id is in use
 * and 0 else: writing it publishes the record, writing 0 ends all its flows at once.
 */
struct lb_backend {
	__be32 address[4]; /* IPv6, or IPv4 in word 0 */
	__be16 port;	   /* 0: the one that the client chose */
	__u16 service;	   /* id */
	__u32 ref;
	__u32 state;	   /* enum lb_backend_state */
	__u32 weight;	   /* 0..65535 */
	__u32 incarnation; /* last one given; never goes back (lbctl) */
	__u32 family;	   /* 4 or 6; in tunnels it may not be the service's */
	__u64 since;	   /* CLOCK_REALTIME, s: when it was added (lbctl) */
	__u32 source;	   /* ipip, gue: index in sources */
	__u32 next; /* nat, local: id of the next backend of LB_REPLIES; 0: the last */
	__u32 priority; /* the lowest number is the best (lbctl) */
	__u32 pad;
};
_Static_assert(sizeof(struct lb_backend) == 64, "lb_backend");

/*
 * Value of map lb_admissions, index = backend id, written by lbctl, each as one word: when it
 * may take a new flow.  Read by lb_admit alone.
 */
struct lb_admission {
	__u64 joined;	 /* jiffies, 64 bits: since when it is usable without a break */
	__u32 max_flows; /* live ones; 0: no limit */
	__u32 pad;
};
_Static_assert(sizeof(struct lb_admission) == 16, "lb_admission");

/*
 * Map lb_clients (LRU hash), written by lb_admit: where a client of a service with
 * persistence client went last.
 */
struct lb_client_key {
	__be32 client[4]; /* IPv6, or IPv4 in word 0 */
	__u32 service;	  /* id */
};
_Static_assert(sizeof(struct lb_client_key) == 20, "lb_client_key");

struct lb_client {
	__u32 backend; /* LB_BACKEND_REF */
	__u32 seen;    /* jiffies: when it last began a flow */
};
_Static_assert(sizeof(struct lb_client) == 8, "lb_client");

#define LB_MAX_CLIENTS 65536

/*
 * lb_records.sources, index 1.., written by lbctl: where tunnels come from.  Written
 * whole while no backend names it.
 */
struct lb_source {
	__be32 address[4]; /* IPv6, or IPv4 in word 0; of a prefix, its first */
	__u32 family;	   /* 4 or 6; 0: free */
	__u32 prefix;	   /* its length; what is behind it is spread by flow */
	__u64 pad;
};
_Static_assert(sizeof(struct lb_source) == 32, "lb_source");

/* ---- services of more than one address or port ---------------------------------- */

/* Keys of the LPM tries lb_prefixes4 and lb_prefixes6; length in bits, protocol included. */
#define LB_PREFIX_BITS(bits) (32 + (bits))
struct lb_prefix_key4 {
	__u32 length; /* LB_PREFIX_BITS */
	__u32 protocol;
	__be32 address;
};
struct lb_prefix_key6 {
	__u32 length;
	__u32 protocol;
	__be32 address[4];
};

#define LB_MAX_PREFIXES	 8192 /* of each family */
#define LB_PREFIX_RANGES 16

struct lb_range {
	__u16 low; /* host order, both included */
	__u16 high;
	__u32 service; /* LB_SERVICE_REF */
};

/*
 * Value of the tries, written by lbctl, replaced whole: the services that have this prefix or
 * a shorter one around it.  The first range that has the port wins: longer prefixes come
 * first, then narrower ranges.
 */
struct lb_prefix {
	__u32 n;
	__u32 pad;
	struct lb_range range[LB_PREFIX_RANGES];
};
_Static_assert(sizeof(struct lb_prefix) == 136, "lb_prefix");

#endif /* LB_SERVICES_H */
