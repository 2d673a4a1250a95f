/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chain.h - all stages and policies together, and packets sent through them.
 *
 * Services on SERVICE and SERVICE6: tcp HTTP and udp DNS, each with three backends on
 * port SERVER.  Policies are in the slots of enum chain_policy.
 */
#ifndef TEST_CHAIN_H
#define TEST_CHAIN_H

#include "flows.h"
#include "hosts.h"

/* clang-format off */
#define HTTP	8000
#define DNS	53
#define SERVER	8080	/* the backends' port: not the services' */

enum chain_service { WEB, RESOLVER, WEB6, RESOLVER6, CHAIN_SERVICES };	/* ids */
enum chain_policy { ROUND_ROBIN, HASH, WEIGHTED, CHAIN_POLICIES };	/* slots */
#define CHAIN_BACKENDS 3	/* of each service; ids follow one another */

struct chain {
	struct stage stage;
	int parse;		/* program: where a packet enters */
};

/* What became of a packet. */
struct delivery {
	bool sent;		/* by XDP, or marked for lb_resolve */
	__u32 verdict;
	__be32 source[4], destination[4];
	__u16 sport, dport;	/* host order */
};

/* clang-format on */

/* Make namespace, maps, programs and services; sizes as for stage_init. */
void chain_open(struct chain *c, __u32 flow_buckets, __u32 nat_slots);
void chain_close(struct chain *c);

/* First of the backends of @service; its others have the next ids. */
__u32 chain_first_backend(enum chain_service service);
/* Give @service a table of its active backends, one slot each, for @policy. */
void chain_set_policy(struct chain *c, enum chain_service service,
		      enum chain_policy policy);
/* All timeouts, in jiffies. */
void chain_set_timeout(struct chain *c, __u32 jiffies);

/* Send a packet of @client to @service; TCP @flags, or a datagram. */
void chain_client(struct chain *c, enum chain_service service, const char *client,
		  __u16 port, __u8 flags, struct delivery *ret);
/* Send a packet of that backend to translated port @nat. */
void chain_reply(struct chain *c, __u32 backend, __u16 nat, __u8 flags,
		 struct delivery *ret);
/* The backend that the delivery went to. */
__u32 chain_backend(const struct chain *c, enum chain_service service,
		    const struct delivery *d);

/* Decode a run, for callers that run the programs themselves. */
void delivery_decode(struct delivery *ret, __u32 verdict, const __u8 *out, size_t len,
		     size_t n_meta);
bool chain_is_udp(enum chain_service service);

#endif /* TEST_CHAIN_H */
