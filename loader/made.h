/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * made.h - what is made of the records: how packets find services, and selection tables.
 */
#ifndef LB_MADE_H
#define LB_MADE_H

#include "endpoints.h"
#include "state.h"

/* All endpoints of a model, sorted, one of each. */
struct endpoint_set {
	struct endpoint *endpoints;
	__u32 *meanwhile; /* their values until the change is complete */
	size_t n;
	/* lb_backend.next by id, until and after the change is complete */
	__u16 next_meanwhile[LB_MAX_BACKENDS], next[LB_MAX_BACKENDS];
};

/* -ENOMEM; -EMLINK: too many backends share an address and port, reported. */
int endpoint_set_make(const struct state *s, const struct model *m,
		      struct endpoint_set *ret);
void endpoint_set_free(struct endpoint_set *set);

/* Is there room for what is new?  -ENOSPC, -ENOMEM. */
int endpoint_set_try(const struct state *s, const struct endpoint_set *set);
/* Enter backends and addresses, which must be known before services send there. */
int endpoint_set_prepare(struct state *s, const struct endpoint_set *set);
/* Enter services: from now on packets are theirs. */
int endpoint_set_publish(struct state *s, const struct endpoint_set *set);
/* Remove what is not in @set; true: and wait for a grace period before the lock is let go. */
bool endpoint_set_finish(struct state *s, const struct endpoint_set *set);

/* The backends that a model has behind one endpoint; see made_siblings.c. */
struct siblings {
	struct endpoint at;
	__u16 id[LB_MAX_SIBLINGS + 1]; /* one more than there may be */
	size_t n;
};

/* Plan their list: fills in next_meanwhile and next of @set, and its beginnings.  -EMLINK. */
int siblings_plan(const struct state *s, const struct siblings *wanted,
		  struct endpoint_set *set, __u16 *ret_meanwhile, __u16 *ret_first);
/* Write the planned links to the records. */
void siblings_link(struct state *s, const __u16 next[LB_MAX_BACKENDS]);

/* What a service's endpoint or range says of it. */
__u32 service_ref(const struct model_service *s);

/* What the tries lb_prefixes4 and lb_prefixes6 shall hold, sorted. */
struct prefix_entry {
	__u8 family; /* 4 or 6 */
	union {
		struct lb_prefix_key4 v4;
		struct lb_prefix_key6 v6;
	} key; /* what is behind it is 0 */
	struct lb_prefix value;
};

struct prefix_set {
	struct prefix_entry *entries;
	size_t n;
	bool is_wide; /* lb_switches.wide */
};

int prefix_set_make(const struct model *m, struct prefix_set *ret); /* reports */
void prefix_set_free(struct prefix_set *set);
/* Switch lb_wide on, if it is needed. */
void prefix_set_prepare(struct state *s, const struct prefix_set *set);
/* Enter services: from now on packets are theirs.  -errno */
int prefix_set_publish(struct state *s, const struct prefix_set *set);
/* Remove what is not in @set, and switch lb_wide off if nobody needs it. */
int prefix_set_finish(struct state *s, const struct prefix_set *set);

/* The policy that chooses for @s. */
__u32 service_policy(const struct model *m, const struct model_service *s);

/*
 * Make a new table for each service of @m that @is_wanted says, and point to them, and
 * lb_previous to those of before; their generations count up in the model and in the
 * records.  Reports.
 */
int tables_flip(struct state *s, struct model *m, const bool *is_wanted);
/*
 * Which services have another table than their records want?  Those that have the right one
 * keep it, and what it says of the one before.  -ENOMEM
 */
int tables_find_wrong(struct state *s, struct model *m, bool *ret_is_wrong);
/* The tables of services by id, which are gone; -errno. */
int tables_remove(struct state *s, const bool *is_gone);

#endif /* LB_MADE_H */
