// SPDX-License-Identifier: GPL-2.0-only
/*
 * path.c - one row: its balancer, its flows, its frame, and what the counters say.
 *
 * The balancer's own counters tell which way each packet went.  A figure of another way than
 * the row's name says would be worse than none.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "path.h"

#define FOREIGN	 "10.0.0.99" /* no service */
#define FOREIGN6 "2001:db8::99"

#define CLIENT_PORT 31337

/* Flows made to fill a table are of other numbers than those which then push them out. */
#define BEHIND_ALL (1U << 30)

/* ---- frames ------------------------------------------------------------------- */

static size_t header_size(int family, __u8 protocol)
{
	return 14 + (family == 4 ? 20 : 40) + (protocol == IPPROTO_TCP ? 20 : 8);
}

/* From @src, @sport to @dst, @dport; filled up to the row's size. */
static struct measure_frame make_frame(const struct row *row, const char *src,
				       __u16 sport, const char *dst, __u16 dport,
				       __u8 flags)
{
	static char data[PACKET_MAX];
	const struct balancer_service *to = &row->service;
	struct measure_frame f = { .family = to->family,
				   .protocol = to->protocol,
				   .ifindex = hosts_back,
				   .flows = 1 };
	size_t n_data = row->bytes - header_size(to->family, to->protocol);
	struct layer layers[] = {
		ETH(),
		{ .kind = to->family == 4 ? LAYER_IP4 : LAYER_IP6,
		  .src = src,
		  .dst = dst },
		{ .kind = to->protocol == IPPROTO_TCP ? LAYER_TCP : LAYER_UDP,
		  .sport = sport,
		  .dport = dport,
		  .flags = flags },
		{ .kind = LAYER_DATA, .data = data, .n_data = n_data },
		{ .kind = LAYER_END },
	};

	memset(data, 'x', sizeof(data));
	f.length = packet_build(f.data, layers);
	assert_int_equal(f.length, row->bytes);
	return f;
}

static struct measure_frame from_client(const struct row *row, __u8 flags)
{
	bool v4 = row->service.family == 4;
	/* The reply leaves by the interface that it came in by, as all the others do. */
	const char *client = row->path == PATH_REPLY
				     ? (v4 ? CLIENT : CLIENT6)
				     : (v4 ? REMOTE_CLIENT : REMOTE_CLIENT6);
	const char *to = v4 ? SERVICE : SERVICE6;

	if (row->path == PATH_NOT_OURS)
		to = v4 ? FOREIGN : FOREIGN6;
	return make_frame(row, client, CLIENT_PORT, to, BALANCER_PORT, flags);
}

/* The answer to @r, which is what the backend saw. */
static struct measure_frame from_backend(const struct row *row, const struct run *r)
{
	bool v4 = row->service.family == 4;
	const __u8 *l4 = r->pkt + (v4 ? 34 : 54);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	int af = v4 ? AF_INET : AF_INET6;

	inet_ntop(af, r->pkt + (v4 ? 30 : 38), src, sizeof(src));
	inet_ntop(af, r->pkt + (v4 ? 26 : 22), dst, sizeof(dst));
	return make_frame(row, src, l4[2] << 8 | l4[3], dst, l4[0] << 8 | l4[1], TH_ACK);
}

/* ---- flows -------------------------------------------------------------------- */

/* Make the flows @first and on, @n of them, each confirmed as a client does. */
static void make_flows(int prog, const struct row *row, __u32 first, __u32 n)
{
	struct measure_frame f = from_client(row, TH_SYN);

	f.flows = n > 1 ? 0 : 1;
	f.order = WRAP_CONFIRM;
	f.first = 2ULL * first;
	measure_feed(prog, &f, 2ULL * n);
}

static struct measure_frame prepare(const struct row *row, int prog)
{
	struct measure_frame f;
	struct run r;

	switch (row->path) {
	case PATH_KNOWN:
		make_flows(prog, row, 0, row->flows);
		f = from_client(row, TH_ACK);
		break;
	case PATH_REPLY:
		make_flows(prog, row, 0, 1);
		f = from_client(row, TH_ACK);
		stage_run(prog, f.data, f.length, f.ifindex, &r);
		f = from_backend(row, &r);
		break;
	case PATH_NEW:
		/* Twice as many as there is room for: then no bucket has a free way. */
		make_flows(prog, row, BEHIND_ALL, 2 * row->table);
		f = from_client(row, TH_SYN);
		f.order = WRAP_UNIQUE;
		f.flows = 0;
		return f;
	default:
		f = from_client(row, TH_ACK);
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
	case PATH_KNOWN:
		return LB_REASON_KNOWN_FLOW;
	case PATH_REPLY:
		return LB_REASON_REPLY;
	default:
		return LB_REASON_NEW_FLOW;
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

/* Packets that have gone the row's way until now: the least of all that must count them. */
static __u64 gone(const struct balancer *b, const struct row *row)
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

void path_run(const struct row *row, struct result *ret)
{
	struct measure_frame frame;
	struct balancer b;
	__u64 before;
	int prog;

	if (row_is_floor(row)) {
		frame = from_client(row, TH_ACK);
		frame.flows = row->flows;
		floor_run(row, &frame, ret);
		return;
	}
	balancer_open(&b, &row->service, row->table);
	prog = b.parse;
	frame = prepare(row, prog);
	before = gone(&b, row);
	measure_run(prog, &frame, &ret->times);
	ret->verified = (double)(gone(&b, row) - before) / ret->times.packets;
	if (ret->verified < 0.999)
		stage_print_reasons(&b.stage);
	balancer_close(&b);
}
