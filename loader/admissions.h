/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * admissions.h - when a backend may take a new flow (lb_admissions).
 */
#ifndef LB_ADMISSIONS_H
#define LB_ADMISSIONS_H

#include "state.h"

/*
 * Write limits, and since when each backend is usable that was not in @from; the ids of @to
 * are assigned, the records not yet written.  -errno
 */
int admissions_write(struct state *s, const struct model *from, const struct model *to);

/* What is to be asked beside the policy: LB_TABLE_F_* of the service's table. */
__u32 admission_flags(const struct model_service *s);

#endif /* LB_ADMISSIONS_H */
