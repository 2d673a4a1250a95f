// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_service.c - services: has each a backend that takes new flows, and does what was
 * said of its backends have an effect?
 */
#include "address.h"
#include "diff.h"
#include "doctor.h"
#include "made.h"
#include "settings.h"
#include "table.h"

static void check_usable(struct doctor *d, const struct model_service *s,
			 const char *name)
{
	size_t i, usable = 0;

	for (i = 0; i < s->n_backends; i++)
		usable += backend_is_usable(&s->backends[i]);
	if (usable)
		doctor_say(d, VERDICT_OK, "service", name, NULL,
			   "%zu of %zu backends usable", usable, s->n_backends);
	else
		doctor_say(d, VERDICT_WARN, "service", name,
			   s->n_backends ? "lbctl backend set ... state active"
					 : "lbctl backend add",
			   "no backend is usable: new flows are %s",
			   on_empty_means(s->on_empty));
}

static void check_full(struct doctor *d, const struct state *state,
		       const struct model_service *s, const char *name)
{
	size_t i, limited = 0, full = 0, usable = 0;

	for (i = 0; i < s->n_backends; i++) {
		const struct model_backend *b = &s->backends[i];

		if (!backend_is_usable(b))
			continue;
		usable++;
		limited += b->max_flows != 0;
		full += b->max_flows && state->live[b->id] >= b->max_flows;
	}
	if (full && full == usable)
		doctor_say(d, VERDICT_WARN, "max-flows", name,
			   "lbctl backend add, or set ... max-flows N",
			   "all backends are full: new flows are %s",
			   on_empty_means(s->on_empty));
	else if (limited)
		doctor_say(d, VERDICT_OK, "max-flows", name, NULL,
			   "%zu of %zu backends that have it are full", full, limited);
}

/* Priorities are of one kind of table. */
static void check_priorities(struct doctor *d, const struct model *m,
			     const struct model_service *s, const char *name)
{
	__u32 policy = service_policy(m, s);
	size_t i;

	for (i = 1; i < s->n_backends; i++)
		if (s->backends[i].priority != s->backends[0].priority)
			break;
	if (i >= s->n_backends || m->policies[policy].info.meta.kind == LB_TABLE_PRIMARY)
		return;
	doctor_say(d, VERDICT_WARN, "priority", name,
		   "lbctl policy set primary-standby service ...",
		   "policy %s does not look at its backends' priorities",
		   policy_name(m, policy));
}

void doctor_services(struct doctor *d, const struct state *state, const struct model *m)
{
	char name[ENDPOINT_TEXT_SIZE];
	size_t i;

	for (i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];

		service_text(s, name);
		check_usable(d, s, name);
		check_full(d, state, s, name);
		check_priorities(d, m, s, name);
	}
}
