// SPDX-License-Identifier: GPL-2.0-only
/*
 * floor.c - measure what floor.bpf.c has, as rows like the others.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"
#include "frame.h"
#include "path.h"

static struct bpf_object *open_floor(__u32 flows)
{
	const char *build = getenv("BUILD") ?: "build";
	struct bpf_program *prog;
	struct bpf_object *obj;
	char path[256];

	snprintf(path, sizeof(path), "%s/bench/floor.bpf.o", build);
	obj = bpf_object__open(path);
	if (!obj)
		fail_msg("%s: %s; run make first", path, strerror(errno));
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_expected_attach_type(prog, 0);
	assert_int_equal(bpf_map__set_max_entries(
				 bpf_object__find_map_by_name(obj, "floor_flows"), flows),
			 0);
	if (bpf_object__load(obj))
		fail_msg("%s: cannot load: %s", path, strerror(errno));
	return obj;
}

static int program(const struct bpf_object *obj, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(obj, name));
}

static __u64 counted(const struct bpf_object *obj)
{
	__u64 all[libbpf_num_possible_cpus()], sum = 0;
	__u32 zero = 0;

	assert_return_code(
		bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(obj, "floor_counts"),
				    &zero, all),
		errno);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum += all[i];
	return sum;
}

void floor_run(const struct row *row, struct result *ret)
{
	struct measure_frame frame = frame_from_client(row, TH_ACK);
	struct bpf_object *obj = open_floor(row->table);
	int end = program(obj, "floor_end");
	__u32 zero = 0;
	__u64 before;

	stage_pin(0);
	assert_return_code(
		bpf_map_update_elem(bpf_object__find_map_fd_by_name(obj, "floor_next"),
				    &zero, &end, 0),
		errno);
	frame.flows = row->flows;
	frame.order = WRAP_UNIQUE;
	measure_feed(program(obj, "floor_lru_fill"), &frame, row->flows);
	frame.order = WRAP_RANDOM;
	before = counted(obj);
	if (row->path == PATH_LOOP)
		measure_loop(&frame, &ret->times);
	else
		measure_run(program(obj, row->path == PATH_LRU ? "floor_lru"
							       : "floor_tail_call"),
			    MEASURE_NOTHING, &frame, &ret->times);
	ret->verified = (double)(counted(obj) - before) / ret->times.packets;
	if (row->path == PATH_LOOP)
		ret->verified = 1; /* the loop has no other way */
	bpf_object__close(obj);
}
