/* SPDX-License-Identifier: GPL-2.0-only */
/* flood.h - what flood.bpf.c and the test that runs it agree on. */
#ifndef TEST_FLOOD_H
#define TEST_FLOOD_H

#include <linux/types.h>

/* clang-format off */
/* Two kinds of four are client's segments: TCP makes most of the traffic. */
enum flood_kind { FLOOD_SEGMENT, FLOOD_REPLY, FLOOD_DATAGRAM, FLOOD_SEGMENT_TOO, FLOOD_KINDS };

#define FLOOD_SIZE	64	/* untagged IPv4 without options */
#define FLOOD_CLIENTS	150	/* ports from 1000 on */
#define FLOOD_PORT_LOW	20000	/* translated ports of replies */
#define FLOOD_PORTS	64

/* clang-format on */

struct flood_packet {
	__u64 word[FLOOD_SIZE / 8];
};

#endif /* TEST_FLOOD_H */
