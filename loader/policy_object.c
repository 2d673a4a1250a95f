// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_object.c - a policy's object, checked against what it says of itself, and loaded.
 */
#include <bpf/bpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "made.h"
#include "object.h"
#include "pins.h"
#include "report.h"
#include "tunables.h"

static bool is_name(const char name[LB_NAME_SIZE])
{
	size_t i, n = strnlen(name, LB_NAME_SIZE);

	if (!n || n == LB_NAME_SIZE)
		return false;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return true;
}

/* What the object says of itself, to be changed in place; NULL: reported. */
static struct lb_policy_meta *find_meta(struct bpf_object *obj, const char *path)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, ".rodata.policy");
	struct lb_policy_meta *meta;
	size_t size = 0;

	meta = map ? (void *)bpf_map__initial_value(map, &size) : NULL;
	if (!meta || size < offsetof(struct lb_policy_meta, kind) ||
	    meta->magic != LB_POLICY_MAGIC) {
		report("%s: not a policy: it has no LB_POLICY (see lb_policy.bpf.h)",
		       path);
		return NULL;
	}
	if (meta->abi != LB_ABI_VERSION) {
		report("%s: was built for ABI version %u, this lbctl has %d; build it again",
		       path, meta->abi, LB_ABI_VERSION);
		return NULL;
	}
	if (size != sizeof(*meta) || !is_name(meta->name) ||
	    meta->kind >= LB_TABLE_KIND_MAX) {
		report("%s: not a policy: what it says of itself makes no sense", path);
		return NULL;
	}
	return meta;
}

/* The slot that has this name, or a free one; -1: reported. */
static int find_slot(const struct state *s, const char *name)
{
	int i, free_slot = -1;

	for (i = LB_MAX_POLICIES - 1; i >= 0; i--) {
		if (s->policies[i].meta.magic != LB_POLICY_MAGIC)
			free_slot = i;
		else if (!strncmp(s->policies[i].meta.name, name, LB_NAME_SIZE))
			return i;
	}
	if (free_slot < 0)
		report("policy '%s': there are %d policies already, which is the limit",
		       name, LB_MAX_POLICIES);
	return free_slot;
}

static int put_in_slot(const struct state *s, __u32 slot, int prog)
{
	int fd = pins_get(s, PIN_MAPS, "lb_policies"), err = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_update_elem(fd, &slot, &prog, 0))
		err = -errno;
	close(fd);
	return err;
}

static void write_info(struct state *s, const struct lb_policy_meta *meta, int prog,
		       const char *path)
{
	struct lb_policy_info *info = &s->policies[meta->slot];
	const char *base = strrchr(path, '/');

	info->meta.abi = meta->abi;
	info->meta.kind = meta->kind;
	info->meta.promises = meta->promises;
	info->meta.slot = meta->slot;
	memcpy(info->meta.name, meta->name, sizeof(info->meta.name));
	info->program = program_id(prog);
	info->since = time(NULL);
	memset(info->file, 0, sizeof(info->file));
	strncpy(info->file, base ? base + 1 : path, sizeof(info->file) - 1);
	__atomic_store_n(&info->meta.magic, LB_POLICY_MAGIC, __ATOMIC_RELEASE);
}

/* A new version of a policy may want another kind of table, or promise something else. */
static int remake_tables(struct state *s, __u32 slot)
{
	bool *uses;
	struct model m;
	size_t i;
	int err;

	err = state_read(s, &m);
	if (err)
		return err;
	uses = calloc(m.n_services + 1, sizeof(*uses));
	for (i = 0; i < m.n_services && uses; i++)
		uses[i] = service_policy(&m, &m.services[i]) == slot;
	err = uses ? tables_flip(s, &m, uses) : -ENOMEM;
	free(uses);
	model_free(&m);
	return err;
}

/* Put the loaded program in its slot.  Any policy is safe on any kind of table, so for a
 * moment a new version may choose from the old one's. */
static int install(struct state *s, const struct lb_policy_meta *meta, int prog,
		   const char *path)
{
	const struct lb_policy_meta *old = &s->policies[meta->slot].meta;
	bool differs = old->magic == LB_POLICY_MAGIC &&
		       (old->kind != meta->kind || old->promises != meta->promises);
	int err;

	if (differs)
		__atomic_store_n(&s->config->dirty, 1, __ATOMIC_RELEASE);
	err = put_in_slot(s, meta->slot, prog);
	if (err) {
		report("%s: the kernel refuses to put it into the chain: %s", path,
		       strerror(-err));
		return err;
	}
	write_info(s, meta, prog, path);
	if (differs)
		err = remake_tables(s, meta->slot);
	if (!err && differs)
		__atomic_store_n(&s->config->dirty, 0, __ATOMIC_RELEASE);
	return err;
}

static int load(struct state *s, struct bpf_object *obj, const char *path,
		__u32 *ret_slot)
{
	struct lb_policy_meta *meta = find_meta(obj, path), copy;
	struct lb_tunable declared[LB_MAX_TUNABLES];
	struct bpf_program *prog = object_xdp_program(obj);
	int slot, err;

	if (!meta)
		return -EINVAL;
	if (!prog) {
		report("%s: not a policy: it has not one XDP program", path);
		return -EINVAL;
	}
	err = tunables_declared(obj, path, declared);
	if (err)
		return err;
	slot = find_slot(s, meta->name);
	if (slot < 0)
		return -ENOSPC;

	meta->slot = slot;
	copy = *meta; /* the object's is gone once it is loaded */
	err = object_load(obj, path);
	if (!err)
		err = tunables_install(s, slot, declared, obj, bpf_program__fd(prog));
	if (!err)
		err = install(s, &copy, bpf_program__fd(prog), path);
	if (!err)
		__atomic_store_n(&s->config->dirty, 0, __ATOMIC_RELEASE);
	*ret_slot = slot;
	return err;
}

int state_load_policy(struct state *s, const char *path, __u32 *ret_slot)
{
	struct bpf_object *obj;
	int err = object_open(s, path, &obj);

	if (err)
		return err;
	err = load(s, obj, path, ret_slot);
	bpf_object__close(obj);
	return err;
}
