// SPDX-License-Identifier: GPL-2.0-only
/*
 * made_tables.c - selection tables: made aside, then pointed to.
 *
 * A table is an inner map of its own that is filled through a mapping (0.1 ms, where
 * single updates take 27) and never changes once it is pointed to.  Pointers are written
 * in batches, because each bpf() call that writes one waits for a grace period.
 */
#include "made.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "report.h"
#include "table.h"

#define BATCH	      256  /* tables that are open at once */
#define ERROR_TO_TELL 0.01 /* of a share */

__u32 service_policy(const struct model *m, const struct model_service *s)
{
	return s->policy >= 0 ? s->policy : m->default_policy;
}

static __u32 element_count(__u32 n_slots)
{
	return 1 + (n_slots + LB_TABLE_CHUNK - 1) / LB_TABLE_CHUNK;
}

/* What the service's table says now; zeros if it has none. */
static struct lb_table read_header(const struct state *s, __u32 service)
{
	struct lb_table header = {};
	__u32 inner, zero = 0;
	int fd;

	if (bpf_map_lookup_elem(s->tables_fd, &service, &inner))
		return header;
	fd = bpf_map_get_fd_by_id(inner);
	if (fd < 0)
		return header;
	if (bpf_map_lookup_elem(fd, &zero, &header))
		memset(&header, 0, sizeof(header));
	close(fd);
	return header;
}

static struct lb_table make_header(const struct state *s, const struct model *m,
				   const struct model_service *service,
				   const struct table *t)
{
	struct lb_table old = read_header(s, service->id);
	struct lb_table header = {
		.policy = service_policy(m, service),
		.kind = t->kind,
		.n_slots = t->n_slots,
		.generation = service->generation + 1,
		.seed = table_seed(service),
		.n_backends = t->n_backends,
		.promises = m->policies[service_policy(m, service)].info.meta.promises,
		.flipped = time(NULL),
	};

	if (old.generation >= header.generation)
		header.generation = old.generation + 1;
	header.previous_policy = old.generation ? old.policy : header.policy;
	header.previous_kind = old.generation ? old.kind : header.kind;
	return header;
}

/* An fd, or -errno. */
static int make_map(const struct lb_table *header, const struct table *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	size_t size = (size_t)element_count(t->n_slots) * sizeof(*header);
	struct lb_table_slots *slots;
	__u32 i;
	int fd;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_table", sizeof(__u32),
			    sizeof(*header), element_count(t->n_slots), &opts);
	if (fd < 0)
		return -errno;
	slots = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (slots == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}

	memcpy(&slots[0], header, sizeof(*header));
	for (i = 0; i < t->n_slots; i++)
		slots[1 + i / LB_TABLE_CHUNK].id[i % LB_TABLE_CHUNK] = t->slot[i];
	munmap(slots, size);
	return fd;
}

static void tell_error(const struct model_service *s, const struct table *t)
{
	char service[ENDPOINT_TEXT_SIZE], backend[ENDPOINT_TEXT_SIZE];
	const struct model_backend *b = &s->backends[t->worst];

	if (t->error > ERROR_TO_TELL)
		report_warning(
			"%s: weights are scaled to %u slots; the share of %s is off by "
			"%.1f%%",
			service_text(s, service), t->n_slots,
			backend_format(&b->address, b->port, backend), t->error * 100);
}

/* Tables that are made and not yet pointed to. */
struct batch {
	__u32 id[BATCH];
	int fd[BATCH];
	__u32 n;
};

static int write_pointers(const struct state *s, const struct batch *b)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 i, n = b->n;
	int err;

	if (!n)
		return 0;
	err = bpf_map_update_batch(s->tables_fd, b->id, b->fd, &n, &opts);
	if (!err)
		return 0;
	/* Kernels before 5.14 have no batches for maps of maps. */
	for (i = 0; i < b->n; i++)
		if (bpf_map_update_elem(s->tables_fd, &b->id[i], &b->fd[i], 0))
			return -errno;
	return 0;
}

static int flush(const struct state *s, struct batch *b)
{
	int err = write_pointers(s, b);
	__u32 i;

	for (i = 0; i < b->n; i++)
		close(b->fd[i]);
	b->n = 0;
	return err;
}

static int make_one(struct state *s, struct model *m, struct model_service *service,
		    struct batch *b)
{
	__u32 policy = service_policy(m, service);
	struct lb_table header;
	struct table t;
	int err, fd;

	err = table_build(service, m->policies[policy].info.meta.kind, &t);
	if (err)
		return err;
	header = make_header(s, m, service, &t);
	fd = make_map(&header, &t);
	tell_error(service, &t);
	table_free(&t);
	if (fd < 0)
		return fd;

	b->id[b->n] = service->id;
	b->fd[b->n++] = fd;
	service->generation = header.generation;
	s->services[service->id].generation = header.generation;
	return b->n == BATCH ? flush(s, b) : 0;
}

int tables_flip(struct state *s, struct model *m, const bool *is_wanted)
{
	struct batch *b = calloc(1, sizeof(*b));
	int err = b ? 0 : -ENOMEM, last;
	size_t i;

	for (i = 0; i < m->n_services && !err; i++)
		if (is_wanted[i])
			err = make_one(s, m, &m->services[i], b);
	if (b) {
		last = flush(s, b);
		err = err ? err : last;
		free(b);
	}
	if (err)
		report("%s: cannot write the services' tables: %s; run lbctl again to finish",
		       s->dir, strerror(-err));
	return err;
}

/*
 * By an empty table that they share: to delete an element waits for a grace period each
 * time, and there is no batch of deletions.
 */
int tables_remove(struct state *s, const bool *is_gone)
{
	const struct table empty = {};
	const struct lb_table header = {};
	struct batch *b = calloc(1, sizeof(*b));
	int fd = b ? make_map(&header, &empty) : -ENOMEM, err = fd < 0 ? fd : 0;
	__u32 id, inner;

	for (id = 0; id < LB_MAX_SERVICES && !err; id++) {
		if (!is_gone[id] || bpf_map_lookup_elem(s->tables_fd, &id, &inner))
			continue;
		b->id[b->n] = id;
		b->fd[b->n++] = fd;
		if (b->n == BATCH) {
			err = write_pointers(s, b);
			b->n = 0;
		}
	}
	if (!err)
		err = write_pointers(s, b);
	if (fd >= 0)
		close(fd);
	free(b);
	return err;
}
