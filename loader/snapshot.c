// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot.c - all that `show` commands show, read at one time.
 */
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "flow_walk.h"
#include "report.h"

static int count_flow(void *arg, const struct flow_view *flow)
{
	struct snapshot *s = arg;

	/* A closed one has its place in the table for a while, but needs no backend. */
	if (flow->state != LB_FLOW_CLOSED)
		s->flows[LB_BACKEND_REF_ID(flow->backend)]++;
	if (flow->table == 4)
		s->flows4++;
	else
		s->flows6++;
	s->half_open += flow->state == LB_FLOW_HALF_OPEN;
	return 0;
}

enum outcome snapshot_open(const struct lbctl *l, struct snapshot *ret)
{
	static const struct flow_filter any;

	memset(ret, 0, sizeof(*ret));
	if (state_open(&ret->state, &l->where, STATE_READ))
		return REFUSED;

	model_init(&ret->model);
	ret->flows = calloc(LB_MAX_BACKENDS, sizeof(*ret->flows));
	if (ret->flows && !state_read(&ret->state, &ret->model) &&
	    !state_clock(&ret->state, &ret->now) &&
	    !flow_walk(&ret->state, &any, count_flow, ret))
		return DONE;

	report("%s: cannot read the state", ret->state.dir);
	snapshot_close(ret);
	return REFUSED;
}

void snapshot_close(struct snapshot *s)
{
	model_free(&s->model);
	free(s->flows);
	state_close(&s->state);
}

__u64 snapshot_age(const struct snapshot *s, __u64 jiffies)
{
	__u32 hz = s->state.config->params.hz;

	return hz && s->now.jiffies > jiffies ? (s->now.jiffies - jiffies) / hz : 0;
}
