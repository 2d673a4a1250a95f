/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * services.bpf.h - the records of services and backends, and the tables that policies
 * choose from.
 */
#ifndef LB_SERVICES_BPF_H
#define LB_SERVICES_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

#include "backends.bpf.h"

/* A table: struct lb_table, then struct lb_table_slots.  Of any length. */
struct lb_table_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32)); /* clang 14 leaves types behind inner maps out */
	__uint(value_size, sizeof(struct lb_table));
};

/* Service id -> its table.  Written by lbctl: one pointer flips all of it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, LB_MAX_SERVICES);
	__type(key, __u32);
	__array(values, struct lb_table_map);
} lb_tables SEC(".maps");

/* Never NULL in stages. */
static __always_inline const struct lb_service *service_get(__u32 id)
{
	struct lb_records *all = records();

	return all ? LB_OPAQUE(&all->services[LB_BELOW(LB_MAX_SERVICES, id)]) : NULL;
}

#endif /* LB_SERVICES_BPF_H */
