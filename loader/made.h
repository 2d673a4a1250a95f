/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * made.h - what is made of the records: endpoint tables and selection tables.
 */
#ifndef LB_MADE_H
#define LB_MADE_H

#include "endpoints.h"
#include "state.h"

/* All endpoints of a model, sorted, one of each. */
struct endpoint_set {
	struct endpoint *endpoints;
	size_t n;
};

int endpoint_set_make(const struct model *m, struct endpoint_set *ret); /* -ENOMEM */
void endpoint_set_free(struct endpoint_set *set);

/* Is there room for what is new?  -ENOSPC, -ENOMEM. */
int endpoint_set_try(const struct state *s, const struct endpoint_set *set);
/* Enter backends and addresses, which must be known before services send there. */
int endpoint_set_prepare(struct state *s, const struct endpoint_set *set);
/* Enter services: from now on packets are theirs. */
int endpoint_set_publish(struct state *s, const struct endpoint_set *set);
/* Remove what is not in @set. */
void endpoint_set_finish(struct state *s, const struct endpoint_set *set);

/* The policy that chooses for @s. */
__u32 service_policy(const struct model *m, const struct model_service *s);

/*
 * Make a new table for each service of @m that @is_wanted says, and point to them; their
 * generations count up in the model and in the records.  Reports.
 */
int tables_flip(struct state *s, struct model *m, const bool *is_wanted);
/* The tables of services by id, which are gone; -errno. */
int tables_remove(struct state *s, const bool *is_gone);

#endif /* LB_MADE_H */
