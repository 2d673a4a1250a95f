/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * golden.h - good packets, each with the world and the conversation that it belongs to.
 *
 * What is asked of all of them is asked by test_mutation.c.
 */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include "talk.h"

/* The last packet of the conversation is the golden one. */
struct golden {
	struct talk talk;
	__u32 source; /* of its backends' tunnels: index in lb_sources */
	bool answers; /* nobody is sent to: we speak ourselves */
};

extern const struct golden goldens[];
extern const size_t n_goldens;

/* Make its world and say all but the last packet; that is returned. */
const struct layer *golden_begin(const struct golden *g);
/* The same in the world as it is: the flows are again as golden_begin() left them. */
void golden_again(const struct golden *g);

#endif /* TEST_GOLDEN_H */
