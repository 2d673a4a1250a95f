// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace_filter.c - the words of `lbctl trace`: which packets are asked for.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <string.h>

#include "address.h"
#include "flow_walk.h"
#include "names.h"
#include "number.h"
#include "reason.h"
#include "report.h"
#include "trace.h"

#define ALL_MAX 1000000000UL

/* Where the words are read to. */
struct reader {
	const struct state *state;
	struct trace_wish *wish;
	bool has_snap;
};

static enum outcome take_service(void *to, const char *value)
{
	struct words w = { .word = (char *[]){ (char *)value }, .n = 1 };
	struct reader *r = to;
	struct model_service *service;
	enum outcome outcome;
	struct model model;

	if (state_read(r->state, &model)) {
		report("%s: cannot read the state", r->state->dir);
		return REFUSED;
	}
	outcome = find_service(&w, &model, &service);
	if (!outcome)
		r->wish->filter.service_ref = service->id + 1;
	model_free(&model);
	return outcome;
}

static bool is_backend(const struct state *s, const struct address *address, __u16 port)
{
	int i;

	for (i = 1; i < LB_MAX_BACKENDS; i++) {
		const struct lb_backend *b = &s->backends[i];

		if (b->ref && b->family == address->family &&
		    !memcmp(b->address, address->word, sizeof(b->address)) &&
		    (!port || b->port == htons(port)))
			return true;
	}
	return false;
}

/* A backend's address alone names it on all ports. */
static enum outcome take_backend(void *to, const char *value)
{
	struct reader *r = to;
	struct lb_trace_filter *f = &r->wish->filter;
	struct address address;
	const char *wrong;
	__u16 port;

	wrong = backend_parse(value, &address, &port);
	if (wrong) {
		report("backend '%s': %s", value, wrong);
		return USAGE;
	}
	if (!is_backend(r->state, &address, port)) {
		report("backend '%s': in no service (see 'lbctl backend show')", value);
		return REFUSED;
	}
	memcpy(f->backend, address.word, sizeof(f->backend));
	f->backend_family = address.family;
	f->backend_port = htons(port);
	return DONE;
}

static enum outcome take_client(void *to, const char *value)
{
	struct reader *r = to;
	struct lb_trace_filter *f = &r->wish->filter;
	struct address network;
	unsigned int length, i;
	const char *wrong;

	wrong = network_parse(value, &network, &length);
	if (wrong) {
		report("client '%s': %s", value, wrong);
		return USAGE;
	}
	memcpy(f->client, network.word, sizeof(f->client));
	f->client_family = network.family;
	for (i = 0; i < 4 && length > i * 32; i++)
		f->mask[i] = length - i * 32 >= 32
				     ? 0xffffffff
				     : htonl(~0U << (32 - (length - i * 32)));
	return DONE;
}

static enum outcome take_state(void *to, const char *value)
{
	const char *names[LB_FLOW_STATES];
	struct reader *r = to;
	char miss[MISS_TEXT_SIZE];
	int i;

	for (i = 0; i < LB_FLOW_STATES; i++) {
		names[i] = flow_state_name(i);
		if (!strcmp(value, names[i]))
			r->wish->filter.states = 1U << i;
	}
	if (r->wish->filter.states)
		return DONE;
	report("state '%s': no such state of a flow%s", value,
	       did_you_mean(value, names, LB_FLOW_STATES, miss));
	return USAGE;
}

static enum outcome take_reason(void *to, const char *value)
{
	const char *names[LB_REASON_MAX];
	struct reader *r = to;
	char miss[MISS_TEXT_SIZE];
	int i;

	_Static_assert(LB_REASON_MAX <= 64, "lb_trace_filter.reasons is too small");
	for (i = 1; i < LB_REASON_MAX; i++) {
		names[i - 1] = reason_name(i);
		if (!strcmp(value, names[i - 1]))
			r->wish->filter.reasons = 1ULL << i;
	}
	if (r->wish->filter.reasons)
		return DONE;
	report("reason '%s': no such reason%s (see lbctl(8))", value,
	       did_you_mean(value, names, LB_REASON_MAX - 1, miss));
	return USAGE;
}

static enum outcome take_number(const char *word, const char *value, unsigned long low,
				unsigned long high, unsigned long *ret)
{
	if (number_parse(value, low, high, ret))
		return DONE;
	report("%s '%s': not a number from %lu to %lu", word, value, low, high);
	return USAGE;
}

static enum outcome take_sample(void *to, const char *value)
{
	struct reader *r = to;
	unsigned long n = 0;
	enum outcome outcome = take_number("sample", value, 1, ALL_MAX, &n);

	r->wish->filter.sample = n;
	return outcome;
}

static enum outcome take_limit(void *to, const char *value)
{
	struct reader *r = to;

	return take_number("limit", value, 1, ALL_MAX, &r->wish->limit);
}

static enum outcome take_snap(void *to, const char *value)
{
	struct reader *r = to;
	unsigned long n = 0;
	enum outcome outcome = take_number("snap", value, ETH_HLEN, LB_TRACE_SNAP, &n);

	r->wish->filter.snap = n;
	r->has_snap = true;
	return outcome;
}

static enum outcome take_file(void *to, const char *value)
{
	struct reader *r = to;

	r->wish->file = value;
	return DONE;
}

static const struct option_word options[] = {
	{ "service", "a service", take_service },
	{ "backend", "a backend", take_backend },
	{ "client", "ADDR[/LEN]", take_client },
	{ "state", "a state, as established", take_state },
	{ "reason", "a reason, as no-backend", take_reason },
	{ "sample", "a number", take_sample },
	{ "limit", "a number", take_limit },
	{ "snap", "a number of bytes", take_snap },
	{ "write", "a file", take_file },
};

enum outcome trace_words(const struct state *s, struct words *w, struct trace_wish *ret)
{
	struct reader r = { .state = s, .wish = ret };
	enum outcome outcome;

	memset(ret, 0, sizeof(*ret));
	outcome = options_parse(w, options, sizeof(options) / sizeof(options[0]), &r);
	if (outcome)
		return outcome;
	if (r.has_snap && !ret->file) {
		report("snap: says how much of a packet is written; name a file with "
		       "'write'");
		return USAGE;
	}
	/* A line says the ethertype of what is not IP, and no more of its bytes. */
	if (!r.has_snap)
		ret->filter.snap = ret->file ? TRACE_SNAP : ETH_HLEN;
	return DONE;
}
