// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_mutation.c - good packets, cut short and damaged, through the whole chain.
 *
 * Whatever comes in: what is sent is consistent in itself, a checksum that was right is
 * right after, and the chain never finds a defect of its own (XDP_ABORTED).
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "judge.h"

/* clang-format off */
#define MUTATIONS	3000	/* of each golden packet */
#define AFRESH		40	/* packets after which the flows are as at first */
/* clang-format on */

/* A packet, and what became of it. */
struct trial {
	__u8 in[PACKET_MAX];
	size_t len;
	struct run r;
};

static struct trial trial; /* large, and printed when something is wrong */
static const struct golden *about;

static __u32 random_below(__u32 n)
{
	static __u64 x = 0x5eed5eed5eed5eed; /* xorshift64: the same each time */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (x >> 32) % n;
}

static const struct layer *begin(const struct golden *g)
{
	about = g;
	return golden_begin(g);
}

/* ---- the verdict on what came out ------------------------------------------------------- */

static void wrong(const char *what)
{
	packet_print("in", trial.in, trial.len);
	packet_print("out", trial.r.pkt, trial.r.len);
	fail_msg("%s; verdict %u", what, trial.r.verdict);
}

static bool is_changed(void)
{
	return trial.r.len != trial.len || memcmp(trial.r.pkt, trial.in, trial.len);
}

static void check_sums(const struct judgement *in, const struct judgement *out)
{
	if (in->header_right && !out->header_right)
		wrong("the IP header's checksum was right");
	if (!in->header_right || in->sum == SUM_UNKNOWN || in->sum == SUM_WRONG)
		return;
	if (out->sum != in->sum)
		wrong("the checksum was right");
}

/* In a tunnel: all of the packet that came, and a header that fits around it. */
static void check_tunnel(const struct judgement *in, const struct judgement *out,
			 const struct judgement *inner)
{
	size_t len = in->end - in->l3;

	if (inner->end - inner->l3 != len || out->end != inner->end ||
	    trial.r.len != out->end ||
	    memcmp(trial.r.pkt + inner->l3, trial.in + in->l3, len))
		wrong("it is not the same inside of the tunnel");
	if (!out->header_right)
		wrong("the outer IP header's checksum");
	if (in->header_right && in->sum == SUM_RIGHT && out->sum == SUM_WRONG)
		wrong("the outer checksum");
}

/* What an ICMP error quotes is as right as it was. */
static void check_quote(const struct judgement *in, const struct judgement *out)
{
	struct judgement was = judge_quote(trial.in, trial.len, in),
			 is = judge_quote(trial.r.pkt, trial.r.len, out);

	if (was.header_right && !is.header_right)
		wrong("the quoted header's checksum was right");
	if (was.header_right && was.sum == SUM_RIGHT && is.sum != SUM_RIGHT)
		wrong("the quoted checksum was right");
}

/* What we say ourselves is right, but for an echo of what was wrong. */
static void check_answer(const struct judgement *in, const struct judgement *out)
{
	if (in->header_right &&
	    (!out->header_right || (out->sum != SUM_RIGHT && in->sum != SUM_WRONG)))
		wrong("our answer has a wrong checksum");
}

/* To a client whose connection nobody knows. */
static void check_reset(const struct judgement *in, const struct judgement *out)
{
	if (out->protocol != IPPROTO_TCP || out->end - out->l4 != 20 ||
	    !(trial.r.pkt[out->l4 + 13] & TH_RST))
		wrong("it is no reset");
	check_answer(in, out);
}

/* Packets that were answered with a reset, because no flow was there. */
static __u64 resets(void)
{
	return stage_reason(&talk_stage, LB_REASON_UNKNOWN_RESET);
}

static void check_sent(bool is_reset)
{
	struct judgement in = judge(trial.in, trial.len);
	struct judgement out = judge(trial.r.pkt, trial.r.len), inner;

	if (!in.family || !in.fits)
		wrong("what is sent was no packet");
	if (!out.family || !out.fits)
		wrong("what is sent is no packet");
	inner = judge_inner(trial.r.pkt, trial.r.len, &out);
	if (is_reset) {
		check_reset(&in, &out);
	} else if (about->answers) {
		check_answer(&in, &out);
	} else if (about->source) {
		check_tunnel(&in, &out, &inner);
	} else {
		if (trial.r.len != trial.len || out.end - out.l3 != in.end - in.l3)
			wrong("its length changed");
		check_sums(&in, &out);
		check_quote(&in, &out);
	}
}

static void run_trial(void)
{
	__u64 before = resets();

	stage_run(talk_parse, trial.in, trial.len, hosts_back, &trial.r);
	switch (trial.r.verdict) {
	case XDP_TX:
	case XDP_REDIRECT:
		check_sent(resets() != before);
		break;
	case XDP_PASS:
		if (trial.r.n_meta || is_changed())
			check_sent(false);
		break;
	case XDP_DROP:
		break;
	default:
		wrong("neither sent, passed nor dropped");
	}
}

/* ---- damage ---------------------------------------------------------------------------- */

/* Most of it where the headers are, behind the MAC addresses. */
static void damage_byte(void)
{
	static const __u8 odd[] = { 0,	1,    4,    5,	  6,	17,  44,
				    58, 0x45, 0x60, 0x7f, 0x80, 0xff };
	size_t headers = trial.len < 100 ? trial.len : 100;
	__u8 *at = trial.in + 12 + random_below(headers - 12);

	switch (random_below(4)) {
	case 0:
		*at ^= 1 << random_below(8);
		break;
	case 1:
		*at = odd[random_below(sizeof(odd))];
		break;
	case 2:
		*at += random_below(2) ? 1 : -1;
		break;
	default:
		*at = random_below(256);
	}
}

/* A part of it again somewhere else: header behind header. */
static void damage_order(void)
{
	size_t n = 1 + random_below(40), from = random_below(trial.len),
	       to = random_below(trial.len);

	if (from + n <= trial.len && to + n <= trial.len)
		memmove(trial.in + to, trial.in + from, n);
}

static void damage_length(void)
{
	size_t n = random_below(trial.len < 200 ? 64 : 200);

	if (random_below(2)) {
		trial.len -= n < trial.len - 14 ? n : 0;
		return;
	}
	for (size_t i = 0; i < n; i++)
		trial.in[trial.len++] = random_below(256);
}

static void damage(void)
{
	for (__u32 i = random_below(4) + 1; i; i--)
		damage_byte();
	if (!random_below(8))
		damage_order();
	if (!random_below(8))
		damage_length();
	if (random_below(2))
		judge_repair(trial.in, trial.len);
}

/* ---- the tests -------------------------------------------------------------------------- */

/* What it is about: the golden packet goes somewhere. */
static void is_golden(void **state)
{
	const struct golden *g = *state;

	trial.len = packet_build(trial.in, begin(g));
	run_trial();
	if (trial.r.verdict == XDP_DROP ||
	    (trial.r.verdict == XDP_PASS && !trial.r.n_meta && !is_changed()))
		wrong("the golden packet was not sent");
}

static void truncated_at_every_length(void **state)
{
	const struct golden *g = *state;
	size_t len = packet_build(trial.in, begin(g));

	for (trial.len = 14; trial.len < len; trial.len++) {
		run_trial();
		if (trial.r.verdict != XDP_PASS && trial.r.verdict != XDP_DROP)
			wrong("it was sent although it is cut short");
		if (trial.r.verdict == XDP_PASS && is_changed())
			wrong("it was changed although it is cut short");
	}
}

static void damaged_at_random(void **state)
{
	const struct golden *g = *state;
	const struct layer *in = begin(g);

	for (int i = 0; i < MUTATIONS; i++) {
		if (i % AFRESH == AFRESH - 1)
			golden_again(g);
		trial.len = packet_build(trial.in, in);
		damage();
		run_trial();
	}
	flows_check(&talk_stage);
}

int main(void)
{
	static void (*const tests[])(void **) = { is_golden, truncated_at_every_length,
						  damaged_at_random };
	struct CMUnitTest units[3 * n_goldens];
	char names[3 * n_goldens][96];
	static const char *const what[] = { "goes on", "cut at every length",
					    "damaged at random" };

	for (size_t i = 0; i < 3 * n_goldens; i++) {
		snprintf(names[i], sizeof(names[i]), "%s: %s", goldens[i / 3].talk.name,
			 what[i % 3]);
		units[i] = (struct CMUnitTest){
			.name = names[i],
			.test_func = tests[i % 3],
			.initial_state = (void *)&goldens[i / 3],
		};
	}
	return cmocka_run_group_tests_name("mutation", units, talk_open, talk_close);
}
