// SPDX-License-Identifier: GPL-2.0-only
/*
 * tunable_records.c - the values of policies' tunables in the kernel.
 *
 * A program looks at one element, its service's, so each has all that counts for the
 * service: what is set for it alone, else what is set for all.  Which of them it is, `own`
 * says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tunables.h"

static size_t map_size(void)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (TUNABLES_ELEMENTS * sizeof(struct lb_tunables) + page - 1) / page * page;
}

struct lb_tunables *tunables_map(int fd)
{
	void *elements =
		mmap(NULL, map_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return elements == MAP_FAILED ? NULL : elements;
}

void tunables_unmap(struct lb_tunables *elements)
{
	if (elements)
		munmap(elements, map_size());
}

/* ---- what is set for one service ---------------------------------------------------- */

struct model_param *param_find(const struct model_service *service, int policy, __u32 key)
{
	size_t i;

	for (i = 0; i < service->n_params; i++)
		if (service->params[i].policy == policy && service->params[i].key == key)
			return &service->params[i];
	return NULL;
}

int param_set(struct model_service *service, int policy, __u32 key, __u64 value)
{
	struct model_param *p = param_find(service, policy, key), *grown;

	if (p) {
		p->value = value;
		return 0;
	}
	grown = reallocarray(service->params, service->n_params + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	service->params = grown;
	grown[service->n_params++] = (struct model_param){ policy, key, value };
	return 0;
}

void param_unset(struct model_service *service, int policy, __u32 key)
{
	struct model_param *p = param_find(service, policy, key);

	if (!p)
		return;
	service->n_params--;
	memmove(p, p + 1, (service->params + service->n_params - p) * sizeof(*p));
}

/* ---- the map ------------------------------------------------------------------------ */

/* A value before its bit, so that nobody meets one that was never set. */
static void put(struct lb_tunables *element, const struct lb_tunables *new)
{
	union {
		struct {
			__u32 set, own;
		};
		__u64 word;
	} bits = { { new->set, new->own } };
	__u32 i;

	_Static_assert(offsetof(struct lb_tunables, set) % 8 == 0 &&
			       offsetof(struct lb_tunables, own) ==
				       offsetof(struct lb_tunables, set) + 4,
		       "one word");
	for (i = 0; i < LB_MAX_TUNABLES; i++)
		if (new->set >> i & 1)
			__atomic_store_n(&element->value[i], new->value[i],
					 __ATOMIC_RELEASE);
	__atomic_store_n((__u64 *)(void *)&element->set, bits.word, __ATOMIC_RELEASE);
}

static struct lb_tunables for_all(const struct model_policy *p)
{
	struct lb_tunables all = { .set = p->set, .own = p->set };

	memcpy(all.value, p->value, sizeof(all.value));
	return all;
}

static struct lb_tunables for_service(const struct lb_tunables *all,
				      const struct model_service *service, int policy)
{
	struct lb_tunables e = *all;
	size_t i;

	e.own = 0;
	for (i = 0; i < service->n_params; i++) {
		const struct model_param *p = &service->params[i];

		if (p->policy != policy)
			continue;
		e.value[p->key] = p->value;
		e.set |= 1U << p->key;
		e.own |= 1U << p->key;
	}
	return e;
}

static void put_services(struct lb_tunables *elements, const struct model *m, __u32 slot)
{
	const struct lb_tunables all = for_all(&m->policies[slot]);
	size_t i;

	for (i = 0; i < m->n_services; i++) {
		const struct lb_tunables e = for_service(&all, &m->services[i], slot);

		put(&elements[m->services[i].id], &e);
	}
	put(&elements[LB_MAX_SERVICES], &all);
}

int tunables_fill(struct lb_tunables *elements, const struct model *m, __u32 slot)
{
	struct lb_tunables others = for_all(&m->policies[slot]);
	bool *is_used = calloc(LB_MAX_SERVICES, sizeof(*is_used));
	size_t i;

	if (!is_used)
		return -ENOMEM;
	for (i = 0; i < m->n_services; i++)
		is_used[m->services[i].id] = true;
	others.own = 0;
	for (i = 0; i < LB_MAX_SERVICES; i++)
		if (!is_used[i])
			put(&elements[i], &others);
	free(is_used);
	put_services(elements, m, slot);
	return 0;
}

static bool has_tunables(const struct model *m, __u32 slot)
{
	return m->policies[slot].used && m->policies[slot].info.tunables[0].name[0];
}

static struct lb_tunables *open_and_map(const struct state *s, __u32 slot)
{
	struct lb_tunables *elements;
	int fd = tunables_open(s, slot);

	if (fd < 0)
		return NULL;
	elements = tunables_map(fd);
	close(fd);
	return elements;
}

static int write_all(const struct state *s, const struct model *m, bool tidies)
{
	struct lb_tunables *elements;
	__u32 slot;
	int err = 0;

	for (slot = 0; slot < LB_MAX_POLICIES && !err; slot++) {
		if (!has_tunables(m, slot))
			continue;
		elements = open_and_map(s, slot);
		if (!elements)
			err = -EIO;
		else if (tidies)
			err = tunables_fill(elements, m, slot);
		else
			put_services(elements, m, slot);
		tunables_unmap(elements);
	}
	return err;
}

int tunables_write(const struct state *s, const struct model *m)
{
	return write_all(s, m, false);
}

int tunables_tidy(const struct state *s, const struct model *m)
{
	return write_all(s, m, true);
}

static int read_service(const struct lb_tunables *element, struct model_service *service,
			__u32 slot)
{
	__u32 own = __atomic_load_n(&element->own, __ATOMIC_ACQUIRE), i;
	int err = 0;

	for (i = 0; i < LB_MAX_TUNABLES && !err; i++)
		if (own >> i & 1)
			err = param_set(service, slot, i, element->value[i]);
	return err;
}

static int read_policy(const struct lb_tunables *elements, struct model *m, __u32 slot)
{
	const struct lb_tunables *all = &elements[LB_MAX_SERVICES];
	struct model_policy *p = &m->policies[slot];
	size_t i;
	int err = 0;

	p->set = __atomic_load_n(&all->set, __ATOMIC_ACQUIRE);
	memcpy(p->value, all->value, sizeof(p->value));
	for (i = 0; i < m->n_services && !err; i++)
		err = read_service(&elements[m->services[i].id], &m->services[i], slot);
	return err;
}

int tunables_read(const struct state *s, struct model *m)
{
	struct lb_tunables *elements;
	__u32 slot;
	int err = 0;

	for (slot = 0; slot < LB_MAX_POLICIES && !err; slot++) {
		if (!has_tunables(m, slot))
			continue;
		elements = open_and_map(s, slot);
		if (elements)
			err = read_policy(elements, m, slot);
		else /* somebody removed the pin: they cannot be set any more */
			memset(m->policies[slot].info.tunables, 0,
			       sizeof(m->policies[slot].info.tunables));
		tunables_unmap(elements);
	}
	return err;
}
