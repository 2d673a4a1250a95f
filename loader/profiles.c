// SPDX-License-Identifier: GPL-2.0-only
/*
 * profiles.c - services' timeouts, shared as profiles of lb_profiles.
 *
 * A flow's bucket has five bits for its profile, so services with the same timeouts share
 * one.  A flow keeps the number: if nobody else has the profile of a service, the profile
 * itself is changed and old flows follow; else the service moves to another one.
 */
#include "profiles.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report.h"

/* What a service gets that says nothing, in seconds. */
static const __u32 default_timeout[LB_FLOW_STATES] = {
	[LB_FLOW_HALF_OPEN] = 60,   [LB_FLOW_ESTABLISHED] = 8000,
	[LB_FLOW_CLIENT_FIN] = 120, [LB_FLOW_BACKEND_FIN] = 120,
	[LB_FLOW_CLOSED] = 10,	    [LB_FLOW_DATAGRAM] = 30,
	[LB_FLOW_ANSWERED] = 30,    [LB_FLOW_STREAM] = 120,
};

/* Which keyword sets which states' timeouts; ICMP's states are UDP's. */
static const struct {
	bool tcp;
	enum model_timeout timeout;
	enum lb_flow_state state;
} sets[] = {
	{ true, TIMEOUT_IDLE, LB_FLOW_ESTABLISHED },
	{ true, TIMEOUT_HALF_OPEN, LB_FLOW_HALF_OPEN },
	{ true, TIMEOUT_CLOSING, LB_FLOW_CLIENT_FIN },
	{ true, TIMEOUT_CLOSING, LB_FLOW_BACKEND_FIN },
	{ true, TIMEOUT_CLOSED, LB_FLOW_CLOSED },
	{ false, TIMEOUT_IDLE, LB_FLOW_DATAGRAM },
	{ false, TIMEOUT_IDLE, LB_FLOW_ANSWERED },
	{ false, TIMEOUT_IDLE, LB_FLOW_STREAM },
};

#define N_SETS (sizeof(sets) / sizeof(sets[0]))

struct lb_profile profile_default(__u32 hz)
{
	struct lb_profile p;
	int i;

	for (i = 0; i < LB_FLOW_STATES; i++)
		p.timeout[i] = default_timeout[i] * hz;
	return p;
}

void profile_read(const struct state *s, const struct lb_service *record,
		  struct model_service *ret)
{
	const struct lb_profile *p = &s->profiles[record->profile % LB_MAX_PROFILES];
	__u32 hz = s->config->params.hz;
	size_t i;

	ret->timeout_set = record->timeout_set;
	for (i = 0; i < N_SETS && hz; i++)
		if (sets[i].tcp == (record->protocol == IPPROTO_TCP) &&
		    record->timeout_set & 1U << sets[i].timeout)
			ret->timeout_ms[sets[i].timeout] =
				clock_ms(p->timeout[sets[i].state], hz);
}

static struct lb_profile profile_of(const struct model_service *s, __u32 hz)
{
	struct lb_profile p = profile_default(hz);
	size_t i;

	for (i = 0; i < N_SETS; i++)
		if (sets[i].tcp == (s->protocol == IPPROTO_TCP) &&
		    s->timeout_set & 1U << sets[i].timeout)
			p.timeout[sets[i].state] =
				clock_jiffies(s->timeout_ms[sets[i].timeout], hz);
	return p;
}

static bool is_same(const struct lb_profile *a, const struct lb_profile *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* The profile that the service has in the kernel; -1: the service is new. */
static int own_profile(const struct state *s, const struct model_service *service)
{
	if (service->id < 0 || !s->services[service->id].state)
		return -1;
	return s->services[service->id].profile % LB_MAX_PROFILES;
}

/* The profile that holds @p; else one to write it to; else -1. */
static int find_profile(const struct profile_plan *plan, const unsigned int *users,
			const struct model_service *service, const struct state *s,
			const struct lb_profile *p)
{
	int i, own = own_profile(s, service);

	for (i = 0; i < LB_MAX_PROFILES; i++)
		if ((users[i] || !i) && is_same(&plan->profile[i], p))
			return i;
	if (own > 0 && users[own] == 1)
		return own;
	for (i = 1; i < LB_MAX_PROFILES; i++)
		if (!users[i])
			return i;
	return -1;
}

static int plan_service(const struct state *s, const struct model *m, size_t index,
			unsigned int *users, struct profile_plan *plan)
{
	const struct model_service *service = &m->services[index];
	struct lb_profile p = profile_of(service, s->config->params.hz);
	int to = find_profile(plan, users, service, s, &p), own = own_profile(s, service);

	if (to < 0) {
		report("there can be %d different sets of timeouts, and all are in use",
		       LB_MAX_PROFILES);
		return -ENOSPC;
	}
	if (own >= 0)
		users[own]--;
	users[to]++;
	plan->profile[to] = p;
	plan->of_service[index] = to;
	return 0;
}

int profiles_plan(const struct state *s, const struct model *m, struct profile_plan *ret)
{
	unsigned int users[LB_MAX_PROFILES] = {};
	int i, err = 0;
	size_t n;

	memcpy(ret->profile, s->profiles, sizeof(ret->profile));
	ret->of_service = calloc(m->n_services ? m->n_services : 1, sizeof(__u32));
	if (!ret->of_service) {
		report("out of memory");
		return -ENOMEM;
	}
	for (i = 0; i < LB_MAX_SERVICES; i++)
		if (s->services[i].state)
			users[s->services[i].profile % LB_MAX_PROFILES]++;
	for (n = 0; n < m->n_services && !err; n++)
		err = plan_service(s, m, n, users, ret);
	if (err)
		profiles_free(ret);
	return err;
}

void profiles_write(struct state *s, const struct profile_plan *plan)
{
	int i, state;

	for (i = 0; i < LB_MAX_PROFILES; i++)
		for (state = 0; state < LB_FLOW_STATES; state++)
			__atomic_store_n(&s->profiles[i].timeout[state],
					 plan->profile[i].timeout[state],
					 __ATOMIC_RELEASE);
}

void profiles_free(struct profile_plan *plan)
{
	free(plan->of_service);
	plan->of_service = NULL;
}
