/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * generation.h - a service's table, the one before it, and how long that one still counts.
 */
#ifndef LB_GENERATION_H
#define LB_GENERATION_H

#include "state.h"

struct generation {
	struct lb_table table;	  /* zeros if there is none */
	struct lb_table previous; /* generation 0: there is none */
	__u64 left_ms;		  /* lost flows are looked for by it; 0: no more */
};

/* What generations are read with. */
struct generations {
	const struct state *state;
	__u64 jiffies;
};

void generations_open(const struct state *s, struct generations *ret);
struct generation generation_of(const struct generations *g, __u32 service);
/* Nobody asks the service's previous table any more. */
int generation_forget(const struct generations *g, __u32 service);
const char *table_kind_name(__u32 kind);

#endif /* LB_GENERATION_H */
