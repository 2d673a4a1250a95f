/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packets.h - the packets of a file, as tcpdump, tshark and `lbctl trace` write them.
 */
#ifndef LB_PACKETS_H
#define LB_PACKETS_H

#include "state.h"

struct packets;

/* A packet as it would come; valid until the next one. */
struct packet_read {
	const __u8 *bytes;
	__u32 length;
	__u32 was; /* bytes: more than `length`, if it was cut */
};

/* What was left out. */
struct packets_left {
	__u64 ours;  /* sent by an interface that has the chain */
	__u64 other; /* neither Ethernet nor IP */
};

/* "-": standard input.  What the interfaces of @s sent did not come to the chain, and is left
 * out.  NULL: reported. */
struct packets *packets_open(const char *path, const struct state *s);
/* False: there is no more, or packets_failed(), which was reported. */
bool packets_next(struct packets *p, struct packet_read *ret);
bool packets_failed(const struct packets *p);
struct packets_left packets_left_out(const struct packets *p);
void packets_close(struct packets *p);

#endif /* LB_PACKETS_H */
