// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_wait.c - `backend drain ... wait TIME` and `backend del ... wait TIME`.
 *
 * The backend was put into drain before; here its flows are counted until there are none
 * or the time is over, and whoever waits sees them go.  No lock is held meanwhile: others
 * may change what they like, also this backend.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "change.h"
#include "flow_walk.h"
#include "names.h"
#include "report.h"

#define STEP_MS 200  /* between two looks at the flow table */
#define TELL_MS 1000 /* between two lines about it */

static __u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void sleep_ms(__u64 ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* The backends that the user's words name, as flows know them. */
static size_t collect_refs(const struct change *c, const struct model *m, __u32 *ret)
{
	struct service_name name = {};
	struct address address;
	__u16 port;
	bool all = !strcmp(c->wait_service, "all");
	size_t i, j, n = 0;

	if (!all && service_parse(c->wait_service, &name))
		return 0;
	if (backend_parse(c->wait_backend, &address, &port))
		return 0;

	for (i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];

		if (!all && s != model_find_service(m, &name))
			continue;
		for (j = 0; j < s->n_backends; j++)
			if (backend_is_meant(s, &s->backends[j], &address, port, all))
				ret[n++] = s->backends[j].ref;
	}
	return n;
}

/* How many flows are left, for whoever watches. */
struct progress {
	bool json;
	__u64 told, told_ms; /* the last line, and when */
};

static void tell(struct progress *p, const struct change *c, __u64 n, __u64 now)
{
	if (n == p->told || (n && p->told_ms && now - p->told_ms < TELL_MS))
		return;
	if (p->json)
		printf("{\"flows_left\":%llu}\n", n);
	else
		printf("backend %s: %llu flow%s left\n", c->wait_backend, n,
		       n == 1 ? "" : "s");
	fflush(stdout);
	p->told = n;
	p->told_ms = now;
}

/* Until there are no flows; how many are left when the time is over. */
static enum outcome watch(const struct change *c, struct state *state,
			  const struct flow_filter *f)
{
	struct progress progress = { .json = c->lbctl->json };
	__u64 n, end = now_ms() + c->wait_ms;

	for (;;) {
		__u64 now = now_ms();

		if (flow_number(state, f, &n)) {
			report("flows cannot be counted");
			return REFUSED;
		}
		tell(&progress, c, n, now);
		if (!n)
			return DONE;
		if (now >= end)
			break;
		sleep_ms(end - now < STEP_MS ? end - now : STEP_MS);
	}
	report("backend '%s': %llu live flow%s left; it stays in drain", c->wait_backend,
	       n, n == 1 ? "" : "s");
	return REFUSED;
}

static enum outcome wait_for(const struct change *c, struct state *state)
{
	struct flow_filter f = { .states = ~(1U << LB_FLOW_CLOSED), .by_backend = true };
	enum outcome outcome;
	struct model m;

	f.refs = calloc(LB_MAX_BACKENDS, sizeof(*f.refs));
	if (!f.refs || state_read(state, &m)) {
		free(f.refs);
		report("%s: cannot read the state", state->dir);
		return REFUSED;
	}
	f.n_refs = collect_refs(c, &m, f.refs);
	model_free(&m);
	outcome = watch(c, state, &f);
	free(f.refs);
	return outcome;
}

static enum outcome delete_now(const struct change *c)
{
	char *word[] = { (char *)"backend", (char *)"del", (char *)c->wait_service,
			 (char *)c->wait_backend };
	struct words w = { .word = word, .n = 4 };

	return command_run(c->lbctl, &w);
}

enum outcome backend_wait(const struct change *c)
{
	enum outcome outcome;
	struct state state;

	if (state_open(&state, &c->lbctl->where, STATE_READ))
		return REFUSED;
	outcome = wait_for(c, &state);
	state_close(&state);

	if (!outcome && c->wait_then_del)
		return delete_now(c);
	return outcome;
}
