/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * address.bpf.h - addresses of either family; @family is a constant where it matters.
 */
#ifndef LB_ADDRESS_BPF_H
#define LB_ADDRESS_BPF_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __always_inline void copy_address(__be32 *to, const __be32 *from, int family)
{
	to[0] = from[0];
	if (family == 4)
		return;
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

static __always_inline bool address_equal(const __be32 *a, const __be32 *b, int family)
{
	if (family == 4)
		return a[0] == b[0];
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

#endif /* LB_ADDRESS_BPF_H */
