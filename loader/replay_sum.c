// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay_sum.c - packets that were tried, summed up by flow, backend and reason.
 *
 * Names are what two configurations have in common: ids need not be the same in both.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "replay.h"
#include "trace.h"

#define KEY_SIZE (TRACE_TEXT_SIZE + ENDPOINT_TEXT_SIZE)

int replay_sum_init(struct replay_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->flows = json_object();
	sum->backends = json_object();
	return sum->flows && sum->backends ? 0 : -ENOMEM;
}

void replay_sum_free(struct replay_sum *sum)
{
	json_decref(sum->flows);
	json_decref(sum->backends);
}

/* All keys begin with the client; in the large table it may be of IPv4 as well. */
static char *client_text(const struct lb_pkt *pkt, char *ret)
{
	const struct lb_flow_key4 *key4 = (const void *)pkt->key;
	const struct lb_flow_key6 *key6 = (const void *)pkt->key;
	struct address a;

	if (pkt->table == 4) {
		a = address_from_words(4, (const __be32 *)pkt->key);
		return backend_format(&a, ntohs(key4->port), ret);
	}
	a = address_from_words(pkt->family, key6->client);
	return backend_format(&a, ntohs(key6->port), ret);
}

static void add(json_t *row, const char *key, __u64 n)
{
	json_object_set_new(
		row, key,
		json_integer(json_integer_value(json_object_get(row, key)) + n));
}

static json_t *row_of(struct replay_sum *sum, const char *service, const char *backend)
{
	char key[KEY_SIZE];
	json_t *row;

	snprintf(key, sizeof(key), "%s %s", service, backend);
	row = json_object_get(sum->backends, key);
	if (!row) {
		row = json_object();
		json_object_set_new(sum->backends, key, row);
	}
	return row;
}

/* A flow is where its first packet went that went anywhere. */
static void count_flow(struct replay_sum *sum, const char *service, const char *client,
		       const char *backend)
{
	char key[KEY_SIZE];
	const char *was;

	snprintf(key, sizeof(key), "%s %s", service, client);
	was = json_string_value(json_object_get(sum->flows, key));
	if (was && (strcmp(was, "-") || !strcmp(backend, "-")))
		return;
	if (was)
		add(row_of(sum, service, "-"), "flows", -1);
	json_object_set_new(sum->flows, key, json_string(backend));
	add(row_of(sum, service, backend), "flows", 1);
}

void replay_count(struct replay_sum *sum, const struct state *s,
		  const struct packet_read *packet, const struct aside_result *r)
{
	const struct trace_names names = { .state = s };
	struct lb_trace_event e = {};
	char service[TRACE_TEXT_SIZE], backend[TRACE_TEXT_SIZE],
		client[ENDPOINT_TEXT_SIZE];
	json_t *row;

	sum->packets++;
	sum->reasons[r->pkt && r->pkt->reason < LB_REASON_MAX ? r->pkt->reason
							      : LB_REASON_NONE]++;
	if (!r->pkt || r->pkt->service >= LB_MAX_SERVICES)
		return;
	e.service = r->pkt->service;
	e.backend = LB_BACKEND_REF_ID(r->pkt->backend);
	if (!trace_service(&names, &e, service))
		return;
	if (!trace_backend(&names, &e, backend))
		strcpy(backend, "-");
	row = row_of(sum, service, backend);
	add(row, "packets", 1);
	add(row, "bytes", packet->was);
	if (!(r->pkt->flags & LB_PKT_ERROR) && r->pkt->table)
		count_flow(sum, service, client_text(r->pkt, client), backend);
}
