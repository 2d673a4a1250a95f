// SPDX-License-Identifier: GPL-2.0-only
/*
 * ids.c - numbers for new services and backends.
 *
 * First in, first out: the id that was free for the longest time is given next, so that
 * whatever might still have the old one in hand, in the kernel or on a screen, has had
 * the most time.  A free record's `since` is when it was freed.  Whoever frees an id waits
 * for a grace period before he lets go of the lock, so a free id is in no program's hand.
 */
#include "ids.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

struct free_id {
	__u64 since;
	__u32 id;
};

struct free_ids {
	struct free_id *ids;
	size_t n, at;
};

static int compare_free(const void *a, const void *b)
{
	const struct free_id *x = a, *y = b;

	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	return x->id < y->id ? -1 : 1;
}

static int find_services(const struct state *s, struct free_ids *ret)
{
	__u32 id;

	ret->ids = calloc(LB_MAX_SERVICES, sizeof(*ret->ids));
	if (!ret->ids)
		return -ENOMEM;
	for (id = 0; id < LB_MAX_SERVICES; id++)
		if (!s->services[id].state)
			ret->ids[ret->n++] =
				(struct free_id){ s->services[id].since, id };
	qsort(ret->ids, ret->n, sizeof(*ret->ids), compare_free);
	return 0;
}

static int find_backends(const struct state *s, struct free_ids *ret)
{
	__u32 id;

	ret->ids = calloc(LB_MAX_BACKENDS, sizeof(*ret->ids));
	if (!ret->ids)
		return -ENOMEM;
	for (id = 1; id < LB_MAX_BACKENDS; id++)
		if (!s->backends[id].ref)
			ret->ids[ret->n++] =
				(struct free_id){ s->backends[id].since, id };
	qsort(ret->ids, ret->n, sizeof(*ret->ids), compare_free);
	return 0;
}

static int next_id(struct free_ids *f, const char *what, int limit, __u32 *ret)
{
	if (f->at == f->n) {
		report("no id is free for another %s: there can be %d, those that this change "
		       "removes included; remove them first",
		       what, limit);
		return -ENOSPC;
	}
	*ret = f->ids[f->at++].id;
	return 0;
}

static int assign_backends(const struct state *s, struct model_service *service,
			   struct free_ids *f)
{
	size_t i;
	int err;

	for (i = 0; i < service->n_backends; i++) {
		struct model_backend *b = &service->backends[i];

		if (b->id)
			continue;
		err = next_id(f, "backend", LB_MAX_BACKENDS - 1, &b->id);
		if (err)
			return err;
		b->ref = LB_BACKEND_REF(b->id, s->backends[b->id].incarnation + 1);
	}
	return 0;
}

int ids_assign(const struct state *s, struct model *m)
{
	struct free_ids services = {}, backends = {};
	int err = find_services(s, &services);
	size_t i;

	if (!err)
		err = find_backends(s, &backends);
	if (err)
		report("out of memory");
	for (i = 0; i < m->n_services && !err; i++) {
		struct model_service *service = &m->services[i];
		__u32 id;

		if (service->id < 0) {
			err = next_id(&services, "service", LB_MAX_SERVICES, &id);
			if (!err)
				service->id = id;
		}
		if (!err)
			err = assign_backends(s, service, &backends);
	}
	free(services.ids);
	free(backends.ids);
	return err;
}

static int clear_count(int fd, __u32 id)
{
	struct lb_count zero[libbpf_num_possible_cpus()];

	memset(zero, 0, sizeof(zero));
	return bpf_map_update_elem(fd, &id, zero, 0) ? -errno : 0;
}

static int clear_backend(struct state *s, __u32 id)
{
	s->hops[id] = (struct lb_hop){};
	s->live[id] = 0;
	return clear_count(s->backend_counts_fd, id);
}

int ids_clear_counts(struct state *s, const struct model *m)
{
	size_t i, j;
	int err = 0;

	for (i = 0; i < m->n_services && !err; i++) {
		const struct model_service *service = &m->services[i];

		if (!s->services[service->id].state)
			err = clear_count(s->service_counts_fd, service->id);
		for (j = 0; j < service->n_backends && !err; j++)
			if (!s->backends[service->backends[j].id].ref)
				err = clear_backend(s, service->backends[j].id);
	}
	return err;
}
