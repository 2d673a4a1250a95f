// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_trace - while packets are traced: write what became of this one, if it was asked for.
 *
 * in:   pkt->verdict, reason and ended_by, from lb_end(); lb_captured, if pkt->captured; the
 *       packet as it leaves
 * out:  an event in lb_trace_ring; pkt->verdict, whatever happens here
 */
#include "chain.bpf.h"
#include "flow_table.bpf.h"
#include "trace.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_TRACE;

/* Events, for lbctl to read.  Written by lb_trace. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LB_TRACE_RING);
} lb_trace_ring SEC(".maps");

/* 0 -> events that found the ring full.  Written by lb_trace, read by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lb_trace_lost SEC(".maps");

/* What a search for a flow left may be about none, unless it led to a service. */
static __always_inline bool has_flow(const struct lb_pkt *pkt)
{
	return pkt->service != LB_NO_SERVICE && pkt->version;
}

static __always_inline bool is_in_network(const __be32 *address,
					  const struct lb_trace_filter *f, int family)
{
	__be32 differs = (address[0] ^ f->client[0]) & f->mask[0];

	if (family == 6)
		for (int i = 1; i < 4; i++)
			differs |= (address[i] ^ f->client[i]) & f->mask[i];
	return !differs;
}

/* A reply comes from the backend, and an ICMP error from anybody: the flow knows. */
static __always_inline bool is_of_client(const struct lb_pkt *pkt,
					 const struct lb_trace_event *e,
					 const struct lb_trace_filter *f)
{
	const __be32 *client = (const __be32 *)pkt->key; /* all keys begin with it */

	if (e->family != f->client_family)
		return false;
	if (f->client_family == 4)
		return is_in_network(e->ends.source, f, 4) ||
		       (has_flow(pkt) && is_in_network(client, f, 4));
	return is_in_network(e->ends.source, f, 6) ||
	       (has_flow(pkt) && is_in_network(client, f, 6));
}

static __always_inline bool is_of_backend(const struct lb_pkt *pkt,
					  const struct lb_trace_filter *f)
{
	const struct lb_backend *b = backend_get(LB_BACKEND_REF_ID(pkt->backend));

	if (pkt->service == LB_NO_SERVICE || !LB_BACKEND_REF_ID(pkt->backend))
		return false;
	if (b->family != f->backend_family ||
	    (f->backend_port && b->port != f->backend_port))
		return false;
	return b->address[0] == f->backend[0] && b->address[1] == f->backend[1] &&
	       b->address[2] == f->backend[2] && b->address[3] == f->backend[3];
}

static __always_inline bool is_wanted(const struct lb_pkt *pkt,
				      const struct lb_trace_event *e,
				      const struct lb_trace_filter *f)
{
	if (f->reasons && !(f->reasons >> pkt->reason & 1))
		return false;
	if (f->service_ref && f->service_ref != pkt->service + 1)
		return false;
	if (f->states && !(has_flow(pkt) && f->states >> LB_WAY_STATE(pkt->way) & 1))
		return false;
	if (f->backend_family && !is_of_backend(pkt, f))
		return false;
	return !f->client_family || is_of_client(pkt, e, f);
}

static __always_inline bool is_its_turn(struct lb_capture *c,
					const struct lb_trace_filter *f)
{
	if (f->sample <= 1)
		return true;
	if (c->turn++ % f->sample)
		return false;
	return true;
}

static __always_inline __u8 flow_of(const struct lb_pkt *pkt)
{
	if (!has_flow(pkt))
		return LB_TRACE_NO_FLOW;
	return pkt->flags & LB_PKT_NEW_FLOW ? LB_TRACE_NEW_FLOW : LB_TRACE_KNOWN_FLOW;
}

static __always_inline void fill(struct xdp_md *ctx, const struct lb_pkt *pkt,
				 struct lb_capture *c, __u32 snap)
{
	bool leaves = pkt->verdict == XDP_PASS || pkt->verdict == XDP_TX ||
		      pkt->verdict == XDP_REDIRECT;
	struct lb_trace_event *e = &c->event;
	bool served = pkt->service != LB_NO_SERVICE;

	e->service = pkt->service;
	e->backend = served ? LB_BACKEND_REF_ID(pkt->backend) : LB_NO_BACKEND;
	e->direction = pkt->direction;
	e->flow = flow_of(pkt);
	e->stage = pkt->ended_by;
	e->verdict = pkt->verdict;
	e->reason = pkt->reason;
	e->length_out = leaves ? bpf_xdp_get_buff_len(ctx) : 0;
	e->kept_out = served || pkt->verdict == XDP_TX
			      ? keep(ctx, c, e->kept_in, e->length_out, snap)
			      : 0;
}

static __always_inline void count_lost(void)
{
	__u32 zero = 0;
	__u64 *lost = bpf_map_lookup_elem(&lb_trace_lost, &zero);

	if (lost)
		++*lost;
}

static __always_inline void tell(struct xdp_md *ctx, const struct lb_pkt *pkt)
{
	const struct lb_trace_filter *filter = filter_get();
	struct lb_capture *c = captured_get();
	__u64 size;

	if (!filter || !c || !is_wanted(pkt, &c->event, filter) ||
	    !is_its_turn(c, filter))
		return;
	fill(ctx, pkt, c, filter->snap);
	size = sizeof(c->event) + c->event.kept_in + c->event.kept_out;
	if (size > sizeof(c->event) + sizeof(c->bytes))
		return;
	if (bpf_ringbuf_output(&lb_trace_ring, c, size, 0))
		count_lost();
}

SEC("xdp")
int lb_trace(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return lb_abort();
	/* Not if it came before tracing began. */
	if (pkt->captured == LB_CAPTURED)
		tell(ctx, pkt);
	return pkt->verdict;
}

char _license[] SEC("license") = "GPL";
