/* SPDX-License-Identifier: GPL-2.0-only */
/* live.bpf.h - how many flows each backend has. */
#ifndef LB_LIVE_BPF_H
#define LB_LIVE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

/* Backend id -> flows that name it and are not closed.  Written by flow_write.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LB_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, __u64);
} lb_live SEC(".maps");

#endif /* LB_LIVE_BPF_H */
