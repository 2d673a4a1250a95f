// SPDX-License-Identifier: GPL-2.0-only
/*
 * counts.c - what the data path counted, summed over the CPUs.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "state.h"

_Static_assert(sizeof(struct lb_count) % 8 == 0,
	       "per-CPU values are in steps of 8 bytes");
_Static_assert(sizeof(struct lb_reason_count) % 8 == 0, "per-CPU values likewise");

static int sum_count(int fd, __u32 id, struct lb_count *ret)
{
	int i, n = libbpf_num_possible_cpus();
	struct lb_count cpu[n];

	memset(ret, 0, sizeof(*ret));
	if (bpf_map_lookup_elem(fd, &id, cpu))
		return -errno;
	for (i = 0; i < n; i++) {
		ret->packets += cpu[i].packets;
		ret->bytes += cpu[i].bytes;
		ret->drops += cpu[i].drops;
		if (cpu[i].drops && cpu[i].last_drop >= ret->last_drop) {
			ret->last_drop = cpu[i].last_drop;
			ret->drop_reason = cpu[i].drop_reason;
		}
	}
	return 0;
}

int state_service_count(const struct state *s, __u32 id, struct lb_count *ret)
{
	return sum_count(s->service_counts_fd, id, ret);
}

int state_backend_count(const struct state *s, __u32 id, struct lb_count *ret)
{
	return sum_count(s->backend_counts_fd, id, ret);
}

int state_reasons(const struct state *s, struct lb_reason_count ret[LB_REASON_MAX])
{
	int i, n = libbpf_num_possible_cpus();
	struct lb_reason_count cpu[n];
	__u32 reason;

	memset(ret, 0, LB_REASON_MAX * sizeof(*ret));
	for (reason = 0; reason < LB_REASON_MAX; reason++) {
		if (bpf_map_lookup_elem(s->reasons_fd, &reason, cpu))
			return -errno;
		for (i = 0; i < n; i++) {
			__u64 packets = ret[reason].packets + cpu[i].packets;

			if (cpu[i].packets && cpu[i].last >= ret[reason].last)
				ret[reason] = cpu[i];
			ret[reason].packets = packets;
		}
	}
	return 0;
}

int state_events(const struct state *s, __u64 ret[LB_EVENT_MAX])
{
	int i, n = libbpf_num_possible_cpus();
	__u64 cpu[n];
	__u32 event;

	memset(ret, 0, LB_EVENT_MAX * sizeof(*ret));
	for (event = 0; event < LB_EVENT_MAX; event++) {
		if (bpf_map_lookup_elem(s->events_fd, &event, cpu))
			return -errno;
		for (i = 0; i < n; i++)
			ret[event] += cpu[i];
	}
	return 0;
}
