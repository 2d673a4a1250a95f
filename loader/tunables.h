/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tunables.h - the numbers that a policy lets its user set.
 *
 * The object declares them (LB_TUNABLES of lb_policy.bpf.h), lb_policy_info keeps what it
 * said, and its map `tunables` has the values, pinned under the policy's slot.
 *
 * Functions return 0 or -errno and report nothing, unless they say "reports".
 */
#ifndef LB_TUNABLES_H
#define LB_TUNABLES_H

#include <bpf/libbpf.h>

#include "state.h"

/* What @obj declares, before it is loaded; reports. */
int tunables_declared(struct bpf_object *obj, const char *path,
		      struct lb_tunable ret[LB_MAX_TUNABLES]);
/* The policy in @slot of @m declares @declared from now on: what is set goes over by name. */
void tunables_translate(struct model *m, __u32 slot, const struct lb_tunable *declared,
			bool tells);
/* The loaded @obj is to be the policy in @slot: what the user has set for that goes over by
 * name, and what does not fit is told.  Leaves lb_config.dirty until its program is there. */
int tunables_install(struct state *s, __u32 slot, const struct lb_tunable *declared,
		     struct bpf_object *obj, int prog);
/* The policy in @slot is no more. */
void tunables_forget(const struct state *s, __u32 slot);
/* After a load that was cut short. */
void tunables_repair(struct state *s);

/* The index of @key, or -1. */
int tunables_find(const struct lb_tunable *declared, const char *key);

/* All that is set, into a model. */
int tunables_read(const struct state *s, struct model *m);
/* And from one: for services of @m. */
int tunables_write(const struct state *s, const struct model *m);
/* The same, and ids that no service of @m has get what holds for all. */
int tunables_tidy(const struct state *s, const struct model *m);

/* What is set for one service alone; NULL: nothing. */
struct model_param *param_find(const struct model_service *service, int policy,
			       __u32 key);
int param_set(struct model_service *service, int policy, __u32 key, __u64 value);
void param_unset(struct model_service *service, int policy, __u32 key);

/* The map of a policy's values, one element per service and one for all. */
#define TUNABLES_ELEMENTS (LB_MAX_SERVICES + 1)
int tunables_open(const struct state *s, __u32 slot); /* fd */
struct lb_tunables *tunables_map(int fd);	      /* NULL: cannot be mapped */
void tunables_unmap(struct lb_tunables *elements);
/* All elements, as @m says it of the policy in @slot. */
int tunables_fill(struct lb_tunables *elements, const struct model *m, __u32 slot);

#endif /* LB_TUNABLES_H */
