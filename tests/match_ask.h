/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * match_ask.h - the policy match alone, asked for packet after packet.
 *
 * A service with three backends and, unless a test sets others, the rules match_tags.
 */
#ifndef TEST_MATCH_ASK_H
#define TEST_MATCH_ASK_H

#include "match.h"
#include "policy.h"

/* clang-format off */
#define CLIENT	 "192.0.2.1"
#define SERVICE	 "10.0.0.10"
#define CLIENT6	 "2001:db8::1"
#define SERVICE6 "2001:db8::10"
#define PORT	 5000

#define DROPPED	 (-LB_REASON_POLICY_DROP)

/* Ids of backends; the last one is another service's. */
enum { TO_5001 = 1, TO_5002, TO_5003, FOREIGN };
/* clang-format on */

/* Payloads of 290 to 294 bytes with "600", "601" or "602" at 20. */
extern const struct lb_match_rules match_tags;

/* The same payload in each way that it may come. */
extern const struct match_frame {
	const char *name;
	struct layer layer[6];
} match_frames[];
extern const size_t n_match_frames;

int match_open(void **state);
/* NULL: the service has none at all. */
void match_set_rules(const struct lb_match_rules *rules);

/* The backend that was chosen, or minus the reason why none was. */
int match_ask(const struct layer *in);
/* @n bytes of payload with @text at @at of it; then @pad more that belong to nobody. */
int match_ask_frame(const struct match_frame *f, size_t n, size_t at, const char *text,
		    size_t pad);
/* With @text at 20 it must be @want. */
void match_expect(const struct match_frame *f, size_t n, const char *text, int want);

#endif /* TEST_MATCH_ASK_H */
