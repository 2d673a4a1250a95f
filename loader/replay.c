// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay.c - `lbctl replay`: the packets of a file, by this configuration or by another.
 *
 * All go through a private copy of the instance, and if another configuration is given,
 * through a second one, that it was applied to: so what is shown to move is what would move.
 */
#include "replay.h"

#include <errno.h>
#include <string.h>

#include "change.h"
#include "explain.h"
#include "report.h"

struct replay {
	const struct lbctl *l;
	const char *path, *config, *dev;
	struct packets_left left;
};

static enum outcome take_dev(void *to, const char *value)
{
	((struct replay *)to)->dev = value;
	return DONE;
}

static const struct option_word options[] = {
	{ "dev", "the interface by which the packets come", take_dev },
};

static enum outcome take_words(struct words *w, struct replay *ret)
{
	ret->path = words_want(w, "the file with packets");
	if (!ret->path)
		return USAGE;
	if (w->at < w->n && strcmp(w->word[w->at], "dev"))
		ret->config = words_next(w);
	return options_parse(w, options, 1, ret);
}

static enum outcome try_all(struct replay *r, struct aside *a, struct packets *packets,
			    struct replay_sum *sum)
{
	struct aside_result result;
	struct packet_read packet;
	__u32 ifindex;
	int err = 0;

	if (explain_device(&a->state, r->dev, &ifindex))
		return REFUSED;
	while (!err && packets_next(packets, &packet)) {
		err = aside_try(a, packet.bytes, packet.length, ifindex, &result);
		if (!err)
			replay_count(sum, &a->state, &packet, &result);
	}
	if (err)
		report("%s: the kernel does not try packet %llu: %s", r->path,
		       sum->packets + 1, strerror(-err));
	return err || packets_failed(packets) ? REFUSED : DONE;
}

static enum outcome apply(struct replay *r, struct aside *a)
{
	enum outcome outcome;
	struct script script;

	if (script_read(r->config, &script))
		return REFUSED;
	outcome = change_aside(r->l, &a->state, &script);
	script_free(&script);
	return outcome;
}

/* By the live configuration, or, if @is_other, by that of the file. */
static enum outcome run(struct replay *r, const struct state *live, bool is_other,
			struct replay_sum *sum)
{
	enum outcome outcome = DONE;
	struct packets *packets;
	struct aside a;

	if (aside_open(live, &a))
		return REFUSED;
	if (is_other)
		outcome = apply(r, &a);
	packets = outcome ? NULL : packets_open(r->path, &a.state);
	if (packets) {
		outcome = try_all(r, &a, packets, sum);
		r->left = packets_left_out(packets);
		packets_close(packets);
	} else {
		outcome = REFUSED;
	}
	aside_close(&a);
	return outcome;
}

static enum outcome replay(struct replay *r, const struct state *live)
{
	struct replay_sum now, then;
	enum outcome outcome = DONE;

	if (replay_sum_init(&now) || replay_sum_init(&then)) {
		report("out of memory");
		return REFUSED;
	}
	outcome = run(r, live, false, &now);
	if (!outcome && r->config)
		outcome = run(r, live, true, &then);
	if (!outcome)
		outcome = replay_show(r->l, &now, r->config ? &then : NULL, &r->left);
	replay_sum_free(&now);
	replay_sum_free(&then);
	return outcome;
}

enum outcome replay_run(const struct lbctl *l, struct words *w)
{
	struct replay r = { .l = l };
	enum outcome outcome = take_words(w, &r);
	struct state live;

	if (outcome)
		return outcome;
	if (r.config && !strcmp(r.path, "-")) {
		report("replay '-': standard input can be read once, and two configurations "
		       "want the packets twice; write them to a file");
		return USAGE;
	}
	if (state_open(&live, &l->where, STATE_READ))
		return REFUSED;
	outcome = replay(&r, &live);
	state_close(&live);
	return outcome;
}
