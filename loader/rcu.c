// SPDX-License-Identifier: GPL-2.0-only
/*
 * rcu.c - wait until no program runs that could have seen what was before.
 *
 * The bpf() syscall waits for an RCU grace period whenever an element of a map of maps is
 * written (maybe_wait_bpf_programs() in kernel/bpf/syscall.c, since 4.20), so a map of
 * maps that nobody uses is a way to ask for one.  membarrier(), the documented way, does
 * nothing on one CPU and fails with nohz_full; it stands in if there is no memory.
 */
#include "rcu.h"

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

static int outer_fd = -1, inner_fd = -1;

static int make_maps(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);

	inner_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "wait_inner", 4, 4, 1, NULL);
	if (inner_fd < 0)
		return -1;
	opts.inner_map_fd = inner_fd;
	outer_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "wait", 4, 4, 1, &opts);
	if (outer_fd < 0) {
		close(inner_fd);
		return -1;
	}
	return 0;
}

void rcu_wait(void)
{
	__u32 zero = 0;

	if (outer_fd < 0 && make_maps())
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	else
		bpf_map_update_elem(outer_fd, &zero, &inner_fd, 0);
}
