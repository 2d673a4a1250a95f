/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * generation.h - one service in every mode and family, and tables that follow one another.
 *
 * What test_generation.c asks of one connection and test_lost_flows.c of many.  The world is
 * that of talk.h, with services of one port and of any.
 */
#ifndef TEST_GENERATION_H
#define TEST_GENERATION_H

#include "talk.h"

/* clang-format off */
#define GRACE	100000		/* jiffies; no test takes as long */

enum policy { HASH, MATCH, ROUND_ROBIN, STRAY, UNLOADED }; /* slots; the first two are
	talk.c's.  In STRAY is a hash that was loaded for another slot */
enum { NONE, ONE, TWO, THREE, OTHERS }; /* backends; the last is another service's */

struct kind {
	const char *name;
	enum lb_forward forward;
	bool any;		/* of any port */
	bool ip6;
};
/* clang-format on */

extern const struct kind kinds[];
extern const size_t n_kinds;

int generation_open(void **state);

/* Make a service of @kind with three backends, its id 0, and one more with one. */
void generation_begin(const struct kind *kind, bool no_grace);
/* Which kind it was, for whoever reads of a failure: NULL once a test has passed. */
extern const struct kind *in_hand;
int generation_explain(void **state);

/* The header of a table that was flipped to @age jiffies ago. */
struct lb_table generation_header(bool consistent, enum policy policy, __u32 age);

/* Send a segment of @client, or of one nearby, to the service: the packet as it leaves. */
struct lb_pkt generation_send_from(const char *client, __u16 port, __u8 flags);
struct lb_pkt generation_send(__u16 port, __u8 flags);
/* The flow that it has now. */
struct flow generation_flow(const struct lb_pkt *pkt);
size_t generation_count(void);
/* It was one more since there were @before. */
void generation_expect(enum lb_reason reason, __u64 before);

#endif /* TEST_GENERATION_H */
