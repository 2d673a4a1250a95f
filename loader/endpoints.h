/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * endpoints.h - the two-choice tables of lb_records.endpoints4 and _6, written under
 * readers.
 *
 * Works on arrays, so that tests need no kernel.  What readers may see at each moment is
 * stated in abi.h; that a way is free means that no reader can still be in it: whoever
 * clears one waits for a grace period before he returns.
 */
#ifndef LB_ENDPOINTS_H
#define LB_ENDPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <lb/abi.h>
#include "model.h"

struct endpoint {
	__u8 family;   /* 4 or 6 */
	__u64 word[3]; /* struct lb_endpoint_key4 or 6; else 0 */
	__u32 value;
};

struct endpoint_table {
	struct lb_endpoint_bucket4 *v4; /* [LB_ENDPOINT_BUCKETS] */
	struct lb_endpoint_bucket6 *v6;
	const __u64 *seed;  /* lb_params.seed */
	void (*wait)(void); /* for an RCU grace period; NULL: no readers */
};

struct endpoint endpoint_make(const struct address *a, __u16 port, __u8 protocol,
			      enum lb_endpoint_kind kind, __u32 value);
enum lb_endpoint_kind endpoint_kind(const struct endpoint *e);
/* For qsort and bsearch; of the key alone. */
int endpoint_compare(const void *a, const void *b);

/* The value of @e's key, or 0. */
__u32 endpoints_get(const struct endpoint_table *t, const struct endpoint *e);

/*
 * Enter @n endpoints, or give those that are there a new value.  Makes room by moving
 * others.  -ENOSPC: there is none; some have been entered.  -ENOMEM.
 */
int endpoints_add(const struct endpoint_table *t, const struct endpoint *e, size_t n);

/* Remove what is not among the @n sorted endpoints, and set the values of what is; was there
 * anything to remove?  Before its places are used again a grace period must pass. */
bool endpoints_keep(const struct endpoint_table *t, const struct endpoint *e, size_t n);

#endif /* LB_ENDPOINTS_H */
