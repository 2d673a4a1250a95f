// SPDX-License-Identifier: GPL-2.0-only
/*
 * admissions.c - when a backend may take a new flow: its limit, and since when it is usable.
 *
 * Whoever becomes usable begins slowly, if its service says so.  But where nobody else is
 * usable, nobody else could have the flows meanwhile: there a backend has always been.
 */
#include "admissions.h"

#include "table.h"

#define ALWAYS 0 /* jiffies count from far above */

static bool has_usable(const struct model_service *s)
{
	size_t i;

	for (i = 0; i < s->n_backends; i++)
		if (backend_is_usable(&s->backends[i]))
			return true;
	return false;
}

/* @was: the same service before, or NULL. */
static bool was_usable(const struct model_service *was, const struct model_backend *b)
{
	const struct model_backend *old =
		was ? model_find_backend(was, &b->address, b->port) : NULL;

	return old && old->id == b->id && backend_is_usable(old);
}

static void write_service(struct state *s, const struct model_service *was,
			  const struct model_service *service, __u64 now)
{
	__u64 joined = was && has_usable(was) ? now : ALWAYS;
	size_t i;

	for (i = 0; i < service->n_backends; i++) {
		const struct model_backend *b = &service->backends[i];
		struct lb_admission *record = &s->admissions[b->id];

		if (record->max_flows != b->max_flows)
			__atomic_store_n(&record->max_flows, b->max_flows,
					 __ATOMIC_RELEASE);
		if (backend_is_usable(b) && !was_usable(was, b))
			__atomic_store_n(&record->joined, joined, __ATOMIC_RELEASE);
	}
}

int admissions_write(struct state *s, const struct model *from, const struct model *to)
{
	struct lb_clock now = {};
	int err = state_clock(s, &now);
	size_t i;

	for (i = 0; i < to->n_services && !err; i++) {
		const struct model_service *service = &to->services[i];
		const struct model_service *was = model_find_same(from, service);

		write_service(s, was && was->id == service->id ? was : NULL, service,
			      now.jiffies);
	}
	return err;
}

__u32 admission_flags(const struct model_service *s)
{
	__u32 flags = 0;
	size_t i;

	if (s->per_packet)
		return 0;
	if (s->client_ms)
		flags |= LB_TABLE_F_CLIENT | LB_TABLE_F_ADMIT;
	if (s->slow_start_ms)
		flags |= LB_TABLE_F_ADMIT;
	for (i = 0; i < s->n_backends; i++)
		if (backend_is_usable(&s->backends[i]) && s->backends[i].max_flows)
			flags |= LB_TABLE_F_ADMIT;
	return flags;
}
