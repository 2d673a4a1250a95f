// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_objects.c - each object by itself: it loads, and keeps the rules for programs.
 *
 * The ceilings are on what the verifier walks through (verified_insns), about half again
 * what the object needs on the kernel it was measured on: other kernels and compilers
 * differ, and a program that grows past its ceiling has got a new loop or a new fork.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

/* clang-format off */
static const struct object {
	const char *path;		/* in the build folder */
	const char *program;
	__u32 ceiling;
} objects[] = {
	{ "progs/lb_entry", "lb_entry", 20 },
	{ "progs/lb_parse", "lb_parse", 85000 },
	{ "progs/lb_rewrite", "lb_rewrite", 85000 },
	{ "progs/lb_dsr", "lb_dsr", 28000 },
	{ "progs/lb_encap", "lb_encap", 100000 },
	{ "progs/lb_wide", "lb_wide", 15000 },
	{ "progs/lb_reply", "lb_reply", 22000 },
	{ "progs/lb_icmp", "lb_icmp", 55000 },
	{ "progs/lb_icmp_nat", "lb_icmp_nat", 32000 },
	{ "progs/lb_mss", "lb_mss", 22000 },
	{ "progs/lb_client", "lb_client", 10000 },
	{ "progs/lb_admit", "lb_admit", 20000 },
	{ "progs/lb_unknown", "lb_unknown", 2700 },
	{ "progs/lb_answer", "lb_answer", 8000 },
	{ "progs/lb_capture", "lb_capture", 38000 },
	{ "progs/lb_trace", "lb_trace", 1000 },
	{ "progs/lb_local", "lb_local", 62000 },
	{ "progs/lb_resolve", "lb_resolve", 200 },
	{ "progs/lb_control", "lb_clock", 40 },
	{ "progs/lb_control", "lb_evict", 2000 },
	{ "progs/lb_gate", "lb_ask", 300 },
	{ "progs/lb_gate", "lb_hear", 100 },
	{ "progs/lb_explain", "lb_explain", 200 },
	{ "policies/round_robin", "round_robin", 2200 },
	{ "policies/hash", "hash", 2200 },
	{ "policies/source_hash", "source_hash", 11000 },
	{ "policies/weighted", "weighted", 2200 },
	{ "policies/primary_standby", "primary_standby", 2200 },
	{ "policies/random", "random", 2200 },
	{ "policies/p2c", "p2c", 2000 },
	{ "policies/least_conn", "least_conn", 2500 },
	{ "policies/match", "match", 46000 },
};

/* clang-format on */

#define N_OBJECTS (sizeof(objects) / sizeof(objects[0]))

static void loads(void **state)
{
	const struct object *o = *state;
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	struct stage s;
	int fd;

	stage_init(&s, 0, 0);
	stage_load(&s, o->path);
	fd = stage_program(&s, o->program);
	assert_return_code(bpf_obj_get_info_by_fd(fd, &info, &len), errno);
	print_message("# %s: %u instructions verified\n", o->program,
		      info.verified_insns);
	assert_in_range(info.verified_insns, 1, o->ceiling);
	/* A longer name is cut, and lbctl and xdp-loader would show another one. */
	assert_true(strlen(o->program) <= BPF_OBJ_NAME_LEN - 1);
	assert_string_equal(info.name, o->program);
	stage_close(&s);
}

static bool is_xdp(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	assert_return_code(bpf_obj_get_info_by_fd(fd, &info, &len), errno);
	return info.type == BPF_PROG_TYPE_XDP;
}

/* All XDP programs agree in what a PROG_ARRAY asks of its programs. */
static void stages_can_share_a_prog_array(void **state)
{
	int array =
		bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "array", 4, 4, N_OBJECTS, NULL);

	(void)state;
	assert_return_code(array, errno);
	for (__u32 i = 0; i < N_OBJECTS; i++) {
		struct stage s;
		int fd;

		stage_init(&s, 0, 0);
		stage_load(&s, objects[i].path);
		fd = stage_program(&s, objects[i].program);
		if (is_xdp(fd) && bpf_map_update_elem(array, &i, &fd, 0))
			fail_msg("%s: %s", objects[i].program, strerror(errno));
		stage_close(&s);
	}
	close(array);
}

/* Nothing in the build folder is without a ceiling. */
static void no_object_is_forgotten(void **state)
{
	static const char *const folders[] = { "progs", "policies" };
	const char *build = getenv("BUILD") ?: "build";
	char path[512];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct dirent *entry;
		DIR *dir;

		snprintf(path, sizeof(path), "%s/%s", build, folders[i]);
		dir = opendir(path);
		assert_non_null(dir);
		while ((entry = readdir(dir))) {
			bool known = false;

			if (!strstr(entry->d_name, ".bpf.o"))
				continue;
			snprintf(path, sizeof(path), "%s/%s", folders[i], entry->d_name);
			for (size_t j = 0; j < N_OBJECTS; j++)
				known |= !strncmp(path, objects[j].path,
						  strlen(path) - strlen(".bpf.o"));
			if (!known)
				fail_msg("%s/%s has no row here", folders[i],
					 entry->d_name);
		}
		closedir(dir);
	}
}

int main(void)
{
	struct CMUnitTest units[N_OBJECTS + 2];

	for (size_t i = 0; i < N_OBJECTS; i++)
		units[i] = (struct CMUnitTest){
			.name = objects[i].program,
			.test_func = loads,
			.initial_state = (void *)&objects[i],
		};
	units[N_OBJECTS] =
		(struct CMUnitTest)cmocka_unit_test(stages_can_share_a_prog_array);
	units[N_OBJECTS + 1] =
		(struct CMUnitTest)cmocka_unit_test(no_object_is_forgotten);
	return cmocka_run_group_tests_name("objects", units, NULL, NULL);
}
