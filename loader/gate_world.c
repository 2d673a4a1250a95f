// SPDX-License-Identifier: GPL-2.0-only
/*
 * gate_world.c - a policy is asked: what was planned, in one run; what it answered.
 */
#include "gate_world.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "address.h"

#define LIVE 512 /* flows that live at once */

void gate_plan(struct gate *g)
{
	g->n_parts = g->n_answers = 0;
}

const struct gate_part *gate_plan_part(struct gate *g, enum lb_table_kind kind,
				       enum gate_set_name set, __u32 flow, __u32 step,
				       __u32 n)
{
	struct gate_part *part = &g->part[g->n_parts];

	/* One part is kept for the time at which the last one ends. */
	if (g->n_parts == LB_TRIAL_PARTS - 1 || g->n_answers + n >= LB_TRIAL_ANSWERS) {
		g->err = -E2BIG;
		return part;
	}
	*part = (struct gate_part){ .kind = kind,
				    .set = set,
				    .n = n,
				    .flow = flow,
				    .step = step,
				    .answer = &g->trial->answer[g->n_answers] };
	g->trial->parts[g->n_parts++] = (struct lb_trial_part){
		.service = kind * GATE_SETS + set,
		.flow = flow,
		.step = step,
		.n = n,
	};
	g->n_answers += n;
	return part;
}

/* A datagram, for policies that look into packets. */
static const __u8 frame[64] = {
	[12] = 0x08, [14] = 0x45, [17] = 50, [22] = 64, [23] = IPPROTO_UDP, [26] = 192,
	[28] = 2,    [29] = 1,	  [30] = 10, [33] = 10, [37] = 80,	    [39] = 30,
};

/* Ask @n times, from where it stands; the ns each took. */
static __u32 ask(struct gate *g, __u32 n)
{
	__u8 out[sizeof(frame) + 64];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame), .data_out = out,
		    .data_size_out = sizeof(out), .repeat = n);

	if (bpf_prog_test_run_opts(g->ask, &opts) && errno != EINTR)
		g->err = -errno;
	return opts.duration;
}

static void begin(struct gate *g)
{
	struct lb_trial *t = g->trial;

	t->part = t->at = t->next = 0;
	t->live = LIVE;
	t->parts[g->n_parts] = (struct lb_trial_part){ .n = 1 };
	memset(t->answer, 0, sizeof(t->answer));
	memset(g->records->live, 0, sizeof(g->records->live));
}

void gate_run(struct gate *g)
{
	__u32 i;

	if (g->err)
		return;
	begin(g);
	/* A signal ends a run; the next one goes on.  The one too many stamps the end. */
	while (g->trial->next <= g->n_answers && !g->err)
		ask(g, g->n_answers + 1 - g->trial->next);
	for (i = 0; i < g->n_parts; i++)
		g->part[i].ns =
			(g->trial->parts[i + 1].began - g->trial->parts[i].began) /
			g->part[i].n;
}

__u32 gate_run_singly(struct gate *g)
{
	__u32 ns, least = ~0U;

	begin(g);
	while (g->trial->next < g->n_answers && !g->err) {
		ns = ask(g, 1);
		least = ns < least ? ns : least;
	}
	return least;
}

bool gate_fail(struct gate *g, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!g->why[0])
		vsnprintf(g->why, sizeof(((struct gate_result *)0)->why), format, args);
	va_end(args);
	return false;
}

char *gate_flow_text(const struct gate *g, const struct gate_part *part, __u32 i,
		     char *ret)
{
	const struct lb_trial_flow *flow = &g->trial->flow[part->flow + i * part->step];
	struct address a = address_from_words(flow->family, flow->client);
	char text[ENDPOINT_TEXT_SIZE];

	snprintf(ret, GATE_FLOW_TEXT_SIZE, "%s/%s",
		 backend_format(&a, ntohs(flow->port), text),
		 protocol_name(flow->protocol));
	return ret;
}

__u32 gate_chosen(const struct gate *g, const struct gate_part *part, __u32 i)
{
	__u32 number = part->answer[i] + 1 - g->service[part->kind][part->set].first;

	return number <= gate_sets[part->set].n ? number : 0;
}

static bool is_answer(const struct gate *g, const struct gate_part *part, __u32 i)
{
	if (part->answer[i] == LB_TRIAL_REFUSED(LB_REASON_POLICY_DROP))
		return true;
	return gate_chosen(g, part, i) && g->quota[part->answer[i]];
}

static bool fail_answer(struct gate *g, const struct gate_part *part, __u32 i)
{
	__u32 n_slots = g->service[part->kind][part->set].table->n_slots;
	char flow[GATE_FLOW_TEXT_SIZE];

	gate_flow_text(g, part, i, flow);
	if (part->answer[i] == LB_TRIAL_LOST)
		return gate_fail(g, "range: ends the packet of %s itself", flow);
	if (part->answer[i] == LB_TRIAL_REFUSED(LB_REASON_BAD_SLOT))
		return gate_fail(g, "range: answers none of %u slots for %s", n_slots,
				 flow);
	return gate_fail(g, "range: answers no usable backend for %s", flow);
}

bool gate_answers(struct gate *g)
{
	__u32 p, i;

	for (p = 0; p < g->n_parts && !g->err; p++)
		for (i = 0; i < g->part[p].n; i++)
			if (!is_answer(g, &g->part[p], i))
				return fail_answer(g, &g->part[p], i);
	return !g->err;
}
