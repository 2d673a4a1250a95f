/* SPDX-License-Identifier: GPL-2.0-only */
/* live.bpf.h - how many flows each backend has. */
#ifndef LB_LIVE_BPF_H
#define LB_LIVE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

#include "records.bpf.h"

/* Backend id -> flows that name it and are not closed.  Written by flow_write.bpf.h. */
static __always_inline __u64 *live_get(__u32 id)
{
	struct lb_records *all = records();

	return all ? &all->live[LB_BELOW(LB_MAX_BACKENDS, id)] : NULL;
}

#endif /* LB_LIVE_BPF_H */
