/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * instance.h - steps of opening and making an instance.
 */
#ifndef LB_INSTANCE_H
#define LB_INSTANCE_H

#include "state.h"

/* An empty @s with its folder found and capabilities checked; reports. */
int state_start(struct state *s, const struct state_options *o, enum state_access access);
/* Map what is pinned; reports.  @is_new: its magic is not written yet. */
int state_map_all(struct state *s, bool is_new);
/* Make, load and pin all that an instance like @of has in the folder of @s, which was started;
 * policies and what is in the maps are the caller's.  Reports. */
int state_create_like(struct state *s, const struct state *of);

#endif /* LB_INSTANCE_H */
