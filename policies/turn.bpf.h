/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * turn.bpf.h - whose turn it is: a counter per service and CPU.
 *
 * Per CPU, because an atomic counter that two CPUs share costs 35 ns and one that is not
 * atomic loses half of its increments.  Each CPU begins at another slot, so that the first
 * flows of a new service, one per CPU, do not all go to its first backend.
 *
 * With persistence none packets are counted, not flows, and who asks for that wants each
 * backend in turn: there all CPUs share one atomic counter, and the order is strict.
 */
#ifndef LB_TURN_BPF_H
#define LB_TURN_BPF_H

#include "lb_policy.bpf.h"

/* Service id -> flows chosen on this CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_MAX_SERVICES);
	__type(key, __u32);
	__type(value, __u32);
} turns SEC(".maps");

/* Service id -> packets chosen on all CPUs, with persistence none. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_MAX_SERVICES);
	__type(key, __u32);
	__type(value, __u64);
} packet_turns SEC(".maps");

/* The next slot in turn. */
static __always_inline __u32 next_turn(const struct lb_policy_flow *flow,
				       const struct lb_table *table)
{
	__u32 *turn;

	if (flow->per_packet) {
		__u64 *all = bpf_map_lookup_elem(&packet_turns, &flow->service);

		return all ? __sync_fetch_and_add(all, 1) % table->n_slots : LB_NO_SLOT;
	}

	turn = bpf_map_lookup_elem(&turns, &flow->service);
	if (!turn)
		return LB_NO_SLOT;

	return ((*turn)++ + bpf_get_smp_processor_id()) % table->n_slots;
}

#endif /* LB_TURN_BPF_H */
