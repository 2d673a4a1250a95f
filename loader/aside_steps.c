// SPDX-License-Identifier: GPL-2.0-only
/*
 * aside_steps.c - lb_explain before each stage and policy of a private copy.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aside.h"
#include "object.h"
#include "pins.h"
#include "report.h"

/* An lb_explain that stands at @place: its program; -errno, reported. */
static int load_at(const struct state *s, struct lb_place place)
{
	struct bpf_object *obj;
	struct bpf_map *map;
	char path[320];
	size_t size = 0;
	void *said;
	int err;

	snprintf(path, sizeof(path), "%s/progs/lb_explain.bpf.o", s->objects);
	err = object_open(s, path, &obj);
	if (err)
		return err;
	map = bpf_object__find_map_by_name(obj, ".rodata.place");
	said = map ? (void *)bpf_map__initial_value(map, &size) : NULL;
	if (size == sizeof(place))
		memcpy(said, &place, size);
	err = object_load(obj, path);
	if (!err)
		err = object_pin_maps(s, obj);
	if (!err)
		err = dup(bpf_program__fd(object_xdp_program(obj)));
	bpf_object__close(obj);
	return err;
}

/* What is in a PROG_ARRAY's slot; -ENOENT: nothing. */
static int get(int array, __u32 slot)
{
	__u32 id;
	int fd;

	if (bpf_map_lookup_elem(array, &slot, &id))
		return -errno;
	fd = bpf_prog_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

/* Whoever calls the stage or policy at @place comes to lb_explain first. */
static int step_in(const struct state *s, int array, const char *real_name,
		   struct lb_place place, __u32 slot, int *ret_prog)
{
	int real = get(array, slot), prog, reals, err;

	*ret_prog = -1;
	if (real < 0)
		return real == -ENOENT ? 0 : real;
	prog = load_at(s, place);
	reals = prog < 0 ? -1 : pins_get(s, PIN_MAPS, real_name);
	err = prog < 0 ? prog : reals < 0 ? reals : 0;
	if (!err && (bpf_map_update_elem(reals, &slot, &real, 0) ||
		     bpf_map_update_elem(array, &slot, &prog, 0)))
		err = -errno;
	close(real);
	if (reals >= 0)
		close(reals);
	*ret_prog = prog;
	return err;
}

static int listen_to_stages(struct aside *a, int array)
{
	__u32 slot, capture = LB_STAGE_CAPTURE;
	int err = 0, prog;

	/* Nothing is captured: lb_parse goes on by itself. */
	bpf_map_delete_elem(array, &capture);
	for (slot = 0; slot < LB_STAGE_MAX && !err; slot++) {
		err = step_in(&a->state, array, "lb_real_stages",
			      (struct lb_place){ .stage = slot }, slot, &prog);
		if (slot == LB_STAGE_PARSE)
			a->begin = prog;
		else if (prog >= 0)
			close(prog);
	}
	return err;
}

static int listen_to_policies(struct aside *a, int array)
{
	int err = 0, prog;
	__u32 slot;

	for (slot = 0; slot < LB_MAX_POLICIES && !err; slot++) {
		struct lb_place place = { .stage = LB_STAGE_POLICY, .slot = slot };

		err = step_in(&a->state, array, "lb_real_policies", place, slot, &prog);
		if (prog >= 0)
			close(prog);
	}
	return err;
}

/* ---- whether they are what runs ------------------------------------------------------- */

static void get_tag(int array, __u32 slot, __u8 ret[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int fd = get(array, slot);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size))
		memcpy(ret, info.tag, BPF_TAG_SIZE);
	if (fd >= 0)
		close(fd);
}

void aside_compare_stages(const struct aside *a, const struct state *live)
{
	int theirs = state_map_fd(live, "lb_stages");
	int ours = state_map_fd(&a->state, "lb_stages");
	bool differs = false;
	__u32 slot;

	for (slot = 0; slot < LB_STAGE_MAX && theirs >= 0 && ours >= 0; slot++) {
		__u8 runs[BPF_TAG_SIZE] = {}, loaded[BPF_TAG_SIZE] = {};

		get_tag(theirs, slot, runs);
		get_tag(ours, slot, loaded);
		differs |= memcmp(runs, loaded, sizeof(runs));
	}
	if (differs)
		report_warning(
			"%s/progs: not the stages that run, but another build; what "
			"is said here is of those in the files",
			a->state.objects);
	if (theirs >= 0)
		close(theirs);
	if (ours >= 0)
		close(ours);
}

/* ---- lb_explain in front -------------------------------------------------------------- */

static int map_steps(struct aside *a)
{
	int fd = state_map_fd(&a->state, "lb_steps");
	void *steps = MAP_FAILED;

	if (fd >= 0) {
		steps = mmap(NULL, sizeof(*a->steps), PROT_READ | PROT_WRITE, MAP_SHARED,
			     fd, 0);
		close(fd);
	}
	if (steps == MAP_FAILED)
		return -EIO;
	a->steps = steps;
	return 0;
}

int aside_listen(struct aside *a)
{
	int stages = state_map_fd(&a->state, "lb_stages");
	int policies = state_map_fd(&a->state, "lb_policies");
	int err = stages < 0 ? stages : policies < 0 ? policies : 0;

	if (!err)
		err = listen_to_stages(a, stages);
	if (!err)
		err = listen_to_policies(a, policies);
	if (!err)
		err = map_steps(a);
	if (err)
		report("%s/progs/lb_explain.bpf.o: cannot be put into a private copy: %s",
		       a->state.objects, strerror(-err));
	else /* all ways out lead to LB_STAGE_TRACE */
		__atomic_store_n(&a->state.switches->trace, 1, __ATOMIC_RELEASE);
	if (stages >= 0)
		close(stages);
	if (policies >= 0)
		close(policies);
	return err;
}
