/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sweep.bpf.h - end flows that have timed out before somebody needs their place.
 *
 * A flow that timed out is noticed only when its bucket needs room, and is counted as
 * live until then.  For max-flows that is too late: a backend that is full makes no flows, so no
 * room is needed, and it would be full for ever.  So who finds one full sweeps the table on,
 * some buckets for each jiffy since the last time: at most a hundredth of a CPU's time, and
 * nothing while no backend is full.
 */
#ifndef LB_SWEEP_BPF_H
#define LB_SWEEP_BPF_H

#include "flow_write.bpf.h"

#define SWEEP_A_JIFFY 64   /* buckets; 50 to 100 ns each if they are not in the cache */
#define SWEEP_MOST    1024 /* for one packet */

/* 4 or 6 -> what was swept last. */
struct sweep {
	__u32 last; /* jiffies */
	__u32 next; /* bucket */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 7);
	__type(key, __u32);
	__type(value, struct sweep);
} sweeps SEC(".maps");

struct sweep_run {
	__u32 family;
	__u32 first; /* bucket */
	__u32 now;
};

/* Without branches: the verifier would go through each way's outcome for each of the others. */
static __always_inline bool has_expired(const struct lb_bucket *b, __u32 now)
{
	__u64 any = 0;

#pragma unroll
	for (__u32 way = 0; way < LB_FLOW_WAYS; way++) {
		__s64 age = (__s32)(now - b->seen[way]);

		any |= (is_zero(b->tag[way]) - 1) &
		       ((__s64)lb_profiles.of[b->state[way]] - age) >> 63;
	}
	return any;
}

/* End what has timed out in @b, whose lock is ours. */
static __always_inline void end_expired(struct lb_bucket *b, int family, __u32 now)
{
	const struct timeouts *t = &lb_profiles;

#pragma unroll
	for (__u32 way = 0; way < LB_FLOW_WAYS; way++)
		if (b->tag[way] && flow_expired(t, b->state[way], b->seen[way], now))
			flow_evict(b, family, way, LB_EVENT_EVICTED_EXPIRED);
}

static __always_inline long sweep_bucket(__u32 i, const struct sweep_run *run, int family)
{
	struct lb_bucket *b =
		bucket_get(family, (run->first + i) & (lb_params.flow_buckets - 1));

	if (!b || !has_expired(b, run->now) || !bucket_lock(b))
		return 0;
	end_expired(b, family, run->now);
	bucket_unlock(b);
	return 0;
}

static long sweep_bucket4(__u32 i, struct sweep_run *run)
{
	return sweep_bucket(i, run, 4);
}

static long sweep_bucket6(__u32 i, struct sweep_run *run)
{
	return sweep_bucket(i, run, 6);
}

/* Sweep flow table @family on, if a jiffy has passed since; true if anything was done. */
__noinline bool sweep_flows(__u32 family, __u32 now)
{
	struct sweep_run run = { .family = family, .now = now };
	struct sweep *s = bpf_map_lookup_elem(&sweeps, &family);
	__u32 last, n;

	if (!s)
		return false;
	last = READ_ONCE(s->last);
	/* Another CPU may be a jiffy ahead of us, or be sweeping. */
	if (now - last + 1 <= 1 ||
	    __sync_val_compare_and_swap(&s->last, last, now) != last)
		return false;
	n = now - last > SWEEP_MOST / SWEEP_A_JIFFY ? SWEEP_MOST
						    : (now - last) * SWEEP_A_JIFFY;
	if (n > lb_params.flow_buckets)
		n = lb_params.flow_buckets;
	run.first = __sync_fetch_and_add(&s->next, n);
	if (family == 4)
		bpf_loop(n, sweep_bucket4, &run, 0);
	else
		bpf_loop(n, sweep_bucket6, &run, 0);
	return true;
}

#endif /* LB_SWEEP_BPF_H */
