/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rewrite.h - lb_rewrite alone, with services whose translated port is known.
 *
 * Each service has one backend and one translated port, so that the packet which comes
 * out can be written down.  Next hops resolve in the namespace of hosts.h.
 */
#ifndef TEST_REWRITE_H
#define TEST_REWRITE_H

#include "flows.h"
#include "hosts.h"

/* clang-format off */
#define HTTP	8000
#define DNS	53
#define SERVER	8080	/* the backends' port: not the service's */
#define NAT	20000
#define PORT	31337	/* the client's */

enum { WEB, RESOLVER, WEB6, RESOLVER6, N_SERVICES };	/* service ids */

#define TO_BACKEND	ETH(.dst = BACKEND1_MAC, .src = BACK_MAC)
#define TO_CLIENT	ETH(.dst = CLIENT_MAC, .src = BACK_MAC)
#define IN4		IP4(CLIENT, SERVICE)
#define OUT4		IP4(SERVICE, BACKEND1, .ttl = 63)
#define REPLY4		IP4(BACKEND1, SERVICE)
#define BACK4		IP4(SERVICE, CLIENT, .ttl = 63)
#define IN6		IP6(CLIENT6, SERVICE6)
#define OUT6		IP6(SERVICE6, BACKEND1_6, .ttl = 63)
#define REPLY6		IP6(BACKEND1_6, SERVICE6)
#define BACK6		IP6(SERVICE6, CLIENT6, .ttl = 63)
#define SYN		.flags = TH_SYN, BYTES("\x02\x04\x05\xb4")
#define EIGHT		"12345678"
/* clang-format on */

extern struct stage rewrite_stage;

int rewrite_open(void **state);
int rewrite_close(void **state);

/* Forget all flows and next hops; no next hop is due for a packet the kernel's way. */
void rewrite_afresh(void);

/* The record that lb_parse leaves of @in; unless @fresh the flow is put into the table.
 * @client NULL: CLIENT or CLIENT6. */
struct lb_pkt rewrite_parsed(const struct layer *in, const char *client,
			     __u16 client_port, __u16 nat_port, bool fresh);
void rewrite_run(const struct lb_pkt *pkt, const struct layer *in, __u32 ifindex,
		 struct run *ret);
/* Marked for lb_resolve to send by `back`, or not marked at all. */
void rewrite_expect_mark(const struct run *r, bool marked);

#endif /* TEST_REWRITE_H */
