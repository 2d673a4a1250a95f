// SPDX-License-Identifier: GPL-2.0-only
/*
 * whole.c - what a file that says all that shall be keeps of what there is, and what it may
 * not end.
 */
#include "change.h"
#include "check.h"
#include "flow_walk.h"

/* What is kept of what a whole file names again: ids, and so flows and counters. */
enum outcome whole_recognize(struct model *to, const struct model *from)
{
	enum outcome outcome;
	size_t i, j;

	for (i = 0; i < to->n_services; i++) {
		struct model_service *new = &to->services[i];
		const struct model_service *old;

		old = model_find_same(from, new);
		if (!old)
			continue;
		outcome = check_change(old, new);
		if (outcome)
			return outcome;
		new->id = old->id;
		new->since = old->since;
		new->generation = old->generation;

		for (j = 0; j < new->n_backends; j++) {
			struct model_backend *b = &new->backends[j];
			const struct model_backend *was;

			was = model_find_backend(old, &b->address, b->port);
			if (!was)
				continue;
			b->id = was->id;
			b->ref = was->ref;
			b->since = was->since;
		}
	}
	return DONE;
}

/* A file must not end flows unasked by leaving out a backend. */
enum outcome whole_check_removed(const struct change *c, const struct model *from)
{
	size_t i, j;

	for (i = 0; i < from->n_services; i++) {
		const struct model_service *old = &from->services[i], *new;

		new = model_find_same(c->to, old);
		for (j = 0; new &&j < old->n_backends; j++) {
			const struct model_backend *b = &old->backends[j];

			if (model_find_backend(new, &b->address, b->port))
				continue;
			if (backend_has_flows(c->state, old, b,
					      "drain it first, or 'apply FILE force'"))
				return REFUSED;
		}
	}
	return DONE;
}
