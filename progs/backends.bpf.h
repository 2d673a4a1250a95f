/* SPDX-License-Identifier: GPL-2.0-only */
/* backends.bpf.h - the backends' records. */
#ifndef LB_BACKENDS_BPF_H
#define LB_BACKENDS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

/* Backend id -> its record.  Written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LB_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, struct lb_backend);
} lb_backends SEC(".maps");

static __always_inline struct lb_backend *backend_get(__u32 id)
{
	return bpf_map_lookup_elem(&lb_backends, &id);
}

#endif /* LB_BACKENDS_BPF_H */
