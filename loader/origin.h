/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * origin.h - where a policy's object is, and whether it is the one that was loaded.
 */
#ifndef LB_ORIGIN_H
#define LB_ORIGIN_H

#include "state.h"

/* Fill in origin and digest of @p; reports. */
int origin_find(const struct state *s, struct policy_load *p);
void origin_write(struct lb_policy_info *info, const struct policy_load *p);

#endif /* LB_ORIGIN_H */
