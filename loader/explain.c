// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain.c - `lbctl explain`: what becomes of a packet, stage by stage.
 *
 * It goes through the real programs, by BPF_PROG_TEST_RUN, over a private copy of all maps.
 */
#include "explain.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "devices.h"
#include "output.h"
#include "report.h"

/* Of whoever sends to us: nothing depends on it. */
static const __u8 some_mac[6] = { 2, 0, 0, 0, 0, 1 };

enum outcome explain_device(const struct state *s, const char *dev, __u32 *ret)
{
	int i;

	*ret = 0;
	if (dev) {
		*ret = if_nametoindex(dev);
		if (*ret)
			return DONE;
		report("%s: no such interface (see 'ip link')", dev);
		return REFUSED;
	}
	for (i = 0; i < LB_MAX_DEVICES && !*ret; i++)
		if (device_is_attached(&s->devices[i]))
			*ret = s->devices[i].ifindex;
	return DONE;
}

static void write_macs(const struct state *s, __u32 ifindex, struct frame *f)
{
	int i;

	memcpy(f->from, some_mac, sizeof(f->from));
	for (i = 0; i < LB_MAX_DEVICES; i++)
		if (ifindex && s->devices[i].ifindex == ifindex)
			memcpy(f->to, s->devices[i].mac, sizeof(f->to));
}

enum outcome explain_try(struct aside *a, struct explained *x, json_t **ret_row)
{
	int err = aside_try(a, x->packet, x->length, x->ifindex, &x->result);

	if (err) {
		report("the kernel does not try this packet: %s", strerror(-err));
		return REFUSED;
	}
	*ret_row = explain_row(x);
	if (*ret_row)
		return DONE;
	report("out of memory");
	return REFUSED;
}

enum outcome explain_show(struct aside *a, struct explained *x)
{
	json_t *row;
	enum outcome outcome = explain_try(a, x, &row);

	if (outcome)
		return outcome;
	explain_print(row);
	json_decref(row);
	return DONE;
}

static enum outcome explain_packet(const struct lbctl *l, struct aside *a,
				   struct explained *x)
{
	enum outcome outcome;
	json_t *row, *root;

	if (!l->json)
		return explain_show(a, x);
	outcome = explain_try(a, x, &row);
	if (outcome)
		return outcome;
	root = output_object();
	if (!root || json_object_set_new(root, "packets", json_pack("[o]", row))) {
		json_decref(root);
		return REFUSED;
	}
	return output_json(l, root);
}

static enum outcome explain_in(const struct lbctl *l, struct aside *a,
			       struct explain_wish *wish)
{
	__u8 packet[FRAME_MADE_MAX];
	struct explained x = { .state = &a->state, .packet = packet };
	enum outcome outcome = explain_device(&a->state, wish->dev, &x.ifindex);

	if (outcome)
		return outcome;
	write_macs(&a->state, x.ifindex, &wish->frame);
	x.length = frame_make(&wish->frame, packet);
	return explain_packet(l, a, &x);
}

enum outcome explain_run(const struct lbctl *l, struct words *w)
{
	bool is_file = explain_is_file(w);
	struct explain_file file = {};
	struct explain_wish wish = {};
	enum outcome outcome = is_file ? explain_file_words(w, &file)
				       : explain_words(w, &wish);
	struct state live;
	struct aside a;

	if (outcome)
		return outcome;
	if (state_open(&live, &l->where, STATE_READ))
		return REFUSED;
	if (aside_open(&live, &a)) {
		outcome = REFUSED;
	} else {
		outcome = is_file ? explain_file(l, &a, &file) : explain_in(l, &a, &wish);
		aside_close(&a);
	}
	state_close(&live);
	return outcome;
}
