/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * icmp.h - ICMP errors through the whole chain, about flows whose addresses are known.
 *
 * One service of each protocol and family for each forward mode, each mode at an address of
 * its own; all with the same backend.
 */
#ifndef TEST_ICMP_H
#define TEST_ICMP_H

#include "flows.h"
#include "hosts.h"

/* clang-format off */
#define HTTP	8000
#define DNS	53
#define SERVER	8080	/* the backend's port: not the services' */
#define NAT	20000	/* the port, or identifier, that fullnat translates to */
#define PORT	31337	/* the client's */
#define SEEN	7	/* jiffies since the flow's last packet */

/* Whoever complains on its way. */
#define ROUTER	"10.0.0.254"
#define ROUTER_6 "2001:db8::fe"

enum { FULLNAT, VIA, LOCAL, DIRECT, TUNNEL, N_MODES };	/* VIA: nat */
enum { OF_TCP, OF_UDP, OF_ICMP, N_PROTOCOLS };

/* A flow, by what it is of. */
struct about {
	int mode, family, protocol;
};
/* clang-format on */

extern struct stage icmp_stage;

int icmp_open(void **state);
int icmp_close(void **state);

__u32 icmp_service(const struct about *a);
const char *icmp_service_address(const struct about *a);
__u16 icmp_service_port(const struct about *a);

/* Forget all flows and next hops; no next hop is due for a packet the kernel's way. */
void icmp_afresh(void);
/* There is that flow, and no other. */
struct flow icmp_flow(const struct about *a);
/* It is as it was: errors change nothing. */
void icmp_expect_flow(const struct about *a, const struct flow *was);

/* What the run of @in through the chain must come to; says which of all if it does not. */
void icmp_expect(const char *what, const struct layer *in, const struct layer *out,
		 __u32 verdict, enum lb_reason reason);

#endif /* TEST_ICMP_H */
