/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi.h - what the data path and user space must agree on.
 *
 * Rules of this file: fixed-width kernel types only; addresses and ports are in
 * network order and say so in their type (__be16, __be32), everything else is in
 * host order; no implicit padding, padding is zero, and every record asserts its
 * size.  Change a record, a map or the meaning of a word: change LB_ABI_VERSION.
 *
 * How records change.  lbctl maps the configuration arrays (BPF_F_MMAPABLE) and
 * writes single aligned words, because a record of several words updated by the
 * bpf() syscall is read torn.  A record is written whole while nothing refers to
 * it, and becomes visible by the one word that its comment names.
 *
 * Time is jiffies, cut to 32 bits, compared by subtraction.  Nothing needs a timer:
 * whatever is timed is compared when it is read.
 */
#ifndef LB_ABI_H
#define LB_ABI_H

#include <linux/types.h>

#define LB_ABI_VERSION 4

#define LB_MAX_SERVICES 4096  /* ids 0 .. 4095 */
#define LB_MAX_BACKENDS 16384 /* ids 1 .. 16383; 0 is "none" */
#define LB_MAX_DEVICES	64
#define LB_MAX_POLICIES 64
#define LB_MAX_PROFILES 32
#define LB_MAX_SOURCES	256
#define LB_NAME_SIZE	32 /* a policy's name, with its NUL */

#define LB_NO_BACKEND 0
#define LB_NO_SERVICE 0xffffffffU

#include "flows.h"
#include "hops.h"
#include "match.h"
#include "reasons.h"
#include "services.h"

/* ---- tables: what a policy chooses from -------------------------------------- */

enum lb_table_kind {
	LB_TABLE_UNIFORM,  /* one slot per usable backend */
	LB_TABLE_WEIGHTED, /* smooth weighted order */
	LB_TABLE_MAGLEV,   /* consistent, weighted; the size is a prime */
	LB_TABLE_PRIMARY,  /* smooth weighted order of the usable ones of best priority */
	LB_TABLE_KIND_MAX
};

#define LB_PROMISE_EVEN	      (1U << 0) /* each slot as often as others, within a bound */
#define LB_PROMISE_STICKY     (1U << 1) /* a flow gets the same slot each time */
#define LB_PROMISE_CONSISTENT (1U << 2) /* and keeps it when others go */
#define LB_PROMISE_ADDRESS    (1U << 3) /* looks at the client's address alone */
#define LB_PROMISE_PACKET     (1U << 4) /* no promise: is for each packet, not for flows */
#define LB_PROMISE_WEIGHT     (1U << 5) /* shares follow weights, whatever the table is */
#define LB_PROMISE_ALL	      ((1U << 6) - 1)

#define LB_TABLE_CHUNK	   32 /* slots in one element */
#define LB_TABLE_MAX_SLOTS 65537

/* What is to be asked beside the policy. */
#define LB_TABLE_F_ADMIT  (1U << 0) /* lb_admit: max-flows, slow start, whom to remember */
#define LB_TABLE_F_CLIENT (1U << 1) /* lb_client: persistence client */

/*
 * Element 0 of a service's table.  The table is the inner map of lb_tables[service
 * id]; one write of that pointer flips policy, table and generation together.  A
 * table is complete before it is pointed at and never changes after.  The one before it is
 * the inner map of lb_previous[service id], written first.
 */
struct lb_table {
	__u32 policy;	  /* slot in lb_policies that chooses in this table */
	__u32 kind;	  /* enum lb_table_kind */
	__u32 n_slots;	  /* 0: no backend is usable */
	__u32 generation; /* counts up with each table of the service */
	__u64 seed;	  /* of the policy's hash, the same on every balancer */
	__u32 n_backends; /* usable ones */
	__u32 previous_policy;
	__u32 previous_kind;
	__u32 promises;	  /* of the policy */
	__u64 flipped;	  /* CLOCK_REALTIME, s */
	__u64 flipped_at; /* jiffies, 64 bits */
	__u32 flags;	  /* LB_TABLE_F_* */
	__u32 pad;
};
_Static_assert(sizeof(struct lb_table) == 64, "lb_table");

/* Elements 1.. of a table: slot s is id[s % 32] of element 1 + s / 32. */
struct lb_table_slots {
	__u16 id[LB_TABLE_CHUNK]; /* backend ids */
};
_Static_assert(sizeof(struct lb_table_slots) == 64, "lb_table_slots");

#define LB_POLICY_MAGIC 0x796c6f50 /* "Poly" */

/*
 * What a policy object says of itself, alone in its section .rodata.policy.  The
 * object states all but `slot`, which the loader fills in before it loads.
 */
struct lb_policy_meta {
	__u32 magic;
	__u32 abi;	/* LB_ABI_VERSION it was built for */
	__u32 kind;	/* enum lb_table_kind it chooses from */
	__u32 promises; /* LB_PROMISE_* */
	__u32 slot;	/* its place in lb_policies */
	char name[LB_NAME_SIZE];
};
_Static_assert(sizeof(struct lb_policy_meta) == 52, "lb_policy_meta");

#define LB_MAX_TUNABLES 8 /* of one policy */

/*
 * A number that the user may set, for all services or for one: what the object says of it,
 * in an array in section .rodata.tunables (LB_TUNABLES of lb_policy.bpf.h).
 */
struct lb_tunable {
	char name[LB_NAME_SIZE]; /* the array ends before the first empty one */
	char help[80];		 /* a few words, NUL-terminated; what it is, its unit */
	__u64 low, high;	 /* both included */
	__u64 initial;		 /* while nobody has set it */
};
_Static_assert(sizeof(struct lb_tunable) == 136, "lb_tunable");

/*
 * Value of a policy's map `tunables` (pinned as lb_tunables_SLOT), index = service id, written
 * by lbctl, each value as one word and then `set` and `own` as one: what holds for the
 * service, its own or the policy's.  A value whose bit in `set` is 0 does not count, the
 * initial one does.  Element LB_MAX_SERVICES: what the user has set for all others (lbctl).
 */
struct lb_tunables {
	__u64 value[LB_MAX_TUNABLES];
	__u32 set; /* bit per value that counts */
	__u32 own; /* bit per value that the user has set for this very element (lbctl) */
};
_Static_assert(sizeof(struct lb_tunables) == 72, "lb_tunables");

/* What lbctl found when it asked a policy before it might serve. */
enum lb_gate {
	LB_GATE_NONE,	/* not asked */
	LB_GATE_PASSED, /* it keeps what it promises */
	LB_GATE_FORCED, /* it does not, and serves all the same: see lb_policy_info.why */
};

/*
 * Value of map lb_policy_info, index = slot in lb_policies, written by lbctl for
 * lbctl.  Slots are given once and not reused for another name, but after `unload`.
 */
struct lb_policy_info {
	struct lb_policy_meta meta; /* meta.magic 0: free */
	__u32 program;		    /* kernel id */
	__u64 since;		    /* CLOCK_REALTIME, s: when it was loaded */
	char file[64];		    /* base name of the object */
	__u32 gate;		    /* enum lb_gate */
	__u32 cost_ns;		    /* of a decision, as measured by the gate; 0: not */
	__u8 tag[8];		    /* of the program, as the kernel computes it */
	char why[112]; /* LB_GATE_FORCED: the promise that it breaks, and how */
	struct lb_tunable tunables[LB_MAX_TUNABLES]; /* the ones with a name */
	__u32 tunables_program;			     /* kernel id: whose map is pinned */
	__u32 renamed;				     /* the object has another name */
	__u64 digest;				     /* of the object */
	char path[256]; /* where it was; empty: it is shipped */
};
_Static_assert(sizeof(struct lb_policy_info) == 1616, "lb_policy_info");

/* ---- the chain -------------------------------------------------------------------- */

/* Indices of PROG_ARRAY lb_stages.  lb_entry has lb_root, whose one slot is lb_parse. */
enum lb_stage {
	LB_STAGE_REWRITE, /* fullnat, nat, local */
	LB_STAGE_ENCAP,	  /* ipip, gue */
	LB_STAGE_DSR,
	LB_STAGE_WIDE,	   /* services of several addresses or ports */
	LB_STAGE_REPLY,	   /* replies that lb_parse cannot tell */
	LB_STAGE_ICMP,	   /* ICMP errors: which flow */
	LB_STAGE_ICMP_NAT, /* ICMP errors: translated */
	LB_STAGE_MSS,
	LB_STAGE_ANSWER,  /* what we say ourselves: resets, ICMP */
	LB_STAGE_CAPTURE, /* trace: the packet as it came */
	LB_STAGE_TRACE,	  /* trace: what became of it */
	LB_STAGE_PARSE,	  /* lb_parse, for LB_STAGE_CAPTURE to come back to */
	LB_STAGE_UNKNOWN, /* TCP without a flow and no SYN: whose it was */
	LB_STAGE_CLIENT,  /* persistence client: where the client was before */
	LB_STAGE_ADMIT,	  /* may the chosen backend have the flow? */
	LB_STAGE_MAX = 16,
	LB_STAGE_POLICY /* no index, but a name: any policy */
};

/*
 * What every object knows when it is loaded, alone in its section .rodata.params: the
 * loader copies it from lb_config, and the map is frozen: the verifier knows what is in it.
 */
struct lb_params {
	__u64 seed[3];	    /* random; [1] and [2] odd */
	__u32 flow_buckets; /* elements of lb_flows4 and of lb_flows6, 2^n */
	__u32 nat_slots;    /* places in lb_nat4 and in lb_nat6, 2^n */
	__u32 hz;	    /* jiffies a second */
	__u32 pad;
};
_Static_assert(sizeof(struct lb_params) == 40, "lb_params");

/*
 * The one value of map lb_switches, written by lbctl, each as one word: what is not always
 * needed, and looked at by each packet.
 */
struct lb_switches {
	__u32 wide;    /* lb_wide has something to find */
	__u32 trace;   /* jiffies until which packets are traced, | 1; 0: none */
	__u32 replies; /* some backend's replies come through us: LB_ENDPOINT_BACKEND */
	__u32 pad[13];
};
_Static_assert(sizeof(struct lb_switches) == 64, "lb_switches");

/*
 * The one value of map lb_records: what is configured, and what is learnt about it, in one
 * piece, so that the data path reaches each record without a lookup.
 */
struct lb_records {
	struct lb_endpoint_bucket4 endpoints4[LB_ENDPOINT_BUCKETS];
	struct lb_endpoint_bucket6 endpoints6[LB_ENDPOINT_BUCKETS];
	struct lb_backend backends[LB_MAX_BACKENDS]; /* index: id */
	struct lb_service services[LB_MAX_SERVICES]; /* index: id */
	struct lb_device devices[LB_MAX_DEVICES];
	struct lb_source sources[LB_MAX_SOURCES]; /* index: lb_backend.source; 0 is none */
	struct lb_hop hops[LB_MAX_BACKENDS];	  /* index: backend's id */
	/* Flows that name the backend of this id and are not closed, those that timed
	 * out unnoticed included; written by the data path, under the flow's lock. */
	__u64 live[LB_MAX_BACKENDS];
};
_Static_assert(sizeof(struct lb_records) == 3944448, "lb_records");

#define LB_FORWARDING_NOTED (1U << 31)

#define LB_MAGIC 0x7377746368796172ULL

/* The one value of map lb_config, written by lbctl for lbctl. */
struct lb_config {
	__u64 magic; /* LB_MAGIC, written last */
	__u32 abi;   /* LB_ABI_VERSION */
	__u32 flows; /* flows 'N' per family, rounded up to 2^n */
	struct lb_params params;
	__u32 default_policy; /* slot in lb_policies */
	__u32 dirty;	      /* 1 while records and what is made of them may differ */
	__u64 since;	      /* CLOCK_REALTIME, s */
	/* net.ipv4 (bit 0) and net.ipv6 (bit 1) .conf.lo.forwarding before attach; valid
	 * with LB_FORWARDING_NOTED */
	__u32 forwarding_was;
	__u32 pad;
	__u64 netns;	  /* SO_NETNS_COOKIE of where it is attached; 0: not known */
	char version[24]; /* of the loaded stages */
};
_Static_assert(sizeof(struct lb_config) == 112, "lb_config");

enum lb_direction { LB_TO_BACKEND, LB_TO_CLIENT };

/* What is special about a packet. */
#define LB_PKT_PER_PACKET (1U << 0) /* of a service with persistence none */
#define LB_PKT_WIDE	  (1U << 1) /* of a service of several addresses or ports */
#define LB_PKT_ERROR	  (1U << 2) /* an ICMP error about the flow */
#define LB_PKT_NO_PORTS	  (1U << 3) /* a fragment: chosen by address, no flow is made */
#define LB_PKT_SERVICE	  (1U << 4) /* `service` is that of one address and port */
#define LB_PKT_NO_REPLY	  (1U << 5) /* lb_reply has said that it is none */

#define LB_PKT_NEW_FLOW (1U << 6) /* its flow was made for it */
#define LB_PKT_UNKNOWN	(1U << 7) /* TCP without a flow and no SYN: see lb_unknown */

/* pkt->attempt of a packet with LB_PKT_UNKNOWN: of which table its policy is asked. */
enum lb_unknown {
	LB_UNKNOWN_NONE,     /* of none so far */
	LB_UNKNOWN_PREVIOUS, /* of lb_previous */
	LB_UNKNOWN_CURRENT,  /* of lb_tables */
};

/* Trace: is lb_captured about this packet? */
enum lb_captured {
	LB_NOT_CAPTURED,
	LB_CAPTURED,
	LB_CAPTURING, /* between lb_capture and lb_parse */
};

/* What LB_STAGE_ANSWER says. */
enum lb_answer {
	LB_ANSWER_REJECT,  /* TCP reset, or ICMP port unreachable */
	LB_ANSWER_TOO_BIG, /* ICMP fragmentation needed, ICMPv6 packet too big */
	LB_ANSWER_ECHO,	   /* ICMP echo reply */
};

/* Both ends of a packet, as its headers say or, of an ICMP error, its quote reversed. */
struct lb_ends {
	__be32 source[4]; /* IPv6, or IPv4 in word 0 */
	__be32 destination[4];
	__be16 sport; /* of an echo request, its identifier; of a reply, 0 */
	__be16 dport; /* the other way round */
};

/*
 * The packet in hand, in the per-CPU map lb_scratch: what one stage tells the next.
 * Each stage's header says what it needs (in) and leaves (out).
 */
struct lb_pkt {
	__u64 key[3]; /* of the flow: struct lb_flow_key4 or 6 */
	__u64 hash;   /* of the key */
	__u64 hop;    /* of the flow, towards the client; or the one just learnt */
	__u32 hop_expires;
	__u32 now;	     /* jiffies */
	__u32 service;	     /* id */
	__u32 backend;	     /* LB_BACKEND_REF; from a policy: the id alone */
	__u32 position;	     /* of the flow; valid if `version` is not 0 */
	__u32 version;	     /* of the flow; 0: new */
	struct lb_ends ends; /* only to LB_STAGE_WIDE and LB_STAGE_REPLY */
	__be32 origin[4];    /* the address that the client sent to; of table 6 */
	__be16 origin_port;  /* and the port */
	__be16 nat_port;
	__u16 l3;	/* offset of the IP header */
	__u16 l4;	/* offset of the TCP, UDP or ICMP header */
	__u16 length;	/* bytes from the Ethernet header on */
	__u16 mtu;	/* LB_ANSWER_TOO_BIG: what would fit */
	__u8 family;	/* 4 or 6 */
	__u8 protocol;	/* IPPROTO_* */
	__u8 tcp_flags; /* byte 13 of the TCP header */
	__u8 direction; /* enum lb_direction */
	__u8 way;	/* LB_WAY of the flow when it was found */
	__u8 table;	/* 4 or 6: which flow table the key is of */
	__u8 stage;	/* enum lb_stage: what forwards it */
	__u8 flags;	/* LB_PKT_* */
	__u8 answer;	/* enum lb_answer */
	__u8 reason;	/* enum lb_reason; to LB_STAGE_TRACE and LB_STAGE_ANSWER */
	__u8 verdict;	/* XDP_*; to LB_STAGE_TRACE */
	__u8 captured;	/* enum lb_captured */
	__u8 ended_by;	/* enum lb_stage; to LB_STAGE_TRACE */
	__u8 attempt; /* policies: how often the answer was not taken; enum lb_unknown */
	__u16 quoted; /* LB_PKT_ERROR: offset of the TCP, UDP or ICMP header in the quote */
};
_Static_assert(sizeof(struct lb_pkt) == 144, "lb_pkt");

#include "trace.h"

/* ---- what lbctl asks the kernel to do for it (progs/lb_control.bpf.c) ------------- */

/* Packet data of a test run of lb_clock: filled in. */
struct lb_clock {
	__u64 jiffies;
	__u64 ktime_ns; /* CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct lb_clock) == 16, "lb_clock");

/* Packet data of a test run of lb_evict: ends that flow if it still is that one.
 * Returns XDP_PASS if it was ended, XDP_DROP if not. */
struct lb_evict {
	__u32 family; /* 4 or 6 */
	__u32 position;
	__u32 version;
	__u32 pad;
};
_Static_assert(sizeof(struct lb_evict) == 16, "lb_evict");

#endif /* LB_ABI_H */
