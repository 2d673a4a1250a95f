// SPDX-License-Identifier: GPL-2.0-only
/*
 * create.c - an instance made and removed.
 *
 * Until lb_config.magic is written, last of all, there is no instance: whoever finds one
 * without it begins anew.  Nothing is attached before.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "devices.h"
#include "gate.h"
#include "instance.h"
#include "namespace.h"
#include "object.h"
#include "pins.h"
#include "profiles.h"
#include "repair.h"
#include "report.h"
#include "stages.h"

#define FLOWS_MIN 64

static __u32 round_up(__u32 flows)
{
	__u32 rounded = FLOWS_MIN;

	while (rounded < flows && rounded < 1U << 30)
		rounded *= 2;
	return rounded;
}

static int make_params(struct state *s, __u32 flows)
{
	struct lb_params *p = &s->config->params;
	int hz = clock_measure_hz();

	if (hz < 0) {
		report("the kernel refuses a test program: %s", strerror(-hz));
		return hz;
	}
	if (getrandom(p->seed, sizeof(p->seed), 0) != sizeof(p->seed)) {
		report("no random numbers: %s", strerror(errno));
		return -EIO;
	}
	p->seed[1] |= 1;
	p->seed[2] |= 1;
	p->flow_buckets = flows / LB_FLOW_WAYS;
	p->nat_slots = 2 * flows;
	p->hz = hz;
	return 0;
}

static int pin_own_map(const struct state *s, const char *name, int fd)
{
	int err = fd < 0 ? fd : pins_put(s, PIN_MAPS, name, fd);

	if (fd >= 0)
		close(fd);
	if (err)
		report("%s/" PIN_MAPS "/%s: cannot be made: %s", s->dir, name,
		       strerror(-err));
	return err;
}

/* The maps that no stage has to know, and PROG_ARRAYs before their first user. */
static int make_own_map(const struct state *s, const char *name, enum bpf_map_type type,
			__u32 value_size, __u32 n, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, name, sizeof(__u32), value_size, n, &opts);

	return pin_own_map(s, name, fd < 0 ? -errno : fd);
}

static int make_previous(const struct state *s)
{
	LIBBPF_OPTS(bpf_map_create_opts, inner,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	LIBBPF_OPTS(bpf_map_create_opts, outer);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_table", sizeof(__u32),
				sizeof(struct lb_table), 1, &inner);

	if (fd < 0)
		return pin_own_map(s, "lb_previous", -errno);
	outer.inner_map_fd = fd;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "lb_previous", sizeof(__u32),
			    sizeof(__u32), LB_MAX_SERVICES, &outer);
	if (fd < 0)
		fd = -errno;
	close(outer.inner_map_fd);
	return pin_own_map(s, "lb_previous", fd);
}

static int map_config(struct state *s)
{
	int fd = pins_get(s, PIN_MAPS, "lb_config");
	void *address = MAP_FAILED;

	if (fd >= 0) {
		address = mmap(NULL, sizeof(*s->config), PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0);
		close(fd);
	}
	if (address == MAP_FAILED) {
		report("%s/" PIN_MAPS "/lb_config: cannot be mapped", s->dir);
		return -EIO;
	}
	s->config = address;
	return 0;
}

static bool is_root(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) &&
	       info.type == BPF_MAP_TYPE_PROG_ARRAY && info.max_entries == 1;
}

/* That of an lb_entry which is attached already, or a new one. */
static int make_root(const struct state *s)
{
	int fd = pins_get_root(s);

	if (fd == -ENOENT)
		return make_own_map(s, "lb_root", BPF_MAP_TYPE_PROG_ARRAY, sizeof(__u32),
				    1, 0);
	if (fd >= 0 && !is_root(fd)) {
		close(fd);
		fd = -EINVAL;
	}
	if (fd < 0) {
		report("%s/lb_root: not the map of an lb_entry: %s", s->dir,
		       strerror(-fd));
		return fd;
	}
	return pin_own_map(s, "lb_root", fd);
}

static int make_own_maps(struct state *s)
{
	int err = make_own_map(s, "lb_config", BPF_MAP_TYPE_ARRAY,
			       sizeof(struct lb_config), 1, BPF_F_MMAPABLE);

	if (!err)
		err = make_own_map(s, "lb_policy_info", BPF_MAP_TYPE_ARRAY,
				   sizeof(struct lb_policy_info), LB_MAX_POLICIES,
				   BPF_F_MMAPABLE);
	if (!err)
		err = make_own_map(s, "lb_match_rules", BPF_MAP_TYPE_HASH,
				   sizeof(struct lb_match_rules), LB_MAX_SERVICES,
				   BPF_F_NO_PREALLOC);
	if (!err)
		err = make_own_map(s, "lb_admissions", BPF_MAP_TYPE_ARRAY,
				   sizeof(struct lb_admission), LB_MAX_BACKENDS,
				   BPF_F_MMAPABLE);
	if (!err)
		err = make_previous(s);
	if (!err)
		err = make_root(s);
	if (!err)
		err = make_own_map(s, "lb_policy_counts", BPF_MAP_TYPE_PERCPU_ARRAY,
				   sizeof(struct lb_policy_count), LB_MAX_POLICIES, 0);
	return err ? err : map_config(s);
}

/* They are known to pass; where one does not, the machine may be odd, but must have a chain. */
static int load_one(struct state *s, struct policy_load *p)
{
	int err = state_load_policy(s, p);

	if (!err && s->policies[p->slot].gate != LB_GATE_PASSED)
		report_warning(
			"policy '%s': FORCED, it does not keep what it promises: %s",
			s->policies[p->slot].meta.name, s->policies[p->slot].why);
	return err;
}

/* All that are shipped; the default one first, so that it has slot 0. */
static int load_shipped(struct state *s, struct gate *gate)
{
	struct policy_load p = { .replace = true, .force = true, .gate = gate };
	char pattern[320], first[320];
	glob_t found;
	size_t i;
	int err;

	snprintf(first, sizeof(first), "%s/policies/round_robin.bpf.o", s->objects);
	p.path = first;
	err = load_one(s, &p);
	if (err)
		return err;
	s->config->default_policy = p.slot;

	snprintf(pattern, sizeof(pattern), "%s/policies/*.bpf.o", s->objects);
	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc && !err; i++) {
		p.path = found.gl_pathv[i];
		if (strcmp(p.path, first))
			err = load_one(s, &p);
	}
	globfree(&found);
	return err;
}

static int load_policies(struct state *s)
{
	struct gate *gate;
	int err = gate_open(s, &gate);

	if (err)
		return err;
	err = load_shipped(s, gate);
	gate_close(gate);
	return err;
}

/* What the kernel charges for map @name, in bytes. */
static __u64 map_memory(const struct state *s, const char *name)
{
	int fd = pins_get(s, PIN_MAPS, name);
	unsigned long long bytes = 0;
	char path[64], line[128];
	FILE *f;

	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	close(fd);
	return bytes;
}

void state_tell_memory(const struct state *s)
{
	static const char *const names[] = { "lb_flows4", "lb_flows6", "lb_nat4",
					     "lb_nat6" };
	__u64 bytes = 0;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		bytes += map_memory(s, names[i]);
	report_warning("flow tables for %u flows per address family take %llu KiB",
		       s->config->flows, bytes / 1024);
}

static int fill(struct state *s, __u32 flows)
{
	struct lb_config *config;
	int err;

	err = make_own_maps(s);
	if (err)
		return err;
	config = s->config;
	config->abi = LB_ABI_VERSION;
	config->flows = round_up(flows);
	config->since = time(NULL);
	snprintf(config->version, sizeof(config->version), "%s", LB_VERSION);
	err = make_params(s, config->flows);
	if (!err)
		err = stages_load(s);
	munmap(s->config, sizeof(*s->config));
	s->config = NULL;
	return err;
}

int state_create_like(struct state *s, const struct state *of)
{
	int err = pins_make(s);

	if (!err)
		err = make_own_maps(s);
	if (err)
		return err;
	*s->config = *of->config; /* the seeds above all */
	err = stages_load(s);
	munmap(s->config, sizeof(*s->config));
	s->config = NULL;
	return err ? err : state_map_all(s, true);
}

/* From here on, all of the instance is mapped but its magic is not written. */
static int finish(struct state *s)
{
	int err = state_map_all(s, true);

	if (err)
		return err;
	s->profiles[0] = profile_default(s->config->params.hz);
	err = load_policies(s);
	if (!err)
		__atomic_store_n(&s->config->magic, LB_MAGIC, __ATOMIC_RELEASE);
	return err;
}

static int make(struct state *s, __u32 flows)
{
	int err = pins_clear(s);

	if (!err)
		err = pins_make(s);
	if (!err)
		err = fill(s, flows);
	if (!err)
		err = finish(s);
	if (err)
		pins_remove(s);
	return err;
}

/* Is lb_config there, and was it ever finished, in whatever version? */
static bool is_complete(const struct state *s)
{
	int fd = pins_get(s, PIN_MAPS, "lb_config");
	const __u64 *magic;
	bool complete = true;

	if (fd < 0)
		return fd != -ENOENT;
	magic = mmap(NULL, sizeof(*magic), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (magic == MAP_FAILED)
		return true; /* somebody else's: state_map_all says so */
	complete = *magic;
	munmap((void *)magic, sizeof(*magic));
	return complete;
}

int state_create(struct state *s, const struct state_options *o, __u32 flows)
{
	int err = state_start(s, o, STATE_WRITE);

	if (!err)
		err = objects_locate(s);
	if (!err)
		err = pins_make(s);
	if (!err)
		err = pins_lock(s, o->wait_ms);
	if (!err && !is_complete(s)) {
		err = make(s, flows);
	} else if (!err) {
		err = state_map_all(s, false);
		if (!err)
			err = namespace_check(s, STATE_WRITE);
		if (!err)
			err = state_repair(s);
	}
	if (err)
		state_close(s);
	return err;
}

int state_destroy(struct state *s)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		if (!device_is_attached(&s->devices[i]))
			continue;
		report("%s: the chain is attached to %s; 'lbctl chain detach %s' first",
		       s->dir, s->devices[i].name, s->devices[i].name);
		return -EBUSY;
	}
	pins_drop_root(s);
	return pins_remove(s);
}
