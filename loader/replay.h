/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay.h - the parts of `lbctl replay`: packets tried and counted, and what came of it.
 */
#ifndef LB_REPLAY_H
#define LB_REPLAY_H

#include <jansson.h>

#include "aside.h"
#include "command.h"
#include "packets.h"

/* What came of the packets of a file, by one configuration. */
struct replay_sum {
	__u64 packets;
	__u64 reasons[LB_REASON_MAX];
	json_t *flows;	  /* "SERVICE CLIENT" -> backend, or "-" */
	json_t *backends; /* "SERVICE BACKEND" -> { packets, bytes, flows } */
};

int replay_sum_init(struct replay_sum *sum);
void replay_sum_free(struct replay_sum *sum);
/* Count a packet that was tried on a copy whose state is @s. */
void replay_count(struct replay_sum *sum, const struct state *s,
		  const struct packet_read *packet, const struct aside_result *r);

/* @then: by the other configuration, or NULL. */
enum outcome replay_show(const struct lbctl *l, const struct replay_sum *now,
			 const struct replay_sum *then, const struct packets_left *left);

#endif /* LB_REPLAY_H */
