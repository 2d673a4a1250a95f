// SPDX-License-Identifier: GPL-2.0-only
/*
 * aside.c - an instance copied, and taken apart again.
 */
#include "aside.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "instance.h"
#include "map_copy.h"
#include "object.h"
#include "pins.h"
#include "repair.h"
#include "report.h"

/* libxdp's headers may come with another <linux/mount.h>; the numbers are the kernel's. */
#ifndef FSCONFIG_CMD_CREATE
#define FSCONFIG_CMD_CREATE 6
#endif

/* A BPF file system that nobody else can see; it ends with its descriptor. */
static int mount_own(void)
{
	int mount = -1, fs = syscall(SYS_fsopen, "bpf", 1 /* close on exec */);

	if (fs >= 0 && !syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = syscall(SYS_fsmount, fs, 1 /* close on exec */, 0);
	if (mount < 0) {
		mount = -errno;
		report("a BPF file system for the private copy: %s%s", strerror(errno),
		       errno == EPERM ? "; it takes CAP_SYS_ADMIN: run as root" : "");
	}
	if (fs >= 0)
		close(fs);
	return mount;
}

static int start(struct aside *a, const struct state *live)
{
	struct state_options where = { .objects = live->objects[0] ? live->objects
								   : NULL };
	char dir[64];
	int err;

	a->mount_fd = mount_own();
	if (a->mount_fd < 0)
		return a->mount_fd;
	snprintf(dir, sizeof(dir), "/proc/self/fd/%d/aside", a->mount_fd);
	where.pin_dir = dir;
	err = state_start(&a->state, &where, STATE_WRITE);
	if (!err)
		err = objects_locate(&a->state);
	return err ? err : state_create_like(&a->state, live);
}

/* ---- what is in the maps ------------------------------------------------------------ */

/* Counters begin at nothing; what is between two stages is no state. */
static int copy_map(struct aside *a, const struct state *live, const char *name)
{
	int from = pins_get(live, PIN_MAPS, name);
	int to = from < 0 ? -1 : pins_get(&a->state, PIN_MAPS, name), err = 0;

	if (to >= 0 && !map_is_per_cpu(from))
		err = map_copy(from, to);
	if (err == -EPROTO)
		report("%s/" PIN_MAPS
		       "/%s: was made by another version than this lbctl's",
		       live->dir, name);
	else if (err)
		report("%s/" PIN_MAPS "/%s: cannot be copied: %s", live->dir, name,
		       strerror(-err));
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return err;
}

static int copy_maps(struct aside *a, const struct state *live)
{
	struct dirent *entry;
	char path[PIN_PATH_SIZE];
	int err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/" PIN_MAPS, live->dir);
	dir = opendir(path);
	if (!dir) {
		report("%s: %s", path, strerror(errno));
		return -EIO;
	}
	while (!err && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			err = copy_map(a, live, entry->d_name);
	closedir(dir);
	return err;
}

/*
 * A flow that was caught half-written is none, and whoever held the lock is not here to give
 * it back.
 */
static void mend_bucket(struct lb_bucket *head, const void *flows, size_t size)
{
	int way;

	head->lock = 0;
	for (way = 0; way < LB_FLOW_WAYS; way++)
		if (((const struct lb_flow *)((const char *)flows + way * size))->version &
		    1)
			head->tag[way] = 0;
}

static int mend_flows(struct aside *a, const char *name, size_t bucket, size_t flow,
		      size_t at)
{
	__u32 n = a->state.config->params.flow_buckets, i;
	int fd = state_map_fd(&a->state, name);
	char *table;

	table = fd < 0 ? MAP_FAILED
		       : mmap(NULL, bucket * n, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			      0);
	if (fd >= 0)
		close(fd);
	if (table == MAP_FAILED) {
		report("%s: cannot be mapped: %s", name, strerror(errno));
		return -ENOMEM;
	}
	for (i = 0; i < n; i++)
		mend_bucket((struct lb_bucket *)(table + i * bucket),
			    table + i * bucket + at, flow);
	munmap(table, bucket * n);
	return 0;
}

static int mend(struct aside *a)
{
	int err = mend_flows(
		a, "lb_flows4", sizeof(struct lb_bucket4), sizeof(struct lb_flow4),
		offsetof(struct lb_bucket4, flow) + offsetof(struct lb_flow4, flow));

	return err ? err
		   : mend_flows(a, "lb_flows6", sizeof(struct lb_bucket6),
				sizeof(struct lb_flow6),
				offsetof(struct lb_bucket6, flow) +
					offsetof(struct lb_flow6, flow));
}

/* ---- opening and closing ------------------------------------------------------------ */

/* What is per CPU shall be the same for all that is tried. */
static void stay_here(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* If another lbctl is in the middle of a change, or died there, what the records say counts. */
static int repair(struct aside *a, bool is_dirty)
{
	if (!is_dirty)
		return 0;
	a->state.config->dirty = 1;
	return state_repair(&a->state);
}

int aside_open(const struct state *live, struct aside *ret)
{
	bool is_dirty = __atomic_load_n(&live->config->dirty, __ATOMIC_ACQUIRE);
	int err;

	memset(ret, 0, sizeof(*ret));
	ret->mount_fd = ret->begin = ret->state.lock_fd = -1;
	ret->out = malloc(2 * ASIDE_PACKET_MAX);
	stay_here();
	err = ret->out ? start(ret, live) : -ENOMEM;
	if (!err)
		err = copy_maps(ret, live);
	if (!err)
		err = mend(ret);
	if (!err)
		err = aside_load_policies(ret, live);
	is_dirty |= __atomic_load_n(&live->config->dirty, __ATOMIC_ACQUIRE);
	if (!err)
		err = repair(ret, is_dirty);
	if (!err)
		aside_compare_stages(ret, live);
	if (!err)
		err = aside_listen(ret);
	if (err)
		aside_close(ret);
	return err;
}

void aside_close(struct aside *a)
{
	if (a->steps)
		munmap(a->steps, sizeof(*a->steps));
	if (a->begin >= 0)
		close(a->begin);
	if (a->mount_fd >= 0) {
		if (a->state.config)
			state_close(&a->state);
		close(a->mount_fd);
	}
	free(a->out);
}

int aside_try(struct aside *a, const void *packet, __u32 length, __u32 ifindex,
	      struct aside_result *ret)
{
	struct xdp_md in = { .data_end = length, .ingress_ifindex = ifindex }, out = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = length,
		    .data_out = a->out, .data_size_out = 2 * ASIDE_PACKET_MAX,
		    .ctx_in = &in, .ctx_size_in = sizeof(in), .ctx_out = &out,
		    .ctx_size_out = sizeof(out));
	const struct lb_step *last = a->steps->step;

	a->steps->n = 0;
	if (bpf_prog_test_run_opts(a->begin, &opts))
		return -errno;
	*ret = (struct aside_result){ .verdict = opts.retval,
				      .packet = a->out + out.data,
				      .length = opts.data_size_out - out.data,
				      .step = a->steps->step,
				      .n_steps = a->steps->n };
	if (out.data >= sizeof(*ret->mark))
		ret->mark = (const void *)(a->out + out.data - sizeof(*ret->mark));
	if (ret->n_steps)
		last += ret->n_steps - 1;
	if (ret->n_steps && last->place.stage == LB_STAGE_TRACE) {
		ret->pkt = &last->pkt;
		ret->n_steps--;
	}
	return 0;
}
