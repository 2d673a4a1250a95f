// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend_wait.c - `backend drain ... wait TIME` and `backend del ... wait TIME`.
 *
 * The backend was put into drain before; here its flows are counted until there are none
 * or the time is over.  No lock is held meanwhile: others may change what they like, also
 * this backend.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "change.h"
#include "flow_walk.h"
#include "names.h"
#include "report.h"

#define STEP_MS 200 /* between two looks at the flow table */

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
	size_t i, n = 0;

	if (!all && service_parse(c->wait_service, &name))
		return 0;
	if (backend_parse(c->wait_backend, &address, &port))
		return 0;

	for (i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];
		const struct model_backend *b;

		if (!all && s != model_find_service(m, &name))
			continue;
		b = model_find_backend(s, &address, model_backend_port(s, port));
		if (b)
			ret[n++] = b->ref;
	}
	return n;
}

static enum outcome wait_for(const struct change *c, struct state *state)
{
	__u64 n, end = now_ms() + c->wait_ms;
	struct flow_filter f = { .states = ~(1U << LB_FLOW_CLOSED), .by_backend = true };
	struct model m;

	f.refs = calloc(LB_MAX_SERVICES, sizeof(*f.refs));
	if (!f.refs || state_read(state, &m)) {
		free(f.refs);
		report("%s: cannot read the state", state->dir);
		return REFUSED;
	}
	f.n_refs = collect_refs(c, &m, f.refs);
	model_free(&m);

	for (;;) {
		__u64 now = now_ms();

		if (flow_number(state, &f, &n)) {
			report("flows cannot be counted");
			n = 1;
			break;
		}
		if (!n)
			break;
		if (now >= end) {
			report("backend '%s': %llu live flow%s left; it stays in drain",
			       c->wait_backend, n, n == 1 ? "" : "s");
			break;
		}
		sleep_ms(end - now < STEP_MS ? end - now : STEP_MS);
	}
	free(f.refs);
	return n ? REFUSED : DONE;
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
