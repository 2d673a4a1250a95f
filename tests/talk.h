/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * talk.h - services, and what is said to them and about them, packet by packet.
 *
 * A row is a world of its own and a conversation through the whole chain: each packet
 * goes in where the network card would hand it over, and what comes out is compared byte
 * for byte.  Next hops resolve in the namespace of hosts.h.
 */
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include <netinet/in.h>

#include "flows.h"
#include "hosts.h"

/* clang-format off */
#define TALK_SERVICES 4
#define TALK_BACKENDS 3
#define TALK_STEPS    12

struct talk_service {
	struct world_service service;
	/* Ids follow one another, through all services.  New flows go to the first one. */
	struct { const char *address; __u16 port; } backend[TALK_BACKENDS];
	__u16 nat;			/* the one translated port; 0: all of them */
	__u32 promises;			/* of its policy */
	__u32 flags;			/* LB_TABLE_F_* */
	__u32 max_flows;		/* of each backend */
	__u32 affinity;			/* jiffies */
	const struct lb_match_rules *rules; /* match chooses by these; NULL: hash */
};

struct talk_step {
	const struct layer *in, *out;	/* out NULL: the packet is not changed */
	__u32 verdict;			/* 0: XDP_TX */
	enum lb_reason reason;
	bool front;			/* it came in there, else by `back` */
	__u16 pick;			/* first: new flows of its service go to this backend */
	__u16 flip;			/* first: a new table of this backend follows the old one */
	__u32 flip_promises;		/* of the policy that chooses in it */
	__u32 age;			/* jiffies since then */
	__u16 down;			/* first: this backend goes down */
	__u16 drain, gone;		/* the same */
	__u16 reborn;			/* first: another backend gets its id */
	bool forget;			/* first: all flows are lost */
	int pause_ms;			/* first */
	bool egress;			/* lb_local sees it leave; 0: TC_ACT_UNSPEC */
	bool mark;			/* it is marked for lb_resolve */
};

struct talk {
	const char *name;
	struct talk_service services[TALK_SERVICES];
	struct talk_step steps[TALK_STEPS];
	int flows;			/* that are there at the end; 0: not counted */
};

#define NO_FLOWS	-1

#define ON(at, number, proto, mode, ...)						\
	.service = { .address = (at), .port = (number), .protocol = IPPROTO_##proto,	\
		     .forward = LB_FORWARD_##mode, __VA_ARGS__ }
#define BACKENDS(...)	.backend = { __VA_ARGS__ }

/* What becomes of a packet. */
#define NEW		.reason = LB_REASON_NEW_FLOW
#define KNOWN		.reason = LB_REASON_KNOWN_FLOW
#define REPLY		.reason = LB_REASON_REPLY
#define FOUND		.reason = LB_REASON_UNKNOWN_SENT
#define NEW_UP		NEW, .verdict = XDP_PASS
#define FOUND_UP	FOUND, .verdict = XDP_PASS
#define KNOWN_UP	KNOWN, .verdict = XDP_PASS
#define REPLY_UP	REPLY, .verdict = XDP_PASS
#define DROP(why)	.verdict = XDP_DROP, .reason = LB_REASON_##why
#define REPLY_OUT	REPLY, .egress = true
#define LEFT_ALONE	.egress = true
#define PASS(why)	.verdict = XDP_PASS, .reason = LB_REASON_##why

/* The MAC addresses of what leaves by `back`. */
#define TO(host)	ETH(.dst = host##_MAC, .src = BACK_MAC)
#define SYN		.flags = TH_SYN
#define SYN_ACK		.flags = TH_SYN | TH_ACK
/* clang-format on */

extern struct stage talk_stage;
extern int talk_parse; /* program: where a packet enters */

int talk_open(void **state);
int talk_close(void **state);

/* Make the world of a row: nothing is left of the one before. */
void talk_begin(const struct talk *t);
/* The time, as lb_table.flipped_at has it. */
__u64 talk_jiffies(void);
/* One row, as a cmocka test whose initial state it is. */
void talk_run(void **state);

/* All rows of an array as one group of tests. */
int talk_main(const char *name, const struct talk *rows, size_t n);
#define TALK_MAIN(name, rows)                                                            \
	int main(void)                                                                   \
	{                                                                                \
		return talk_main(name, rows, sizeof(rows) / sizeof(rows[0]));            \
	}

#endif /* TEST_TALK_H */
