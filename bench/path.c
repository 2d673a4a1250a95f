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

static __u64 least(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

__u64 path_gone(const struct balancer *b, const struct row *row)
{
	__u64 n = stage_reason(&b->stage, reason_of(row->path));

	if (row->path != PATH_NOT_OURS)
		n = least(n, stage_service_count(&b->stage, b->service).packets);
	if (row->path == PATH_CHOICE)
		n = least(n, decisions(&b->stage));
	if (row->path == PATH_NEW)
		n = least(n, least(stage_event(&b->stage, LB_EVENT_FLOW_NEW),
				   pushed_out(&b->stage)));
	return n;
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
	struct measured stages;
	struct measure_frame frame;
	struct balancer b;
	__u64 before;
	int prog;

	balancer_open(&b, &row->service, row->table);
	prog = program_of(&b, row);
	frame = prepare(row, prog);
	before = path_gone(&b, row);
	measure_run(prog, MEASURE_NOTHING, &frame, &ret->times);
	ret->verified = (double)(path_gone(&b, row) - before) / ret->times.packets;
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
