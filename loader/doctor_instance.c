// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_instance.c - the instance: pins that this lbctl can read, stages and policies in
 * their places, flow tables that are large enough.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "chain.h"
#include "doctor.h"
#include "pins.h"
#include "report.h"
#include "stages.h"

#define ANEW "lbctl save >FILE, lbctl clear, lbctl apply FILE"

/* Fewer places for each CPU, and CPUs meet in the same buckets. */
#define FLOWS_PER_CPU 1024
#define FULL_PERCENT  90

/* ---- pins --------------------------------------------------------------------------------- */

/* The head of the map lb_config, which is the same in all versions; 0 or -errno. */
static int read_head(const char *dir, struct lb_config *ret)
{
	char path[PIN_PATH_SIZE], value[4096] = {};
	struct bpf_map_info info = {};
	__u32 size = sizeof(info), key = 0;
	int fd, err;

	snprintf(path, sizeof(path), "%s/" PIN_MAPS "/lb_config", dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	err = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (!err && (info.type != BPF_MAP_TYPE_ARRAY || info.value_size > sizeof(value)))
		err = -1;
	if (!err)
		err = bpf_map_lookup_elem(fd, &key, value);
	close(fd);
	memcpy(ret, value, sizeof(*ret));
	return err;
}

/* iproute2 makes links to folders there. */
static bool is_folder(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode);
}

/* Instances beside this one that were made by another lbctl. */
static void check_others(struct doctor *d, const char *dir)
{
	char parent[PIN_PATH_SIZE], path[2 * PIN_PATH_SIZE];
	struct lb_config config;
	struct dirent *entry;
	DIR *all;

	snprintf(parent, sizeof(parent), "%s", dir);
	all = opendir(dirname(parent));
	while (all && (entry = readdir(all))) {
		snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name);
		if (entry->d_name[0] == '.' || !strcmp(path, dir) || !is_folder(path) ||
		    read_head(path, &config) || config.magic != LB_MAGIC ||
		    config.abi == LB_ABI_VERSION)
			continue;
		doctor_say(d, VERDICT_WARN, "pins", path,
			   "'lbctl clear' of the version that made it",
			   "another instance, of ABI %u; this lbctl has %d", config.abi,
			   LB_ABI_VERSION);
	}
	if (all)
		closedir(all);
}

static void check_version(struct doctor *d, const char *dir, const struct lb_config *c)
{
	if (strncmp(c->version, LB_VERSION, sizeof(c->version)))
		doctor_say(d, VERDICT_WARN, "pins", dir, ANEW,
			   "stages of version %.24s, this is lbctl %s", c->version,
			   LB_VERSION);
	else
		doctor_say(d, VERDICT_OK, "pins", dir, NULL, "version %s, abi %u",
			   LB_VERSION, c->abi);
}

bool doctor_pins(struct doctor *d, const struct state_options *where)
{
	char dir[sizeof(((struct state *)0)->dir)];
	struct lb_config config;

	pins_folder(where, dir, sizeof(dir));
	check_others(d, dir);
	if (!instance_exists(where)) {
		doctor_say(d, VERDICT_WARN, "pins", dir, "lbctl chain attach DEV",
			   "there is no instance yet");
		return false;
	}
	if (read_head(dir, &config) || config.magic != LB_MAGIC) {
		doctor_say(d, VERDICT_FAIL, "pins", dir, "lbctl chain attach DEV",
			   "no complete instance");
		return false;
	}
	if (config.abi != LB_ABI_VERSION) {
		doctor_say(d, VERDICT_FAIL, "pins", dir, "the lbctl that made it",
			   "made with ABI %u; this lbctl has %d", config.abi,
			   LB_ABI_VERSION);
		return false;
	}
	check_version(d, dir, &config);
	return true;
}

/* ---- programs in their places ------------------------------------------------------------- */

static bool has_slot(const struct state *s, const char *map, __u32 slot)
{
	int fd = state_map_fd(s, map);
	__u32 id = 0;

	if (fd < 0)
		return false;
	if (bpf_map_lookup_elem(fd, &slot, &id))
		id = 0;
	close(fd);
	return id != 0;
}

static void say_empty(struct doctor *d, const char *kind, const char *name,
		      const char *remedy)
{
	char object[64];

	snprintf(object, sizeof(object), "%s %s", kind, name);
	doctor_say(d, VERDICT_FAIL, "slot", object, remedy,
		   "its slot is empty: packets that come to it are dropped");
}

static void check_slots(struct doctor *d, const struct state *s)
{
	const char *name;
	__u32 program;
	int empty = 0, i;

	for (i = 0; (name = stages_get(s, i, &program)); i++) {
		if (program)
			continue;
		say_empty(d, "stage", name, ANEW);
		empty++;
	}
	if (!has_slot(s, "lb_root", 0)) {
		doctor_say(d, VERDICT_FAIL, "slot", "lb_entry", ANEW,
			   "has no stage behind it: nothing is forwarded");
		empty++;
	}
	for (i = 0; i < LB_MAX_POLICIES; i++) {
		if (!s->policies[i].meta.magic || has_slot(s, "lb_policies", i))
			continue;
		say_empty(d, "policy", s->policies[i].meta.name,
			  "lbctl policy load FILE replace");
		empty++;
	}
	if (!empty)
		doctor_say(d, VERDICT_OK, "slot", "chain", NULL,
			   "all stages and policies are in their slots");
}

/* ---- tables ------------------------------------------------------------------------------- */

static void check_size(struct doctor *d, const struct snapshot *s)
{
	__u64 places = s->state.config->flows;
	__u64 taken = s->flows4 > s->flows6 ? s->flows4 : s->flows6;
	int cpus = get_nprocs();

	if (places < (__u64)FLOWS_PER_CPU * cpus)
		doctor_say(d, VERDICT_WARN, "flows", "flow table", ANEW " with flows N",
			   "%llu places for %d CPUs, of which each wants %d or more",
			   places, cpus, FLOWS_PER_CPU);
	else
		doctor_say(d, VERDICT_OK, "flows", "flow table", NULL,
			   "%llu places for %d CPUs", places, cpus);

	if (taken * 100 >= places * FULL_PERCENT)
		doctor_say(d, VERDICT_WARN, "flows", "flow table", ANEW " with flows N",
			   "%llu of %llu places are taken", taken, places);
	else
		doctor_say(d, VERDICT_OK, "flows", "flow table", NULL,
			   "%llu of %llu places are taken", taken, places);
}

/* Counted since the instance was made. */
static void check_evictions(struct doctor *d, const struct state *s)
{
	__u64 events[LB_EVENT_MAX] = {};

	if (state_events(s, events))
		return;
	if (events[LB_EVENT_EVICTED_OLDEST])
		doctor_say(d, VERDICT_WARN, "evictions", "flow table",
			   ANEW " with flows N",
			   "%llu live flows had to make room for new ones",
			   events[LB_EVENT_EVICTED_OLDEST]);
	else
		doctor_say(d, VERDICT_OK, "evictions", "flow table", NULL,
			   "no live flow had to make room");
	if (events[LB_EVENT_EVICTED_HALF_OPEN])
		doctor_say(d, VERDICT_WARN, "evictions", "flow table",
			   "a larger table, or timeout-half-open TIME",
			   "%llu half-open flows had to make room: a flood of SYNs?",
			   events[LB_EVENT_EVICTED_HALF_OPEN]);
}

void doctor_instance(struct doctor *d, const struct snapshot *s)
{
	check_slots(d, &s->state);
	check_size(d, s);
	check_evictions(d, &s->state);
}
