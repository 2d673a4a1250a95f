// SPDX-License-Identifier: GPL-2.0-only
/*
 * tunables.c - what a policy's object declares, and what becomes of values when another
 * version of it is loaded.
 *
 * Each version has a map of its own, so the old one never meets a number that only the new
 * one takes; what the user has set goes over by name.
 */
#include "tunables.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "object.h"
#include "pins.h"
#include "report.h"

#define DECLARED ".rodata.tunables"
#define VALUES	 "tunables"

#define TUNABLES_NAME_SIZE 32

int tunables_find(const struct lb_tunable *declared, const char *key)
{
	int i;

	for (i = 0; i < LB_MAX_TUNABLES && declared[i].name[0]; i++)
		if (!strcmp(declared[i].name, key))
			return i;
	return -1;
}

static bool is_key(const char name[LB_NAME_SIZE])
{
	size_t i, n = strnlen(name, LB_NAME_SIZE);

	for (i = 0; i < n; i++)
		if (!islower((unsigned char)name[i]) &&
		    !isdigit((unsigned char)name[i]) && name[i] != '-')
			return false;
	/* Words that stand where keys do. */
	return n && n < LB_NAME_SIZE && strcmp(name, "service");
}

/* Words for people, of which JSON is made, too. */
static bool is_help(const char *help, size_t size)
{
	size_t i, n = strnlen(help, size);

	for (i = 0; i < n; i++)
		if (!isprint((unsigned char)help[i]))
			return false;
	return n < size;
}

static int check_one(const struct lb_tunable *declared, int i, const char *path)
{
	const struct lb_tunable *t = &declared[i];

	if (!is_key(t->name) || !is_help(t->help, sizeof(t->help))) {
		report("%s: tunable %d: its name or help is none; names are of a-z, 0-9 and '-'",
		       path, i + 1);
		return -EINVAL;
	}
	if (tunables_find(declared, t->name) != i) {
		report("%s: tunable '%s': there are two of that name", path, t->name);
		return -EINVAL;
	}
	if (t->low > t->initial || t->initial > t->high || t->high > LLONG_MAX) {
		report("%s: tunable '%s': its initial value %llu is not within %llu to %llu, or "
		       "these are more than 2^63 - 1",
		       path, t->name, t->initial, t->low, t->high);
		return -EINVAL;
	}
	return 0;
}

/* The map must be what the macro makes. */
static bool has_values(const struct bpf_object *obj)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(obj, VALUES);

	return map && bpf_map__type(map) == BPF_MAP_TYPE_ARRAY &&
	       bpf_map__value_size(map) == sizeof(struct lb_tunables) &&
	       bpf_map__max_entries(map) == TUNABLES_ELEMENTS &&
	       bpf_map__map_flags(map) & BPF_F_MMAPABLE;
}

int tunables_declared(struct bpf_object *obj, const char *path,
		      struct lb_tunable ret[LB_MAX_TUNABLES])
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, DECLARED);
	size_t size = 0, all = sizeof(*ret) * LB_MAX_TUNABLES;
	const void *declared = map ? bpf_map__initial_value(map, &size) : NULL;
	int i, err = 0;

	memset(ret, 0, all);
	if (!map)
		return 0;
	if (!declared || size != all || !has_values(obj)) {
		report("%s: its tunables are not those of LB_TUNABLES (see lb_policy.bpf.h)",
		       path);
		return -EINVAL;
	}
	memcpy(ret, declared, all);
	for (i = 0; i < LB_MAX_TUNABLES && ret[i].name[0] && !err; i++)
		err = check_one(ret, i, path);
	return err;
}

/* The index that @key of the old version has in the new one, if that takes @value; or -1. */
static int translate(const struct lb_policy_info *info, const struct lb_tunable *declared,
		     __u32 key, __u64 value, const struct model_service *service,
		     bool tells)
{
	const char *name = info->tunables[key].name;
	char of[ENDPOINT_TEXT_SIZE] = "";
	int to = tunables_find(declared, name);

	if (to >= 0 && value >= declared[to].low && value <= declared[to].high)
		return to;
	if (!tells)
		return -1;
	if (service)
		service_text(service, of);
	report_warning("policy '%s': %s %llu%s%s is lost: the new version %s",
		       info->meta.name, name, value, service ? " of service " : "", of,
		       to < 0 ? "has no such parameter" : "does not take that value");
	return -1;
}

/* The policy of @slot in @m, which declares something else from now on. */
static void translate_policy(struct model *m, __u32 slot,
			     const struct lb_tunable *declared, bool tells)
{
	struct model_policy *p = &m->policies[slot], old = *p;
	__u32 i;
	int to;

	p->set = 0;
	for (i = 0; i < LB_MAX_TUNABLES; i++) {
		to = old.set >> i & 1 ? translate(&old.info, declared, i, old.value[i],
						  NULL, tells)
				      : -1;
		if (to < 0)
			continue;
		p->set |= 1U << to;
		p->value[to] = old.value[i];
	}
}

static void translate_service(struct model_service *service,
			      const struct lb_policy_info *info, __u32 slot,
			      const struct lb_tunable *declared, bool tells)
{
	struct model_param *p;
	size_t i, n = 0;
	int to;

	for (i = 0; i < service->n_params; i++) {
		p = &service->params[i];
		to = p->policy == (int)slot
			     ? translate(info, declared, p->key, p->value, service, tells)
			     : (int)p->key;
		if (to < 0)
			continue;
		service->params[n] = *p;
		service->params[n++].key = to;
	}
	service->n_params = n;
}

void tunables_translate(struct model *m, __u32 slot, const struct lb_tunable *declared,
			bool tells)
{
	const struct lb_policy_info old = m->policies[slot].info;
	size_t i;

	translate_policy(m, slot, declared, tells);
	for (i = 0; i < m->n_services; i++)
		translate_service(&m->services[i], &old, slot, declared, tells);
}

/* What the user has set for the policy that is in @slot goes over to @obj. */
static int keep(const struct state *s, __u32 slot, const struct lb_tunable *declared,
		struct bpf_object *obj)
{
	const struct lb_policy_info *info = &s->policies[slot];
	struct bpf_map *map = bpf_object__find_map_by_name(obj, VALUES);
	struct lb_tunables *elements;
	struct model m;
	int err;

	if (info->meta.magic != LB_POLICY_MAGIC || !info->tunables[0].name[0])
		return 0; /* a new one */
	err = state_read(s, &m);
	if (err)
		return err;
	tunables_translate(&m, slot, declared, true);
	if (declared[0].name[0]) {
		elements = tunables_map(bpf_map__fd(map));
		err = elements ? tunables_fill(elements, &m, slot) : -EIO;
		tunables_unmap(elements);
	}
	model_free(&m);
	return err;
}

static char *pin_name(__u32 slot, char ret[TUNABLES_NAME_SIZE])
{
	snprintf(ret, TUNABLES_NAME_SIZE, "lb_tunables_%u", slot);
	return ret;
}

int tunables_open(const struct state *s, __u32 slot)
{
	char name[TUNABLES_NAME_SIZE];

	return pins_get(s, PIN_MAPS, pin_name(slot, name));
}

int tunables_install(struct state *s, __u32 slot, const struct lb_tunable *declared,
		     struct bpf_object *obj, int prog)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(obj, VALUES);
	struct lb_policy_info *info = &s->policies[slot];
	char name[TUNABLES_NAME_SIZE];
	int err;

	if (!declared[0].name[0] && !info->tunables[0].name[0])
		return 0;
	err = keep(s, slot, declared, obj);
	if (err)
		return err;

	__atomic_store_n(&s->config->dirty, 1, __ATOMIC_RELEASE);
	memcpy(info->tunables, declared, sizeof(info->tunables));
	info->tunables_program = program_id(prog);
	pin_name(slot, name);
	if (declared[0].name[0])
		return pins_put(s, PIN_MAPS, name, bpf_map__fd(map));
	pins_drop(s, PIN_MAPS, name);
	return 0;
}

void tunables_forget(const struct state *s, __u32 slot)
{
	char name[TUNABLES_NAME_SIZE];

	pins_drop(s, PIN_MAPS, pin_name(slot, name));
}

/* The program is not the one whose map is pinned. */
void tunables_repair(struct state *s)
{
	int fd = pins_get(s, PIN_MAPS, "lb_policies");
	char name[TUNABLES_NAME_SIZE];
	__u32 i, program;

	for (i = 0; fd >= 0 && i < LB_MAX_POLICIES; i++) {
		struct lb_policy_info *info = &s->policies[i];

		if (info->meta.magic != LB_POLICY_MAGIC || !info->tunables[0].name[0] ||
		    bpf_map_lookup_elem(fd, &i, &program) ||
		    program == info->tunables_program)
			continue;
		report_warning(
			"policy '%s': lbctl was killed when it loaded it; load it again",
			info->meta.name);
		memset(info->tunables, 0, sizeof(info->tunables));
		pins_drop(s, PIN_MAPS, pin_name(i, name));
	}
	if (fd >= 0)
		close(fd);
}
