// SPDX-License-Identifier: GPL-2.0-only
/*
 * counts.c - read what the stages counted: sums over the CPUs.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>

#include "stage.h"

/* clang-format off */
static const char *const reason_names[LB_REASON_MAX] = {
	[LB_REASON_NONE] = "none",
#define X(id, name, verdict, meaning) [LB_REASON_##id] = (name),
	LB_REASONS(X)
#undef X
};
/* clang-format on */

const char *stage_reason_name(enum lb_reason reason)
{
	return reason < LB_REASON_MAX ? reason_names[reason] : "?";
}

__u64 stage_reason(const struct stage *s, enum lb_reason reason)
{
	struct lb_reason_count all[libbpf_num_possible_cpus()];
	__u32 key = reason;
	__u64 sum = 0;

	assert_return_code(bpf_map_lookup_elem(stage_map(s, "lb_reasons"), &key, all),
			   errno);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum += all[i].packets;
	return sum;
}

void stage_print_reasons(const struct stage *s)
{
	for (enum lb_reason r = 0; r < LB_REASON_MAX; r++) {
		__u64 n = stage_reason(s, r);

		if (n)
			print_message("  reason %s: %llu\n", stage_reason_name(r), n);
	}
}

__u64 stage_event(const struct stage *s, enum lb_event event)
{
	__u64 all[libbpf_num_possible_cpus()], sum = 0;
	__u32 key = event;

	assert_return_code(bpf_map_lookup_elem(stage_map(s, "lb_events"), &key, all),
			   errno);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum += all[i];
	return sum;
}

static struct lb_count count_of(const struct stage *s, const char *map, __u32 id)
{
	struct lb_count all[libbpf_num_possible_cpus()], sum = {};

	assert_return_code(bpf_map_lookup_elem(stage_map(s, map), &id, all), errno);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++) {
		sum.packets += all[i].packets;
		sum.bytes += all[i].bytes;
		sum.drops += all[i].drops;
		if (all[i].last_drop > sum.last_drop) {
			sum.last_drop = all[i].last_drop;
			sum.drop_reason = all[i].drop_reason;
		}
	}
	return sum;
}

struct lb_count stage_service_count(const struct stage *s, __u32 id)
{
	return count_of(s, "lb_service_counts", id);
}

struct lb_count stage_backend_count(const struct stage *s, __u32 id)
{
	return count_of(s, "lb_backend_counts", id);
}
