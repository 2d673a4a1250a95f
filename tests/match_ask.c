// SPDX-License-Identifier: GPL-2.0-only
/*
 * match_ask.c - ask the policy match where a packet goes.
 */
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "match_ask.h"

const struct lb_match_rules match_tags = {
	.n = 3,
	.rule = { RULE(290, 294, 20, "600", TO_5001), RULE(290, 294, 20, "601", TO_5002),
		  RULE(290, 294, 20, "602", TO_5003) },
};

void match_set_rules(const struct lb_match_rules *rules)
{
	__u32 id = SERVICE_ID;
	int fd = stage_map(&policy_stage, "lb_match_rules");

	if (rules)
		assert_int_equal(bpf_map_update_elem(fd, &id, rules, 0), 0);
	else
		bpf_map_delete_elem(fd, &id);
}

int match_open(void **state)
{
	struct policy_service *s = policy_service_make(3);

	(void)state;
	policy_use("match");
	policy_install(s, LB_TABLE_UNIFORM);
	free(s);
	for (int i = 0; i < 3; i++)
		world_add_backend(&policy_stage, SERVICE_ID, SERVICE, 5001 + i);
	world_add_backend(&policy_stage, SERVICE_ID + 1, SERVICE, 9);
	match_set_rules(&match_tags);
	return 0;
}

static __u16 offset_of(const struct layer *in, size_t n)
{
	struct layer head[8] = {};
	__u8 scratch[PACKET_MAX];

	memcpy(head, in, n * sizeof(*in));
	return packet_build(scratch, head);
}

/* What lb_parse makes of it. */
static struct lb_pkt parsed(const struct layer *in, const __u8 *frame, size_t length)
{
	struct lb_pkt pkt = { .service = SERVICE_ID,
			      .length = length,
			      .flags = LB_PKT_PER_PACKET,
			      .stage = LB_STAGE_REWRITE };

	for (size_t i = 0; in[i].kind; i++) {
		if (in[i].kind == LAYER_IP4 || in[i].kind == LAYER_IP6) {
			pkt.l3 = offset_of(in, i);
			pkt.family = pkt.table = in[i].kind == LAYER_IP4 ? 4 : 6;
		} else if (in[i].kind == LAYER_TCP || in[i].kind == LAYER_UDP) {
			pkt.l4 = offset_of(in, i);
			pkt.protocol = in[i].kind == LAYER_TCP ? IPPROTO_TCP
							       : IPPROTO_UDP;
		}
	}
	if (pkt.protocol == IPPROTO_TCP)
		pkt.tcp_flags = frame[pkt.l4 + 13];
	return pkt;
}

int match_ask(const struct layer *in)
{
	__u64 before[LB_REASON_MAX];
	__u8 frame[PACKET_MAX];
	size_t length = packet_build(frame, in);
	struct lb_pkt pkt = parsed(in, frame, length);
	struct run r;

	for (int i = 0; i < LB_REASON_MAX; i++)
		before[i] = stage_reason(&policy_stage, i);
	stage_set_scratch(&policy_stage, &pkt);
	stage_run(stage_program(&policy_stage, "match"), frame, length, 0, &r);
	if (r.verdict == REACHED_REWRITE)
		return stage_scratch(&policy_stage).backend;
	assert_true(r.verdict == XDP_DROP || r.verdict == XDP_ABORTED);
	for (int i = 0; i < LB_REASON_MAX; i++)
		if (stage_reason(&policy_stage, i) == before[i] + 1)
			return -i;
	fail_msg("verdict %u, and nothing was counted", r.verdict);
	return 0;
}

const struct match_frame match_frames[] = {
	{ "TCP", { ETH(), IP4(CLIENT, SERVICE), TCP(31337, PORT) } },
	{ "UDP", { ETH(), IP4(CLIENT, SERVICE), UDP(31337, PORT) } },
	{ "TCP over IPv6", { ETH(), IP6(CLIENT6, SERVICE6), TCP(31337, PORT) } },
	{ "UDP over IPv6", { ETH(), IP6(CLIENT6, SERVICE6), UDP(31337, PORT) } },
	{ "TCP with options",
	  { ETH(), IP4(CLIENT, SERVICE),
	    TCP(31337, PORT, BYTES("\1\1\x8\xa\0\0\0\1\0\0\0\2")) } },
	{ "IPv4 with options, in two VLANs",
	  { ETH(), VLAN(7), VLAN(9), IP4(CLIENT, SERVICE, BYTES("\1\1\1\1\1\1\1\0")),
	    UDP(31337, PORT) } },
	{ "behind an extension header",
	  { ETH(), IP6(CLIENT6, SERVICE6), EXT(IPPROTO_HOPOPTS), TCP(31337, PORT) } },
};

const size_t n_match_frames = sizeof(match_frames) / sizeof(match_frames[0]);

int match_ask_frame(const struct match_frame *f, size_t n, size_t at, const char *text,
		    size_t pad)
{
	static char payload[PACKET_MAX];
	struct layer in[8] = {};
	size_t i = 0;

	memset(payload, '.', sizeof(payload));
	memcpy(payload + at, text, strlen(text));
	while (f->layer[i].kind) {
		in[i] = f->layer[i];
		i++;
	}
	if (n)
		in[i++] = (struct layer){ .kind = LAYER_DATA,
					  .data = payload,
					  .n_data = n };
	if (pad)
		in[i++] = (struct layer)PAD(pad);
	return match_ask(in);
}

void match_expect(const struct match_frame *f, size_t n, const char *text, int want)
{
	int got = match_ask_frame(f, n, 20, text, 0);

	if (got != want)
		fail_msg("%s, %zu bytes with '%s' at 20: %d (%s), not %d (%s)", f->name,
			 n, text, got, stage_reason_name(-got), want,
			 stage_reason_name(-want));
}
