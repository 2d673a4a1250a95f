// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_stage.c - what each stage of the chain did with a packet, in a few words.
 *
 * lb_explain wrote down what each stage was told; what it did is how the next one was told
 * otherwise.
 */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain.h"
#include "flow_walk.h"
#include "generation.h"
#include "reason.h"
#include "settings.h"
#include "trace.h"

/* A stage of a packet's way. */
struct look {
	const struct explained *x;
	const struct lb_step *step;
	const struct lb_pkt *after; /* NULL: it ended there without a word */
	enum lb_stage next;	    /* LB_STAGE_TRACE: none */
};

static const char *service_name(const struct look *l, char *ret)
{
	const struct trace_names names = { .state = l->x->state };
	const struct lb_trace_event e = { .service = l->after->service };

	return trace_service(&names, &e, ret) ?: "a service that has gone";
}

static const char *backend_name(const struct look *l, __u32 ref, char *ret)
{
	const struct trace_names names = { .state = l->x->state };
	const struct lb_trace_event e = { .backend = LB_BACKEND_REF_ID(ref) };

	return trace_backend(&names, &e, ret) ?: "a backend that has gone";
}

static const char *reason_means(const struct lb_pkt *pkt)
{
	return pkt->reason < LB_REASON_MAX ? reason_info[pkt->reason].means : "?";
}

static bool is_served(const struct lb_pkt *pkt)
{
	return pkt->service < LB_MAX_SERVICES;
}

/* ---- who finds ---------------------------------------------------------------------- */

static const char *go_on(enum lb_stage next)
{
	switch (next) {
	case LB_STAGE_WIDE:
		return "no service of one address and port: maybe one of several";
	case LB_STAGE_REPLY:
		return "from a backend: maybe a reply";
	case LB_STAGE_ICMP:
		return "an ICMP error: maybe about a flow";
	default:
		return NULL;
	}
}

static void say_found(const struct look *l, char *ret)
{
	char service[TRACE_TEXT_SIZE], backend[TRACE_TEXT_SIZE];
	const char *further = go_on(l->next);
	int n;

	if (further || !is_served(l->after)) {
		snprintf(ret, EXPLAIN_TEXT_SIZE, "%s", further ?: reason_means(l->after));
		return;
	}
	n = snprintf(ret, EXPLAIN_TEXT_SIZE, "%s, %s: ", service_name(l, service),
		     forward_name(l->x->state->services[l->after->service].forward));
	ret += n;
	if (l->next == LB_STAGE_POLICY || l->next == LB_STAGE_CLIENT ||
	    l->next == LB_STAGE_UNKNOWN || !l->after->version)
		snprintf(ret, EXPLAIN_TEXT_SIZE - n, "no flow");
	else
		snprintf(ret, EXPLAIN_TEXT_SIZE - n, "a known flow, %s, %s %s",
			 flow_state_name(LB_WAY_STATE(l->after->way)),
			 l->after->direction == LB_TO_CLIENT ? "a reply of" : "to",
			 backend_name(l, l->after->backend, backend));
}

/* ---- who chooses -------------------------------------------------------------------- */

/* The slots of service @service's table in @tables that name @backend. */
static __u32 count_slots(int tables, __u32 service, const struct lb_table *table,
			 __u32 backend, __u32 *ret_first)
{
	struct lb_table_slots chunk;
	__u32 id, n = 0, slot, at;
	int fd = bpf_map_lookup_elem(tables, &service, &id) ? -1
							    : bpf_map_get_fd_by_id(id);

	for (slot = 0; fd >= 0 && slot < table->n_slots; slot++) {
		at = 1 + slot / LB_TABLE_CHUNK;
		if (slot % LB_TABLE_CHUNK == 0 && bpf_map_lookup_elem(fd, &at, &chunk))
			break;
		if (chunk.id[slot % LB_TABLE_CHUNK] != backend)
			continue;
		if (!n++)
			*ret_first = slot;
	}
	if (fd >= 0)
		close(fd);
	return n;
}

static void say_chosen(const struct look *l, const struct lb_table *table, int tables,
		       char *ret)
{
	__u32 backend = LB_BACKEND_REF_ID(l->after->backend), first = 0, n;
	char name[TRACE_TEXT_SIZE];

	if (!backend) {
		snprintf(ret, EXPLAIN_TEXT_SIZE / 2, "no backend");
		return;
	}
	n = count_slots(tables, l->after->service, table, backend, &first);
	backend_name(l, backend, name);
	if (n == 1)
		snprintf(ret, EXPLAIN_TEXT_SIZE / 2, "slot %u of %u, %s", first,
			 table->n_slots, name);
	else if (n)
		snprintf(ret, EXPLAIN_TEXT_SIZE / 2, "one of its %u slots of %u, %s", n,
			 table->n_slots, name);
	else
		snprintf(ret, EXPLAIN_TEXT_SIZE / 2, "%s, by itself", name);
}

static void say_policy(const struct look *l, char *ret)
{
	const struct lb_policy_info *policy =
		&l->x->state->policies[l->step->place.slot % LB_MAX_POLICIES];
	bool previous = (l->step->pkt.flags & LB_PKT_UNKNOWN) &&
			l->step->pkt.attempt == LB_UNKNOWN_PREVIOUS;
	const struct state *s = l->x->state;
	struct generations all;
	struct generation g;
	const struct lb_table *table;
	char chosen[EXPLAIN_TEXT_SIZE / 2];

	generations_open(s, &all);
	g = generation_of(&all, l->step->pkt.service % LB_MAX_SERVICES);
	table = previous ? &g.previous : &g.table;
	say_chosen(l, table, previous ? s->previous_fd : s->tables_fd, chosen);
	snprintf(ret, EXPLAIN_TEXT_SIZE, "%s, generation %u%s, %s table: %s",
		 policy->meta.name, table->generation,
		 previous ? " (the one before)" : "", table_kind_name(table->kind),
		 chosen);
}

static void say_client(const struct look *l, char *ret)
{
	char backend[TRACE_TEXT_SIZE];

	if (l->next == LB_STAGE_POLICY)
		snprintf(ret, EXPLAIN_TEXT_SIZE,
			 "persistence client: it is not remembered");
	else
		snprintf(ret, EXPLAIN_TEXT_SIZE, "persistence client: it was at %s",
			 backend_name(l, l->after->backend, backend));
}

static void say_unknown(const struct look *l, char *ret)
{
	char backend[TRACE_TEXT_SIZE];

	if (l->next == LB_STAGE_POLICY)
		snprintf(
			ret, EXPLAIN_TEXT_SIZE,
			"TCP without a flow and no SYN: the policy is asked whose it was");
	else if (l->next != LB_STAGE_TRACE && l->next != LB_STAGE_ANSWER &&
		 LB_BACKEND_REF_ID(l->after->backend))
		snprintf(ret, EXPLAIN_TEXT_SIZE, "it was of %s",
			 backend_name(l, l->after->backend, backend));
	else
		snprintf(ret, EXPLAIN_TEXT_SIZE,
			 "TCP without a flow and no SYN, and no consistent policy: as "
			 "on-unknown says");
}

static void say_admit(const struct look *l, char *ret)
{
	char backend[TRACE_TEXT_SIZE];

	if (l->next == LB_STAGE_POLICY)
		snprintf(ret, EXPLAIN_TEXT_SIZE, "%s takes no more: once more",
			 backend_name(l, l->step->pkt.backend, backend));
	else if (l->next == LB_STAGE_TRACE || l->next == LB_STAGE_ANSWER)
		snprintf(ret, EXPLAIN_TEXT_SIZE, "%s", reason_means(l->after));
	else
		snprintf(ret, EXPLAIN_TEXT_SIZE, "%s may have it",
			 backend_name(l, l->after->backend, backend));
}

/* ---- who sends ---------------------------------------------------------------------- */

static void say_sent(const struct look *l, char *ret)
{
	const struct aside_result *r = &l->x->result;
	char text[FRAME_TEXT_SIZE];
	struct frame out;

	if (l->next == LB_STAGE_ANSWER) {
		snprintf(ret, EXPLAIN_TEXT_SIZE, "%s", reason_means(l->after));
		return;
	}
	if (r->verdict != XDP_TX && r->verdict != XDP_REDIRECT &&
	    r->verdict != XDP_PASS) {
		snprintf(ret, EXPLAIN_TEXT_SIZE, "not sent");
		return;
	}
	frame_read(r->packet, r->length, &out);
	snprintf(ret, EXPLAIN_TEXT_SIZE, "%s, %u bytes", frame_text(&out, text),
		 r->length);
}

char *explain_stage(const struct explained *x, __u32 i, char *ret)
{
	const struct aside_result *r = &x->result;
	struct look l = { .x = x, .step = &r->step[i], .next = LB_STAGE_TRACE };

	l.after = r->pkt;
	if (i + 1 < r->n_steps) {
		l.after = &r->step[i + 1].pkt;
		l.next = r->step[i + 1].place.stage;
	}
	if (!l.after) {
		snprintf(ret, EXPLAIN_TEXT_SIZE, "ends the packet by itself");
		return ret;
	}
	switch (l.step->place.stage) {
	case LB_STAGE_PARSE:
	case LB_STAGE_WIDE:
	case LB_STAGE_REPLY:
	case LB_STAGE_ICMP:
		say_found(&l, ret);
		break;
	case LB_STAGE_POLICY:
		say_policy(&l, ret);
		break;
	case LB_STAGE_CLIENT:
		say_client(&l, ret);
		break;
	case LB_STAGE_UNKNOWN:
		say_unknown(&l, ret);
		break;
	case LB_STAGE_ADMIT:
		say_admit(&l, ret);
		break;
	default:
		say_sent(&l, ret);
	}
	return ret;
}
