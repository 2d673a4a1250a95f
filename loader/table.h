/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h - the slots that a policy chooses from, made of a service's backends.
 *
 * Depends on nothing but addresses, ports and weights: every balancer with the same
 * backends makes the same table, with its own ids in it.
 */
#ifndef LB_TABLE_H
#define LB_TABLE_H

#include "model.h"

#define TABLE_MAGLEV_MIN   16381 /* slots; a prime */
#define TABLE_WEIGHTED_MAX 4096

struct table {
	enum lb_table_kind kind;
	__u32 n_slots;
	__u32 n_backends; /* that have slots */
	__u16 *slot;	  /* backend ids */
	double error;	  /* of the backend's share that weights miss most:
					 * 0.01 is one per cent of that share */
	size_t worst;	  /* that backend, as an index of the service's */
};

/* Active, and its weight is not 0. */
bool backend_is_usable(const struct model_backend *b);

/* Do both have the same slots in their tables, if these are of that kind? */
bool table_is_same(const struct model_service *a, const struct model_service *b,
		   enum lb_table_kind kind);

/* The backends must have ids.  -ENOMEM. */
int table_build(const struct model_service *s, enum lb_table_kind kind,
		struct table *ret);
void table_free(struct table *t);

/* The seed of a service's hash: its own, and the same on every balancer. */
__u64 table_seed(const struct model_service *s);

#endif /* LB_TABLE_H */
