// SPDX-License-Identifier: GPL-2.0-only
/*
 * state.c - an instance's pinned maps: opened, mapped, and closed again.
 *
 * Reading takes no lock, so that `lbctl` answers while another one is at work.
 */
#include "state.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "instance.h"
#include "namespace.h"
#include "pins.h"
#include "repair.h"
#include "report.h"

/* What is mapped, and where its address goes. */
static const struct mapped {
	const char *name;
	size_t field;
	__u32 value_size, n;
	bool on_demand; /* n is lb_params.flow_buckets */
} mapped[] = {
#define MAPPED(name, field, n)                                                           \
	{                                                                                \
		name, offsetof(struct state, field),                                     \
			sizeof(*((struct state *)0)->field), n, 0                        \
	}
#define FLOWS(name, field)                                                               \
	{                                                                                \
		name, offsetof(struct state, field),                                     \
			sizeof(*((struct state *)0)->field), 0, 1                        \
	}
	MAPPED("lb_config", config, 1), /* the first one */
	MAPPED("lb_records", records, 1),
	MAPPED("lb_admissions", admissions, LB_MAX_BACKENDS),
	{ "lb_profiles", offsetof(struct state, profiles),
	  sizeof(struct lb_profile) * LB_MAX_PROFILES, 1, 0 },
	MAPPED("lb_switches", switches, 1),
	MAPPED("lb_policy_info", policies, LB_MAX_POLICIES),
	FLOWS("lb_flows4", flows4),
	FLOWS("lb_flows6", flows6),
};

#define N_MAPPED (sizeof(mapped) / sizeof(mapped[0]))

/* What is only opened, and what it must be. */
static const struct opened {
	const char *name;
	size_t field;
	__u32 type, value_size, n;
} opened[] = {
#define OPENED(name, field, type, value_size, n)                                         \
	{                                                                                \
		name, offsetof(struct state, field), BPF_MAP_TYPE_##type, value_size, n  \
	}
	OPENED("lb_tables", tables_fd, ARRAY_OF_MAPS, sizeof(__u32), LB_MAX_SERVICES),
	OPENED("lb_previous", previous_fd, ARRAY_OF_MAPS, sizeof(__u32), LB_MAX_SERVICES),
	OPENED("lb_match_rules", match_rules_fd, HASH, sizeof(struct lb_match_rules),
	       LB_MAX_SERVICES),
	OPENED("lb_prefixes4", prefixes4_fd, LPM_TRIE, sizeof(struct lb_prefix),
	       LB_MAX_PREFIXES),
	OPENED("lb_prefixes6", prefixes6_fd, LPM_TRIE, sizeof(struct lb_prefix),
	       LB_MAX_PREFIXES),
	OPENED("lb_reasons", reasons_fd, PERCPU_ARRAY, sizeof(struct lb_reason_count),
	       LB_REASON_MAX),
	OPENED("lb_events", events_fd, PERCPU_ARRAY, sizeof(__u64), LB_EVENT_MAX),
	OPENED("lb_service_counts", service_counts_fd, PERCPU_ARRAY,
	       sizeof(struct lb_count), LB_MAX_SERVICES),
	OPENED("lb_backend_counts", backend_counts_fd, PERCPU_ARRAY,
	       sizeof(struct lb_count), LB_MAX_BACKENDS),
};

#define N_OPENED (sizeof(opened) / sizeof(opened[0]))

static void **mapped_address(struct state *s, const struct mapped *m)
{
	return (void **)((char *)s + m->field);
}

static int *opened_fd(struct state *s, const struct opened *o)
{
	return (int *)((char *)s + o->field);
}

static __u32 mapped_n(const struct state *s, const struct mapped *m)
{
	return m->on_demand ? s->config->params.flow_buckets : m->n;
}

static size_t mapped_size(const struct state *s, const struct mapped *m)
{
	size_t page = sysconf(_SC_PAGESIZE), value = (m->value_size + 7) & ~7U;

	return (value * mapped_n(s, m) + page - 1) / page * page;
}

/* Pinned map @name; a map of another kind there is somebody else's. */
static int open_pin(const struct state *s, const char *name, __u32 type, __u32 value_size,
		    __u32 n)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int fd = pins_get(s, PIN_MAPS, name);

	if (fd < 0) {
		report("%s/" PIN_MAPS "/%s: %s%s", s->dir, name, strerror(-fd),
		       fd == -ENOENT
			       ? "; 'lbctl clear' and 'lbctl chain attach' make the "
				 "instance anew"
			       : "");
		return fd;
	}
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == type &&
	    info.value_size == value_size && info.max_entries == n)
		return fd;

	report("%s/" PIN_MAPS
	       "/%s: foreign pin, not a map of lbctl's; remove it or use another "
	       "--pin-dir",
	       s->dir, name);
	close(fd);
	return -EEXIST;
}

static int map_one(struct state *s, const struct mapped *m)
{
	int prot = PROT_READ |
		   (s->access == STATE_WRITE && !m->on_demand ? PROT_WRITE : 0);
	int fd = open_pin(s, m->name, BPF_MAP_TYPE_ARRAY, m->value_size, mapped_n(s, m));
	void *address;

	if (fd < 0)
		return fd;
	address = mmap(NULL, mapped_size(s, m), prot, MAP_SHARED, fd, 0);
	close(fd);
	if (address == MAP_FAILED) {
		report("%s/" PIN_MAPS "/%s: cannot be mapped: %s", s->dir, m->name,
		       strerror(errno));
		return -errno;
	}
	*mapped_address(s, m) = address;
	return 0;
}

static void clear(struct state *s, enum state_access access)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	s->access = access;
	s->lock_fd = -1;
	for (i = 0; i < N_OPENED; i++)
		*opened_fd(s, &opened[i]) = -1;
}

/* First of all: of another ABI, nothing else means what we think. */
static int check_config(struct state *s)
{
	__u32 abi = s->config->abi;

	if (!s->config->magic) {
		report("%s: not complete; 'lbctl chain attach DEV' makes it anew",
		       s->dir);
		return -ENOENT;
	}
	if (s->config->magic != LB_MAGIC) {
		report("%s/" PIN_MAPS
		       "/lb_config: foreign pin, not a map of lbctl's; remove it "
		       "or use another --pin-dir",
		       s->dir);
		return -EEXIST;
	}
	if (abi != LB_ABI_VERSION) {
		report("%s: was made with ABI version %u, this lbctl has %d; use the lbctl that "
		       "made it",
		       s->dir, abi, LB_ABI_VERSION);
		return -EPROTO;
	}
	return 0;
}

/* Its size may be another ABI's, too; the first two fields are the same in all. */
static int map_config(struct state *s)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int fd = pins_get(s, PIN_MAPS, mapped[0].name);
	int prot = PROT_READ | (s->access == STATE_WRITE ? PROT_WRITE : 0);
	void *address = MAP_FAILED;

	if (fd == -ENOENT) {
		report("%s: no such instance; 'lbctl chain attach DEV' makes it", s->dir);
		return fd;
	}
	if (fd < 0) {
		report("%s: cannot be opened: %s", s->dir, strerror(-fd));
		return fd;
	}
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) &&
	    info.type == BPF_MAP_TYPE_ARRAY &&
	    info.value_size >= offsetof(struct lb_config, flows))
		address = mmap(NULL, mapped_size(s, &mapped[0]), prot, MAP_SHARED, fd, 0);
	close(fd);
	if (address == MAP_FAILED) {
		report("%s/" PIN_MAPS
		       "/lb_config: foreign pin, not a map of lbctl's; remove it "
		       "or use another --pin-dir",
		       s->dir);
		return -EEXIST;
	}
	s->config = address;
	return 0;
}

/* The parts of lb_records by their names. */
static void name_records(struct state *s)
{
	struct lb_records *all = s->records;

	s->services = all->services;
	s->backends = all->backends;
	s->sources = all->sources;
	s->devices = all->devices;
	s->hops = all->hops;
	s->live = all->live;
	s->endpoints4 = all->endpoints4;
	s->endpoints6 = all->endpoints6;
}

int state_map_all(struct state *s, bool is_new)
{
	int err = map_config(s);
	size_t i;

	if (!err && !is_new)
		err = check_config(s);

	for (i = 1; i < N_MAPPED && !err; i++)
		if (!mapped[i].on_demand)
			err = map_one(s, &mapped[i]);
	if (!err)
		name_records(s);
	for (i = 0; i < N_OPENED && !err; i++) {
		const struct opened *o = &opened[i];
		int fd = open_pin(s, o->name, o->type, o->value_size, o->n);

		*opened_fd(s, o) = fd;
		err = fd < 0 ? fd : 0;
	}
	return err;
}

int state_start(struct state *s, const struct state_options *o, enum state_access access)
{
	clear(s, access);
	if (o->objects)
		snprintf(s->objects, sizeof(s->objects), "%s", o->objects);
	return pins_locate(s, o);
}

int state_open(struct state *s, const struct state_options *o, enum state_access access)
{
	int err = state_start(s, o, access);

	if (!err && !pins_exist(s)) {
		report("%s: no such instance; 'lbctl chain attach DEV' makes it", s->dir);
		err = -ENOENT;
	}
	if (!err && access == STATE_WRITE)
		err = pins_lock(s, o->wait_ms);
	if (!err)
		err = state_map_all(s, false);
	if (!err)
		err = namespace_check(s, access);
	if (!err && access == STATE_WRITE)
		err = state_repair(s);
	if (err)
		state_close(s);
	return err;
}

void state_close(struct state *s)
{
	size_t i;

	/* Sizes depend on lb_config, which is the first: backwards. */
	for (i = N_MAPPED; i-- > 0;) {
		void **address = mapped_address(s, &mapped[i]);

		if (*address)
			munmap(*address, mapped_size(s, &mapped[i]));
		*address = NULL;
	}
	for (i = 0; i < N_OPENED; i++) {
		int *fd = opened_fd(s, &opened[i]);

		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	s->lock_fd = -1;
}

int state_map_fd(const struct state *s, const char *name)
{
	return pins_get(s, PIN_MAPS, name);
}

int state_map_flows(struct state *s)
{
	size_t i;
	int err = 0;

	for (i = 0; i < N_MAPPED && !err; i++)
		if (mapped[i].on_demand && !*mapped_address(s, &mapped[i]))
			err = map_one(s, &mapped[i]);
	return err;
}
