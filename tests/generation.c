// SPDX-License-Identifier: GPL-2.0-only
/*
 * generation.c - services in every mode and family, and segments sent to them.
 */
#include <bpf/bpf.h>
#include <errno.h>

#include "generation.h"

#define VIP  "10.0.0.20"
#define VIP6 "2001:db8::20"

const struct kind kinds[] = {
#define KINDS(title, mode)                                                               \
	{ title, mode, false, false }, { title ", any port", mode, true, false },        \
		{ title ", IPv6", mode, false, true },                                   \
	{                                                                                \
		title ", any port, IPv6", mode, true, true                               \
	}
	KINDS("fullnat", LB_FORWARD_FULLNAT), KINDS("nat", LB_FORWARD_NAT),
	KINDS("dsr", LB_FORWARD_DSR),	      KINDS("ipip", LB_FORWARD_IPIP),
	KINDS("gue", LB_FORWARD_GUE),	      KINDS("local", LB_FORWARD_LOCAL),
};

const size_t n_kinds = sizeof(kinds) / sizeof(kinds[0]);

const struct kind *in_hand;

void generation_begin(const struct kind *kind, bool no_grace)
{
	const __u16 port = kind->any ? 0 : 80;
	struct talk t = {
		.services = { { .service = { .address = kind->ip6 ? VIP6 : VIP,
					     .port = port,
					     .last = kind->any ? 65535 : 80,
					     .protocol = IPPROTO_TCP,
					     .forward = kind->forward,
					     .grace = no_grace ? 0 : GRACE },
				.backend = { { kind->ip6 ? BACKEND1_6 : BACKEND1, port },
					     { kind->ip6 ? BACKEND2_6 : BACKEND2, port },
					     { kind->ip6 ? BACKEND3_6 : BACKEND3,
					       port } } },
			      { ON("10.0.0.30", 80, TCP, DSR),
				BACKENDS({ BACKEND1, 80 }) } },
	};

	in_hand = kind;
	talk_begin(&t);
}

struct lb_table generation_header(bool consistent, enum policy policy, __u32 age)
{
	return (struct lb_table){
		.policy = policy,
		.kind = LB_TABLE_MAGLEV,
		.seed = 0x5eed,
		.promises = consistent ? LB_PROMISE_STICKY | LB_PROMISE_CONSISTENT : 0,
		.flipped_at = talk_jiffies() - age,
	};
}

struct lb_pkt generation_send_from(const char *client, __u16 port, __u8 flags)
{
	const struct layer in[] = {
		ETH(),
		{ .kind = in_hand->ip6 ? LAYER_IP6 : LAYER_IP4,
		  .src = client,
		  .dst = in_hand->ip6 ? VIP6 : VIP },
		TCP(port, 80, .flags = flags),
		DATA("GET"),
		{ .kind = LAYER_END },
	};
	struct run r;

	stage_run_layers(talk_parse, in, hosts_back, &r);
	return stage_scratch(&talk_stage);
}

struct lb_pkt generation_send(__u16 port, __u8 flags)
{
	return generation_send_from(in_hand->ip6 ? CLIENT6 : CLIENT, port, flags);
}

struct flow generation_flow(const struct lb_pkt *pkt)
{
	struct flow f;

	if (!flows_find_key(&talk_stage, pkt->table, pkt->key, &f))
		fail_msg("%s: there is no flow", in_hand->name);
	return f;
}

size_t generation_count(void)
{
	return flows_scan(&talk_stage, 4, NULL, 0) + flows_scan(&talk_stage, 6, NULL, 0);
}

void generation_expect(enum lb_reason reason, __u64 before)
{
	if (stage_reason(&talk_stage, reason) == before + 1)
		return;
	stage_print_reasons(&talk_stage);
	fail_msg("%s: it was not counted as %s", in_hand->name,
		 stage_reason_name(reason));
}

int generation_explain(void **state)
{
	(void)state;
	if (in_hand)
		print_message("# of %s\n", in_hand->name);
	in_hand = NULL;
	return 0;
}

int generation_open(void **state)
{
	int err = talk_open(state);

	const __u32 stray = STRAY;
	int hash = stage_program(&talk_stage, "hash");

	stage_load_policy(&talk_stage, "round_robin", ROUND_ROBIN);
	assert_return_code(bpf_map_update_elem(stage_map(&talk_stage, "lb_policies"),
					       &stray, &hash, 0),
			   errno);
	return err;
}
