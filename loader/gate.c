// SPDX-License-Identifier: GPL-2.0-only
/*
 * gate.c - the world in which policies are asked, made and taken apart.
 *
 * All maps whose names begin with lb_ are the world's own and small: what a policy writes
 * into them concerns nobody.
 */
#include "gate.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate_world.h"
#include "object.h"
#include "report.h"

static int fd_of(const struct gate *g, const char *map)
{
	return bpf_map__fd(object_find_map(g->world, map));
}

static int put(int map, __u32 slot, int fd)
{
	return bpf_map_update_elem(map, &slot, &fd, 0) ? -errno : 0;
}

static void *map_memory(int fd, size_t size)
{
	void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return address == MAP_FAILED ? NULL : address;
}

/* Counts of backends are one for each CPU, and need not be as many as in an instance. */
static int shrink(struct bpf_object *world)
{
	return bpf_map__set_max_entries(bpf_object__find_map_by_name(world,
								     "lb_backend_counts"),
					LB_TRIAL_BACKENDS);
}

/* lb_hear in the place of all stages; lb_trace among them, which hears of drops, too. */
static int put_stages(struct gate *g)
{
	struct lb_switches on = { .trace = 1 };
	__u32 i, zero = 0;
	int err = 0;

	for (i = 0; i < LB_STAGE_MAX && !err; i++)
		err = put(fd_of(g, "lb_stages"), i, g->hear);
	if (!err && bpf_map_update_elem(fd_of(g, "lb_switches"), &zero, &on, 0))
		err = -errno;
	return err;
}

static int fill(struct gate *g)
{
	int err;

	g->ask = bpf_program__fd(bpf_object__find_program_by_name(g->world, "lb_ask"));
	g->hear = bpf_program__fd(bpf_object__find_program_by_name(g->world, "lb_hear"));
	g->policies = fd_of(g, "lb_policies");
	g->trial = map_memory(fd_of(g, "lb_trials"), sizeof(*g->trial));
	g->records = map_memory(fd_of(g, "lb_records"), sizeof(*g->records));
	if (!g->trial || !g->records)
		return -ENOMEM;
	err = put_stages(g);
	return err ? err : gate_make_services(g);
}

/* How long it takes to ask nobody: lb_hear itself is the policy. */
static int measure_base(struct gate *g)
{
	const struct gate_part *part;
	__u32 i;

	g->base_ns = ~0U;
	g->err = put(g->policies, 0, g->hear);
	gate_make_flows(g);
	gate_plan(g);
	for (i = 0; i < 8; i++)
		part = gate_plan_part(g, LB_TABLE_UNIFORM, SET_TEN, 0, 1, 512);
	gate_run(g);
	for (i = 0; i < 8; i++, part--)
		g->base_ns = part->ns < g->base_ns ? part->ns : g->base_ns;
	gate_plan(g);
	gate_plan_part(g, LB_TABLE_UNIFORM, SET_TEN, 0, 1, 15);
	g->base_single_ns = gate_run_singly(g);
	return g->err;
}

static int make(struct gate *g)
{
	char path[320];
	int err;

	snprintf(path, sizeof(path), "%s/progs/lb_gate.bpf.o", g->state->objects);
	err = object_open_aside(g->state, path, NULL, &g->world);
	if (err)
		return err;
	err = shrink(g->world);
	if (!err)
		err = object_load(g->world, path);
	if (err)
		return err;
	err = fill(g);
	if (!err)
		err = measure_base(g);
	if (err)
		report("%s: policies cannot be asked in it: %s", path, strerror(-err));
	return err;
}

int gate_open(const struct state *s, struct gate **ret)
{
	struct gate *g = calloc(1, sizeof(*g));
	int err;

	if (!g) {
		report("out of memory");
		return -ENOMEM;
	}
	g->state = s;
	err = make(g);
	if (err)
		gate_close(g);
	else
		*ret = g;
	return err;
}

static void unmap(void *address, size_t size)
{
	if (address)
		munmap(address, size);
}

void gate_close(struct gate *g)
{
	bpf_object__close(g->policy);
	gate_free_services(g);
	unmap(g->records, sizeof(*g->records));
	unmap(g->trial, sizeof(*g->trial));
	bpf_object__close(g->world);
	free(g);
}

/* What the object says of its tunables, which is gone once it is loaded. */
static void read_tunables(struct gate *g)
{
	struct bpf_map *map = bpf_object__find_map_by_name(g->policy, ".rodata.tunables");
	size_t size = 0;
	const void *said = map ? bpf_map__initial_value(map, &size) : NULL;

	size = size < sizeof(g->tunable) ? size : sizeof(g->tunable);
	memset(g->tunable, 0, sizeof(g->tunable));
	if (said)
		memcpy(g->tunable, said, size);
	g->n_tunables = 0;
	while (g->n_tunables < LB_MAX_TUNABLES && g->tunable[g->n_tunables].name[0])
		g->n_tunables++;
}

void gate_tune(struct gate *g, enum gate_tuning how)
{
	int fd = bpf_object__find_map_fd_by_name(g->policy, "tunables");
	struct lb_tunables values = { .set = how == TUNED_INITIAL ? 0 : ~0U };
	__u32 i;

	for (i = 0; i < g->n_tunables; i++) {
		const struct lb_tunable *t = &g->tunable[i];

		values.value[i] = how == TUNED_LOW    ? t->low
				  : how == TUNED_HIGH ? t->high
						      : t->initial;
	}
	for (i = 0; i < LB_TABLE_KIND_MAX * GATE_SETS && g->n_tunables; i++)
		if (bpf_map_update_elem(fd, &i, &values, 0))
			g->err = -errno;
}

static int load(struct gate *g)
{
	int err;

	read_tunables(g);
	err = object_load(g->policy, g->path);
	if (err)
		return err;
	gate_tune(g, TUNED_INITIAL);
	err = g->err ? g->err
		     : put(g->policies, 0,
			   bpf_program__fd(object_xdp_program(g->policy)));
	if (err)
		report("%s: the kernel refuses to put it into a chain: %s", g->path,
		       strerror(-err));
	return err;
}

int gate_load(struct gate *g)
{
	int err;

	bpf_object__close(g->policy);
	g->policy = NULL;
	err = object_open_aside(g->state, g->path, g->world, &g->policy);
	return err ? err : load(g);
}

int gate_ask(struct gate *g, const char *path, const struct lb_policy_meta *meta,
	     struct gate_result *ret)
{
	bool kept;
	int err;

	memset(ret, 0, sizeof(*ret));
	g->path = path;
	g->meta = *meta;
	g->why = ret->why;
	g->cost_ns = 0;
	g->err = 0;
	err = gate_load(g);
	if (err)
		return err;
	kept = gate_judge(g);
	if (g->err) {
		report("%s: cannot be asked: %s", path, strerror(-g->err));
		return g->err;
	}
	ret->gate = kept ? LB_GATE_PASSED : LB_GATE_FORCED;
	ret->cost_ns = g->cost_ns;
	return 0;
}
