/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checksum.bpf.h - change a checksum by what changed (RFC 1624, equation 3).
 *
 * The one's complement sum does not care for byte order, so words are added as they lie
 * in the packet.  A change is gathered in 64 bits and folded once.
 */
#ifndef LB_CHECKSUM_BPF_H
#define LB_CHECKSUM_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* What replacing @from by @to, 16 or 32 bits in network order, adds to a sum. */
static __always_inline __u64 csum_change(__u32 from, __u32 to)
{
	return (__u64)(__u32)~from + to;
}

/* ~from of a 16-bit value has ones above it, which add 0xffff and so nothing. */
static __always_inline __u16 csum_apply(__u16 check, __u64 change)
{
	__u32 sum;

	change += (__u16)~check;
	/* Of fewer than 2^16 words of 32 bits: the carries, and both halves. */
	sum = (change >> 32) + (change >> 16 & 0xffff) + (change & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

#endif /* LB_CHECKSUM_BPF_H */
