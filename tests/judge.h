/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge.h - is a packet well formed, going by its bytes alone?
 *
 * Code of its own: it shares nothing with the data path and little with packet.h, which
 * builds packets that are right.
 */
#ifndef TEST_JUDGE_H
#define TEST_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

enum sum {
	SUM_UNKNOWN, /* a fragment, an unknown protocol, or cut short */
	SUM_NONE,    /* UDP over IPv4 without one; GUE over IPv6 too */
	SUM_RIGHT,
	SUM_WRONG,
};

/* clang-format off */
struct judgement {
	__u16 family;		/* 4, 6, or 0: no IP, or its header is not whole */
	__u8 protocol;		/* behind all extension headers */
	bool fragment;
	bool fits;		/* IP says no more bytes than there are */
	bool header_right;	/* the IPv4 header's checksum; true of IPv6 */
	enum sum sum;		/* of TCP, UDP, ICMP and ICMPv6 */
	size_t l3, l4, end;	/* offsets; end: where the IP packet ends */
};
/* clang-format on */

struct judgement judge(const __u8 *pkt, size_t len);
/* The same of what is inside of an IP-in-IP or GUE packet. */
struct judgement judge_inner(const __u8 *pkt, size_t len, const struct judgement *outer);

/* And of what an ICMP error quotes. */
struct judgement judge_quote(const __u8 *pkt, size_t len, const struct judgement *error);

/* Make the checksums right, where there are any. */
void judge_repair(__u8 *pkt, size_t len);

#endif /* TEST_JUDGE_H */
