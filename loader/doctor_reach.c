// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_reach.c - dsr, ipip and gue: has each backend the service's address, and a tunnel
 * device to get it out of?
 */
#include <stdio.h>
#include <stdlib.h>

#include "address.h"
#include "doctor.h"
#include "probe.h"
#include "table.h"
#include "ways.h"

#define MAX_PROBES 256 /* of more backends, these */

/* Is it one address, so that it can be asked for? */
static bool may_ask(const struct model_service *s)
{
	bool is_one_way = s->forward == LB_FORWARD_DSR || s->forward == LB_FORWARD_IPIP ||
			  s->forward == LB_FORWARD_GUE;

	return is_one_way && s->prefix == (s->address.family == 4 ? 32 : 128);
}

static bool is_there(const struct probe *probes, size_t n, const struct probe *wanted)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (probes[i].forward == wanted->forward &&
		    !address_compare(&probes[i].service, &wanted->service) &&
		    !address_compare(&probes[i].backend, &wanted->backend))
			return true;
	return false;
}

/* An answer to the service's address would stay with the backend. */
static bool prepare(const struct ways *w, const struct model_service *s,
		    const struct model_backend *b, struct probe *ret)
{
	struct way way;

	if (b->state == LB_BACKEND_DOWN || b->address.family != s->address.family ||
	    !way_check(w, s, b, &way) || !way.route.source.family ||
	    !address_compare(&way.route.source, &s->address))
		return false;
	*ret = (struct probe){ .forward = s->forward,
			       .service = s->address,
			       .backend = b->address,
			       .source = way.route.source,
			       .ifindex = way.route.ifindex };
	return true;
}

static size_t collect(const struct snapshot *s, struct probe probes[MAX_PROBES])
{
	struct probe probe;
	struct ways ways;
	size_t i, j, n = 0;

	ways_open(&ways, &s->state);
	for (i = 0; i < s->model.n_services; i++) {
		const struct model_service *service = &s->model.services[i];

		for (j = 0; may_ask(service) && j < service->n_backends; j++)
			if (n < MAX_PROBES &&
			    prepare(&ways, service, &service->backends[j], &probe) &&
			    !is_there(probes, n, &probe))
				probes[n++] = probe;
	}
	ways_close(&ways);
	return n;
}

static void say(struct doctor *d, const struct probe *p)
{
	char service[ADDRESS_TEXT_SIZE], backend[ADDRESS_TEXT_SIZE], remedy[REMEDY_SIZE];
	bool is_dsr = p->forward == LB_FORWARD_DSR;

	address_format(&p->service, service);
	address_format(&p->backend, backend);
	snprintf(remedy, sizeof(remedy), "there: ip addr add %s dev lo%s", service,
		 is_dsr ? "" : ", a tunnel device, rp_filter=2 on it");
	if (p->takes)
		doctor_say(d, VERDICT_OK, "address", backend, NULL,
			   "takes packets for %s%s", service,
			   is_dsr ? "" : " out of a tunnel");
	else if (p->answers)
		doctor_say(d, VERDICT_FAIL, "address", backend, remedy,
			   "answers pings, but none to %s%s", service,
			   is_dsr ? "" : " in a tunnel");
	else
		doctor_say(d, VERDICT_OK, "address", backend, NULL,
			   "answers no pings: it cannot be told whether it has %s",
			   service);
}

void doctor_reach(struct doctor *d, const struct snapshot *s)
{
	struct probe *probes = calloc(MAX_PROBES, sizeof(*probes));
	size_t i, n;

	if (!probes)
		return;
	n = collect(s, probes);
	if (n && !probe_all(probes, n))
		for (i = 0; i < n; i++)
			say(d, &probes[i]);
	free(probes);
}
