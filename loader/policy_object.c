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

#include "gate.h"
#include "made.h"
#include "object.h"
#include "origin.h"
#include "pins.h"
#include "report.h"
#include "rules.h"
#include "tunables.h"

static bool is_name(const char name[LB_NAME_SIZE])
{
	size_t i, n = strnlen(name, LB_NAME_SIZE);

	if (!n || n == LB_NAME_SIZE || !isalpha((unsigned char)name[0]))
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
	    meta->kind >= LB_TABLE_KIND_MAX || (meta->promises & ~LB_PROMISE_ALL)) {
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

/* What an object shares with others is pinned before any policy is loaded. */
static int check_maps(const struct state *s, struct bpf_object *obj, const char *path)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		if (bpf_map__pin_path(map)) {
			report("%s: its map %s is to be pinned; maps of a policy are its own",
			       path, bpf_map__name(map));
			return -EPROTO;
		}
	}
	bpf_object__for_each_map(map, obj) {
		const char *name = object_map_name(map);
		int fd = name ? pins_get(s, PIN_MAPS, name) : 0;

		if (fd < 0) {
			report("%s: its map %s is none of the instance's; names of its own "
			       "maps do not begin with lb_",
			       path, name);
			return -EPROTO;
		}
		if (fd)
			close(fd);
	}
	return 0;
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

static void write_tag(struct lb_policy_info *info, int prog)
{
	struct bpf_prog_info of = {};
	__u32 size = sizeof(of);

	if (!bpf_obj_get_info_by_fd(prog, &of, &size)) {
		info->program = of.id;
		memcpy(info->tag, of.tag, sizeof(info->tag));
	}
}

/* The file's name, for people: JSON takes no part of a character. */
static void write_file(struct lb_policy_info *info, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t i;

	memset(info->file, 0, sizeof(info->file));
	for (i = 0; name[i] && i < sizeof(info->file) - 1; i++)
		info->file[i] = isprint((unsigned char)name[i]) ? name[i] : '?';
}

static void write_info(struct state *s, const struct lb_policy_meta *meta, int prog,
		       const char *path, const struct gate_result *asked)
{
	struct lb_policy_info *info = &s->policies[meta->slot];

	info->meta.abi = meta->abi;
	info->meta.kind = meta->kind;
	info->meta.promises = meta->promises;
	info->meta.slot = meta->slot;
	memcpy(info->meta.name, meta->name, sizeof(info->meta.name));
	write_tag(info, prog);
	info->since = time(NULL);
	write_file(info, path);
	info->gate = asked->gate;
	info->cost_ns = asked->cost_ns;
	memcpy(info->why, asked->why, sizeof(info->why));
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
		   const char *path, const struct gate_result *asked)
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
	write_info(s, meta, prog, path, asked);
	if (differs)
		err = remake_tables(s, meta->slot);
	if (!err && differs)
		__atomic_store_n(&s->config->dirty, 0, __ATOMIC_RELEASE);
	return err;
}

static int take_name(struct lb_policy_meta *meta, struct policy_load *p)
{
	const char *name = p->name;

	p->renamed = name && strcmp(name, meta->name);
	if (!name)
		return 0;
	memset(meta->name, 0, sizeof(meta->name));
	if (strlen(name) < sizeof(meta->name))
		strcpy(meta->name, name);
	if (is_name(meta->name))
		return 0;
	report("policy '%s': a name is a letter and up to %d letters, digits, '-', '_' and '.'",
	       name, LB_NAME_SIZE - 2);
	return -EINVAL;
}

/* Fill in what concerns the instance: the name and the slot. */
static int place(const struct state *s, struct lb_policy_meta *meta,
		 struct policy_load *p)
{
	int slot, err = take_name(meta, p);

	if (err)
		return err;
	if (!strcmp(meta->name, "default")) {
		report("policy 'default': means the default policy; 'name NAME' gives it "
		       "another name");
		return -EINVAL;
	}
	slot = find_slot(s, meta->name);
	if (slot < 0)
		return -ENOSPC;
	if (!p->replace && s->policies[slot].meta.magic == LB_POLICY_MAGIC) {
		report("policy '%s': is loaded already, from %s; 'replace' takes the new "
		       "one, 'name NAME' another name",
		       meta->name, s->policies[slot].file);
		return -EEXIST;
	}
	p->slot = meta->slot = slot;
	return 0;
}

/* What the policy promises must suit the services of the one that it replaces. */
static int check_services(const struct state *s, const struct lb_policy_meta *meta)
{
	struct model m;
	int err;

	if (s->policies[meta->slot].meta.magic != LB_POLICY_MAGIC)
		return 0;
	err = state_read(s, &m);
	if (err) {
		report("%s: cannot read the state", s->dir);
		return err;
	}
	m.policies[meta->slot].info.meta.promises = meta->promises;
	err = rules_check(&m) ? -EPERM : 0;
	model_free(&m);
	return err;
}

static int recall(const struct lb_policy_info *info, struct gate_result *ret)
{
	*ret = (struct gate_result){ .gate = info->gate, .cost_ns = info->cost_ns };
	memcpy(ret->why, info->why, sizeof(ret->why));
	return 0;
}

static int ask(const struct state *s, const struct policy_load *p,
	       const struct lb_policy_meta *meta, struct gate_result *ret)
{
	struct gate *gate = p->gate;
	int err;

	if (p->known)
		return recall(&s->policies[meta->slot], ret);
	err = gate ? 0 : gate_open(s, &gate);
	if (err)
		return err;
	err = gate_ask(gate, p->path, meta, ret);
	if (!p->gate)
		gate_close(gate);
	if (err || ret->gate == LB_GATE_PASSED || p->force)
		return err;
	report("%s: the gate refuses policy '%s': %s; 'force' loads it all the same",
	       p->path, meta->name, ret->why);
	return -EPERM;
}

static int load(struct state *s, struct bpf_object *obj, struct policy_load *p)
{
	struct lb_policy_meta *meta = find_meta(obj, p->path), copy;
	struct lb_tunable declared[LB_MAX_TUNABLES];
	struct bpf_program *prog = object_xdp_program(obj);
	struct gate_result asked;
	int err;

	if (!meta)
		return -EINVAL;
	if (!prog) {
		report("%s: not a policy: it has not one XDP program", p->path);
		return -EINVAL;
	}
	err = check_maps(s, obj, p->path);
	if (!err)
		err = tunables_declared(obj, p->path, declared);
	if (!err)
		err = origin_find(s, p);
	if (!err)
		err = place(s, meta, p);
	if (!err)
		err = check_services(s, meta);
	if (err)
		return err;
	copy = *meta; /* the object's is gone once it is loaded */
	err = ask(s, p, &copy, &asked);
	if (!err)
		err = object_load(obj, p->path);
	if (!err)
		err = tunables_install(s, p->slot, declared, obj, bpf_program__fd(prog));
	if (!err)
		err = install(s, &copy, bpf_program__fd(prog), p->path, &asked);
	if (!err)
		origin_write(&s->policies[copy.slot], p);
	if (!err)
		__atomic_store_n(&s->config->dirty, 0, __ATOMIC_RELEASE);
	return err;
}

int state_load_policy(struct state *s, struct policy_load *p)
{
	struct bpf_object *obj;
	int err = object_open(s, p->path, &obj);

	if (err)
		return err;
	err = load(s, obj, p);
	bpf_object__close(obj);
	return err;
}

int state_peek_policy(const struct state *s, struct policy_load *p,
		      struct lb_policy_info *ret)
{
	struct lb_policy_meta *meta;
	struct bpf_object *obj;
	int err = object_peek(p->path, &obj);

	if (err)
		return err;
	memset(ret, 0, sizeof(*ret));
	meta = find_meta(obj, p->path);
	err = meta ? take_name(meta, p) : -EINVAL;
	if (!err)
		err = tunables_declared(obj, p->path, ret->tunables);
	if (!err)
		err = origin_find(s, p);
	if (!err) {
		ret->meta = *meta;
		origin_write(ret, p);
	}
	bpf_object__close(obj);
	return err;
}

void state_withdraw_policy(struct state *s, __u32 slot)
{
	struct lb_policy_info *info = &s->policies[slot];
	int fd = pins_get(s, PIN_MAPS, "lb_policies");

	__atomic_store_n(&info->meta.magic, 0, __ATOMIC_RELEASE);
	if (fd >= 0) {
		bpf_map_delete_elem(fd, &slot);
		close(fd);
	}
	memset(info, 0, sizeof(*info));
	tunables_forget(s, slot);
}
