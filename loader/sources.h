/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sources.h - where tunnels come from, shared as lb_records.sources.
 */
#ifndef LB_SOURCES_H
#define LB_SOURCES_H

#include "state.h"

/* Which sources services and backends get, and the sources as they shall be. */
struct source_plan {
	struct lb_source source[LB_MAX_SOURCES];
	__u16 (*of_service)[2]; /* index in model.services -> `src` by family */
	__u16 of_backend[LB_MAX_BACKENDS]; /* by id */
};

/* Does this service send through tunnels? */
bool service_is_tunnel(const struct model_service *s);
/* Fill in `src` of a service from its record. */
void source_read(const struct state *s, const struct lb_service *record,
		 struct model_service *ret);

/* All backends must have ids.  Reports: too many different ones, none to be had. */
int sources_plan(const struct state *s, const struct model *m, struct source_plan *ret);
/* Before anything names them. */
void sources_write(struct state *s, const struct source_plan *plan);
/* Clear what nothing names any more, a grace period after it did. */
void sources_tidy(struct state *s);
void sources_free(struct source_plan *plan);

#endif /* LB_SOURCES_H */
