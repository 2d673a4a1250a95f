/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * profiles.h - services' timeouts, shared as profiles of lb_profiles.
 */
#ifndef LB_PROFILES_H
#define LB_PROFILES_H

#include "state.h"

/* Which profile each service of a model gets, and the profiles as they shall be. */
struct profile_plan {
	__u32 *of_service; /* index in model.services -> profile */
	struct lb_profile profile[LB_MAX_PROFILES];
};

/* The profile of new instances' services, index 0, which never changes. */
struct lb_profile profile_default(__u32 hz);
/* Fill in the timeouts of a service from its record's profile. */
void profile_read(const struct state *s, const struct lb_service *record,
		  struct model_service *ret);

/* Reports: too many different ones. */
int profiles_plan(const struct state *s, const struct model *m, struct profile_plan *ret);
void profiles_write(struct state *s, const struct profile_plan *plan);
void profiles_free(struct profile_plan *plan);

#endif /* LB_PROFILES_H */
