/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reasons.h - the part of the ABI that says why packets leave, and how many did.
 *
 * Include abi.h, which has the rules.
 */
#ifndef LB_REASONS_H
#define LB_REASONS_H

#include <linux/types.h>

/*
 * Every way out of the chain: the enum, the counters, the names in `lbctl stats` and
 * the table in lbctl(8) come from this list.  X(id, name, verdict, meaning)
 */
/* clang-format off */
#define LB_REASONS(X)									\
	X(NOT_IP,	 "not-ip",	   "pass", "neither IPv4 nor IPv6")			\
	X(NOT_OURS,	 "not-ours",	   "pass", "no service has this address and port")	\
	X(TRUNCATED,	 "truncated",	   "pass", "ends inside a header")			\
	X(MALFORMED,	 "malformed",	   "pass", "a header contradicts itself")		\
	X(EXTENSIONS,	 "extensions",	   "pass", "more IPv6 extension headers than are read")	\
	X(FRAGMENT,	 "fragment",	   "drop", "a fragmented packet for a service")	\
	X(KNOWN_FLOW,	 "known-flow",	   "tx",   "sent to the flow's backend")		\
	X(NEW_FLOW,	 "new-flow",	   "tx",   "sent to the backend the policy chose")	\
	X(REPLY,	 "reply",	   "tx",   "sent back to the flow's client")		\
	X(RESOLVING,	 "resolving",	   "pass", "translated; the kernel finds the next hop")	\
	X(REFRESH,	 "refresh",	   "pass", "translated; keeps the kernel's neighbour fresh") \
	X(ICMP_ERROR,	 "icmp-error",	   "tx",   "an ICMP error about a flow, sent to its end") \
	X(ECHO,		 "echo",	   "tx",   "a ping, answered by the balancer")		\
	X(NO_BACKEND,	 "no-backend",	   "reject", "no backend is usable; the client was told")	\
	X(EMPTY_DROP,	 "no-backend-drop", "drop", "no backend is usable; the client was not told")	\
	X(EMPTY_PASS,	 "no-backend-pass", "pass", "no backend is usable (on-empty pass)")	\
	X(TOO_BIG,	 "too-big",	   "reject", "does not fit the way out; the sender was told") \
	X(TOO_BIG_DROP,	 "too-big-drop",   "drop", "does not fit the way out; the sender was not told") \
	X(ANSWER_LIMIT,	 "answer-limit",   "drop", "more than 100 resets and ICMP errors a second") \
	X(BACKEND_DOWN,	 "backend-down",   "drop", "the flow's backend is down")		\
	X(POLICY_DROP,	 "policy-drop",	   "drop", "the policy said so")			\
	X(BAD_SLOT,	 "bad-slot",	   "aborted", "the policy chose no slot of the table")	\
	X(NO_STAGE,	 "no-stage",	   "aborted", "a stage or policy is not loaded")		\
	X(FULL,		 "full",	   "reject", "every backend has its max-flows; the client was told") \
	X(FULL_DROP,	 "full-drop",	   "drop", "every backend has its max-flows; the client was not told") \
	X(UNKNOWN_SENT,	 "unknown-sent",   "tx",   "no entry and no SYN: sent where its flow must have been") \
	X(UNKNOWN_RESET, "unknown-reset",  "reject", "no entry and no SYN; the client was told")	\
	X(UNKNOWN_FLOW,	 "unknown-flow",   "drop", "TCP without a flow entry and no SYN")	\
	X(UNKNOWN_REPLY, "unknown-reply",  "drop", "from a backend to a translated port without a flow") \
	X(TABLE_FULL,	 "table-full",	   "drop", "no place in the flow table")		\
	X(NO_PORT,	 "no-port",	   "drop", "no port is free that tells its replies from another flow's")		\
	X(BUSY,		 "busy",	   "drop", "another CPU held the flow's bucket too long") \
	X(TTL_EXPIRED,	 "ttl-expired",	   "drop", "TTL or hop limit reached zero")		\
	X(NO_NEIGHBOUR,	 "no-neighbour",   "drop", "the next hop does not answer ARP or ND")	\
	X(NOT_CONNECTED, "not-connected",  "drop", "dsr: the backend is behind a gateway")	\
	X(NO_ROUTE,	 "no-route",	   "drop", "the kernel has no route there")		\
	X(FORWARDING_OFF, "forwarding-off", "drop", "net.*.conf.lo.forwarding was switched off") \
	X(NO_SOURCE,	 "no-source",	   "drop", "ipip, gue: no source address of the backend's family") \
	X(NO_DEVICE,	 "no-device",	   "drop", "the way out is an interface without the chain") \
	X(ABORTED,	 "aborted",	   "aborted", "a defect: please report it")
/* clang-format on */

enum lb_reason {
	LB_REASON_NONE, /* no reason to leave: go on */
#define X(id, name, verdict, meaning) LB_REASON_##id,
	LB_REASONS(X)
#undef X
		LB_REASON_MAX
};

/* Value of map lb_reasons (per CPU), index = enum lb_reason. */
struct lb_reason_count {
	__u64 packets;
	__u64 last;    /* jiffies, 64 bits */
	__u32 service; /* id + 1 of the last one, 0: none */
	__u32 backend; /* id of the last one, 0: none */
};
_Static_assert(sizeof(struct lb_reason_count) == 24, "lb_reason_count");

/*
 * Value of maps lb_service_counts and lb_backend_counts (per CPU), index = id.  lbctl
 * zeroes the counts of an id before it gives the id away again.
 */
struct lb_count {
	__u64 packets; /* forwarded, both directions */
	__u64 bytes;   /* of these, from the Ethernet header on */
	__u64 drops;
	__u64 last_drop;   /* jiffies, 64 bits */
	__u32 drop_reason; /* enum lb_reason of the last one */
	__u32 pad;
};
_Static_assert(sizeof(struct lb_count) == 40, "lb_count");

/* What happens inside the flow table.  X(id, name, meaning) */
/* clang-format off */
#define LB_EVENTS(X)									\
	X(FLOW_NEW,	     "flow-new",	  "flows made")					\
	X(EVICTED_EXPIRED,   "evicted-expired",	  "made room: timed out or closed")			\
	X(EVICTED_HALF_OPEN, "evicted-half-open", "made room: half-open")			\
	X(EVICTED_OLDEST,    "evicted-oldest",	  "made room: the oldest")			\
	X(EVICTED_DEAD,	     "evicted-dead",	  "made way for the same client's next flow")	\
	X(EVICTED_BY_HAND,   "evicted-by-hand",	  "ended by 'lbctl flow flush'")		\
	X(PORT_TAKEN,	     "port-taken",	  "translated port taken from a closed flow")
/* clang-format on */

/*
 * Value of map lb_policy_counts (per CPU), index = slot in lb_policies: decisions.
 */
struct lb_policy_count {
	__u64 decisions;
};

enum lb_event {
#define X(id, name, meaning) LB_EVENT_##id,
	LB_EVENTS(X)
#undef X
		LB_EVENT_MAX
};
/* Map lb_events (per CPU): enum lb_event -> __u64. */

#endif /* LB_REASONS_H */
