// SPDX-License-Identifier: GPL-2.0-only
/*
 * two.c - CPU 0 and CPU 1 at once: what it costs to have a flow or a service in common.
 *
 * A receive queue has all packets of a flow, so two CPUs meet in one flow only where its
 * packets come in by two interfaces, one for each direction, say.  In one service they meet
 * always.
 */
#include "frame.h"
#include "path.h"

static void worse(const struct measured *m, struct result *ret)
{
	const struct measured *w = m[0].net.min > m[1].net.min ? &m[0] : &m[1];

	ret->times = *w;
	ret->times.packets = m[0].packets + m[1].packets;
}

/* Both balancers are one but where they are apart. */
static void run_both(const struct row *row, struct balancer *b[2], struct result *ret)
{
	struct measure_frame frame[2] = { frame_from_client(row, TH_ACK),
					  frame_from_client(row, TH_ACK) };
	int prog[2] = { b[0]->parse, b[1]->parse };
	struct measure_frame opening;
	struct measured both[2];
	struct path_counts before = {}, after = {};

	if (row->path != PATH_SAME_FLOW)
		frame[1].data[35]++; /* another client's port */
	for (int i = 0; i < 2; i++) {
		opening = frame[i];
		opening.order = WRAP_CONFIRM;
		measure_feed(prog[i], &opening, 2);
	}
	for (int i = 0; i < (row->path == PATH_APART ? 2 : 1); i++)
		path_count(b[i], row, &before);
	measure_two(prog, frame, both);
	for (int i = 0; i < (row->path == PATH_APART ? 2 : 1); i++)
		path_count(b[i], row, &after);
	worse(both, ret);
	ret->verified = (double)path_gone(&before, &after) / ret->times.packets;
}

void two_run(const struct row *row, struct result *ret)
{
	struct balancer one, other;
	struct balancer *both[2] = { &one, &one };

	balancer_open(&one, &row->service, row->table);
	if (row->path == PATH_APART) {
		balancer_open(&other, &row->service, row->table);
		both[1] = &other;
	}
	run_both(row, both, ret);
	if (row->path == PATH_APART)
		balancer_close(&other);
	balancer_close(&one);
}
