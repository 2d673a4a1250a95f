// SPDX-License-Identifier: GPL-2.0-only
/*
 * linked - the stages' own sources as one program, to see what the stages cost.
 *
 * lb_parse, the policy hash, lb_encap and lb_rewrite, where one comes back and says who is
 * next instead of making a tail call: their code is inlined here.  Other stages, which the
 * packets that are measured do not need, are tail calls as ever.  Nothing but this differs, so
 * names that two stages have for different things are told apart.
 */
#define lb_go_forward go_forward_by_tail_call
#include "chain.bpf.h"
#undef lb_go_forward

/* Beside XDP_*: who is next. */
#define TO_POLICY  64
#define TO_FORWARD 65

/* Not static, or libbpf would refuse the object: each is still a program as well. */
__attribute__((always_inline)) int lb_parse(struct xdp_md *ctx);
__attribute__((always_inline)) int hash(struct xdp_md *ctx);
__attribute__((always_inline)) int lb_encap(struct xdp_md *ctx);
__attribute__((always_inline)) int lb_rewrite(struct xdp_md *ctx);

/* A function of its own: else the verifier goes through all that follows for each of the
 * ways through it, and gives up after a million steps. */
__noinline int parse(struct xdp_md *ctx)
{
	return lb_parse(ctx);
}

/* One for each stage at the end: both together need more stack than there is. */
static __always_inline int linked(struct xdp_md *ctx, __u32 stage,
				  int (*forward)(struct xdp_md *ctx))
{
	int to = parse(ctx);
	struct lb_pkt *pkt = lb_pkt();

	if (to == TO_POLICY)
		to = hash(ctx);
	if (to != TO_FORWARD || !pkt)
		return to;
	if (pkt->stage == stage)
		return forward(ctx);
	return go_forward_by_tail_call(ctx, pkt);
}

SEC("xdp")
int linked_encap(struct xdp_md *ctx)
{
	return linked(ctx, LB_STAGE_ENCAP, lb_encap);
}

SEC("xdp")
int linked_rewrite(struct xdp_md *ctx)
{
	return linked(ctx, LB_STAGE_REWRITE, lb_rewrite);
}

static __always_inline int lb_go_forward(struct xdp_md *ctx __attribute__((unused)),
					 struct lb_pkt *pkt __attribute__((unused)))
{
	return TO_FORWARD;
}

#define choose choose_by_tail_call
#include "choose.bpf.h"
#undef choose

static __always_inline int choose(struct xdp_md *ctx, struct lb_pkt *pkt,
				  const struct lb_table *table)
{
	if (!table || (table->flags & LB_TABLE_F_CLIENT))
		return choose_by_tail_call(ctx, pkt, table);
	pkt->attempt = 0;
	return TO_POLICY;
}

#define lb_this_stage lb_this_stage_parse
#define _license      _license_parse
#include "../progs/lb_parse.bpf.c"
#undef lb_this_stage
#undef _license

#define lb_this_stage lb_this_stage_hash
#define _license      _license_hash
#include "../policies/hash.bpf.c"
#undef lb_this_stage
#undef _license

#define lb_this_stage lb_this_stage_encap
#define _license      _license_encap
#define commit4	      encap_commit4
#define commit6	      encap_commit6
#include "../progs/lb_encap.bpf.c"
#undef lb_this_stage
#undef _license
#undef commit4
#undef commit6

#define lb_this_stage lb_this_stage_rewrite
#include "../progs/lb_rewrite.bpf.c"
