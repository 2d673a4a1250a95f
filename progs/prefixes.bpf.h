/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * prefixes.bpf.h - services of several addresses or ports, the most specific first.
 */
#ifndef LB_PREFIXES_BPF_H
#define LB_PREFIXES_BPF_H

#include <bpf/bpf_endian.h>

#include "address.bpf.h"
#include "chain.bpf.h"

/* Protocol and IPv4 prefix -> the services there.  Written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LB_MAX_PREFIXES);
	__type(key, struct lb_prefix_key4);
	__type(value, struct lb_prefix);
} lb_prefixes4 SEC(".maps");

/* The same for IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LB_MAX_PREFIXES);
	__type(key, struct lb_prefix_key6);
	__type(value, struct lb_prefix);
} lb_prefixes6 SEC(".maps");

static __always_inline const struct lb_prefix *
prefix_find(int family, const __be32 *address, __u8 protocol)
{
	struct lb_prefix_key4 key4 = { .length = LB_PREFIX_BITS(32),
				       .protocol = protocol };
	struct lb_prefix_key6 key6 = { .length = LB_PREFIX_BITS(128),
				       .protocol = protocol };

	if (family == 4) {
		copy_address(&key4.address, address, 4);
		return bpf_map_lookup_elem(&lb_prefixes4, &key4);
	}
	copy_address(key6.address, address, 6);
	return bpf_map_lookup_elem(&lb_prefixes6, &key6);
}

/* LB_SERVICE_REF of the service of @p that has @port, or 0. */
static __always_inline __u32 prefix_service(const struct lb_prefix *p, __be16 port)
{
	__u16 host = bpf_ntohs(port);

#pragma unroll
	for (__u32 i = 0; i < LB_PREFIX_RANGES; i++) {
		const struct lb_range *r = &p->range[i];

		if (i >= p->n)
			break;
		if (host >= r->low && host <= r->high)
			return r->service;
	}
	return 0;
}

/* Do ports not matter?  One service has all, and no other has some. */
static __always_inline bool prefix_has_one(const struct lb_prefix *p)
{
	return p->range[0].low == 0 && p->range[0].high == 0xffff;
}

#endif /* LB_PREFIXES_BPF_H */
