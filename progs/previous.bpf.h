/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * previous.bpf.h - the tables before the ones that services have.
 *
 * Apart from services.bpf.h, because two programs alone look at them: lb_unknown and the
 * policies that it asks.
 */
#ifndef LB_PREVIOUS_BPF_H
#define LB_PREVIOUS_BPF_H

#include "services.bpf.h"

/* Service id -> its table before lb_tables[id].  Written by lbctl, before that is. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, LB_MAX_SERVICES);
	__type(key, __u32);
	__array(values, struct lb_table_map);
} lb_previous SEC(".maps");

#endif /* LB_PREVIOUS_BPF_H */
