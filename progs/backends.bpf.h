/* SPDX-License-Identifier: GPL-2.0-only */
/* backends.bpf.h - the backends' records: never NULL in stages. */
#ifndef LB_BACKENDS_BPF_H
#define LB_BACKENDS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

#include "records.bpf.h"

static __always_inline struct lb_backend *backend_get(__u32 id)
{
	struct lb_records *all = records();

	return all ? LB_OPAQUE(&all->backends[LB_BELOW(LB_MAX_BACKENDS, id)]) : NULL;
}

#endif /* LB_BACKENDS_BPF_H */
