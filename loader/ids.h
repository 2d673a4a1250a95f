/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ids.h - numbers for new services and backends.
 */
#ifndef LB_IDS_H
#define LB_IDS_H

#include "state.h"

/* Give an id to each service and backend of @m that has none; reports the limits.  The
 * backends' refs are those of their next incarnation. */
int ids_assign(const struct state *s, struct model *m);
/* Zero what is counted for the ids that @m has and the kernel's records do not yet. */
int ids_clear_counts(struct state *s, const struct model *m);

#endif /* LB_IDS_H */
