// SPDX-License-Identifier: GPL-2.0-only
/*
 * path.c - one row: its balancer, its flows, its frame, and what the counters say.
 *
 * The balancer's own counters tell which way each packet went.  A figure of another way than
 * the row's name says would be worse than none.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "frame.h"
#include "path.h"

/* Flows made to fill a table are of other numbers than those which then push them out. */
#define BEHIND_ALL (1U << 30)

/* ---- flows -------------------------------------------------------------------- */

void path_make_flows(int prog, const struct row *row, __u32 first, __u32 n)
{
	struct measure_frame f = frame_from_client(row, TH_SYN);

	f.flows = n > 1 ? 0 : 1;
	f.order = WRAP_CONFIRM;
	f.first = 2ULL * first;
	measure_feed(prog, &f, 2ULL * n);
}

/*
 * Twice as many connections as there is room for, and SYNs for the way of each bucket that
 * connections leave to them: then there is no free way.
 */
static void fill_table(int prog, const struct row *row)
{
	struct measure_frame f = frame_from_client(row, TH_SYN);

	path_make_flows(prog, row, BEHIND_ALL, 2 * row->table);
	f.order = WRAP_UNIQUE;
	f.flows = 0;
	f.first = BEHIND_ALL + 2 * row->table;
	measure_feed(prog, &f, row->table);
}

static struct measure_frame prepare(const struct row *row, int prog)
{
	struct measure_frame f;
	struct run r;

	switch (row->path) {
	case PATH_KNOWN:
		path_make_flows(prog, row, 0, row->flows);
		f = frame_from_client(row, TH_ACK);
		break;
	case PATH_REPLY:
		path_make_flows(prog, row, 0, 1);
		f = frame_from_client(row, TH_ACK);
		stage_run(prog, f.data, f.length, f.ifindex, &r);
		f = frame_from_backend(row, &r);
		break;
	case PATH_NEW:
		fill_table(prog, row);
		f = frame_from_client(row, TH_SYN);
		f.order = WRAP_UNIQUE;
		f.flows = 0;
		return f;
	default:
		f = frame_from_client(row, TH_ACK);
		break;
	}
	f.flows = row->flows;
	return f;
}

/* ---- counters ----------------------------------------------------------------- */

static enum lb_reason reason_of(enum path path)
{
	switch (path) {
	case PATH_NOT_OURS:
		return LB_REASON_NOT_OURS;
	case PATH_REPLY:
		return LB_REASON_REPLY;
	case PATH_NEW:
	case PATH_CHOICE:
		return LB_REASON_NEW_FLOW;
	default:
		return LB_REASON_KNOWN_FLOW;
	}
}

static __u64 decisions(const struct stage *s)
{
	struct lb_policy_count all[libbpf_num_possible_cpus()];
	__u32 key = BALANCER_POLICY;
	__u64 sum = 0;

	assert_return_code(
		bpf_map_lookup_elem(stage_map(s, "lb_policy_counts"), &key, all), errno);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum += all[i].decisions;
	return sum;
}

static __u64 pushed_out(const struct stage *s)
{
	return stage_event(s, LB_EVENT_EVICTED_OLDEST) +
	       stage_event(s, LB_EVENT_EVICTED_HALF_OPEN);
}

static void add(struct path_counts *ret, size_t i, __u64 n)
{
	ret->n[i] += n;
	if (ret->used <= i)
		ret->used = i + 1;
}

/*
 * A new flow's translated port is looked for in a bounded number of places.  Where none is
 * free its packet has cost as much as any, if not more, and was dropped: it has gone the
 * way, and the row says how many have.
 */
void path_count(const struct balancer *b, const struct row *row, struct path_counts *ret)
{
	const struct stage *s = &b->stage;

	if (row->path == PATH_NEW)
		ret->refused += stage_reason(s, LB_REASON_NO_PORT);
	add(ret, 0, stage_reason(s, reason_of(row->path)));
	if (row->path != PATH_NOT_OURS)
		add(ret, 1, stage_service_count(s, b->service).packets);
	if (row->path == PATH_CHOICE)
		add(ret, 2, decisions(s));
	if (row->path == PATH_NEW) {
		add(ret, 2, stage_event(s, LB_EVENT_FLOW_NEW));
		add(ret, 3, pushed_out(s));
	}
}

__u64 path_gone(const struct path_counts *before, const struct path_counts *after)
{
	__u64 gone = after->n[0] - before->n[0];

	for (size_t i = 1; i < after->used; i++)
		if (after->n[i] - before->n[i] < gone)
			gone = after->n[i] - before->n[i];
	return gone + after->refused - before->refused;
}

static int program_of(struct balancer *b, const struct row *row)
{
	if (!row->linked)
		return b->parse;
	stage_load(&b->stage, "bench/linked");
	return stage_program(&b->stage, row->service.mode == LB_FORWARD_IPIP
						? "linked_encap"
						: "linked_rewrite");
}

static void run_one(const struct row *row, struct result *ret)
{
	struct path_counts before = {}, after = {};
	struct measured stages;
	struct measure_frame frame;
	struct balancer b;
	int prog;

	balancer_open(&b, &row->service, row->table);
	prog = program_of(&b, row);
	frame = prepare(row, prog);
	path_count(&b, row, &before);
	measure_run(prog, MEASURE_NOTHING, &frame, &ret->times);
	path_count(&b, row, &after);
	ret->verified = (double)path_gone(&before, &after) / ret->times.packets;
	ret->refused = (double)(after.refused - before.refused) / ret->times.packets;
	if (row->linked) {
		frame.first = 16 * ret->times.packets; /* other new flows */
		measure_run(b.parse, prog, &frame, &stages);
		ret->stages_ns = stages.net.min;
	}
	if (ret->verified < 0.999)
		stage_print_reasons(&b.stage);
	balancer_close(&b);
}

void path_run(const struct row *row, struct result *ret)
{
	if (row->path == PATH_MEMORY)
		memory_run(row, ret);
	else if (row_is_of_two(row))
		two_run(row, ret);
	else if (row_is_floor(row))
		floor_run(row, ret);
	else
		run_one(row, ret);
}
