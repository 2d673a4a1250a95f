/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snapshot.h - all that `show` commands show, read at one time, and rows made of it.
 */
#ifndef LB_SNAPSHOT_H
#define LB_SNAPSHOT_H

#include <jansson.h>
#include "command.h"
#include "output.h"

struct snapshot {
	struct state state;
	struct model model;
	struct lb_clock now;
	__u64 *flows;	      /* live, by backend id */
	__u64 flows4, flows6; /* by table */
	__u64 half_open;
};

/* Reports. */
enum outcome snapshot_open(const struct lbctl *l, struct snapshot *ret);
void snapshot_close(struct snapshot *s);

/* Seconds since @jiffies, a 64-bit time of the data path. */
__u64 snapshot_age(const struct snapshot *s, __u64 jiffies);

/* NULL: no memory. */
json_t *service_row(const struct snapshot *s, const struct model_service *service);
json_t *service_rows(const struct snapshot *s, const struct model_service *only);
json_t *backend_rows(const struct snapshot *s, const struct model_service *only);
json_t *device_rows(const struct state *state);
json_t *problem_rows(const struct snapshot *s);

/* The table of services with their backends below, and the note under it. */
enum outcome service_table(const json_t *rows);
extern const struct column service_columns[];
extern const size_t n_service_columns;

#endif /* LB_SNAPSHOT_H */
