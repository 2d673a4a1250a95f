// SPDX-License-Identifier: GPL-2.0-only
/*
 * made_tables.c - selection tables: made aside, then pointed to.
 *
 * A table is an inner map of its own that is filled through a mapping (0.1 ms, where
 * single updates take 27) and never changes once it is pointed to.
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
#include "admissions.h"
#include "pointers.h"
#include "report.h"
#include "table.h"

#define ERROR_TO_TELL 0.01 /* of a share */

__u32 service_policy(const struct model *m, const struct model_service *s)
{
	return s->policy >= 0 ? s->policy : m->default_policy;
}

static __u32 element_count(__u32 n_slots)
{
	return 1 + (n_slots + LB_TABLE_CHUNK - 1) / LB_TABLE_CHUNK;
}

/* A table as it is: -1 and zeros if there is none. */
struct old_table {
	int fd;
	struct lb_table header;
};

static struct old_table open_table(int outer_fd, __u32 service)
{
	struct old_table old = { .fd = -1 };
	__u32 inner, zero = 0;

	if (bpf_map_lookup_elem(outer_fd, &service, &inner))
		return old;
	old.fd = bpf_map_get_fd_by_id(inner);
	if (old.fd >= 0 && bpf_map_lookup_elem(old.fd, &zero, &old.header))
		memset(&old.header, 0, sizeof(old.header));
	return old;
}

static void close_table(struct old_table *old)
{
	if (old->fd >= 0)
		close(old->fd);
	old->fd = -1;
}

/*
 * The table that counts as the one before when @old goes: @old, unless nobody can be found
 * by it again and by the one before @old, still within the grace time, somebody can.  So a
 * change of weights does not end what a change of the policy has promised.
 */
static bool keeps_previous(const struct lb_table *old, const struct lb_table *previous,
			   __u64 now, __u64 grace)
{
	return !(old->promises & LB_PROMISE_CONSISTENT) &&
	       previous->promises & LB_PROMISE_CONSISTENT &&
	       now - old->flipped_at < grace;
}

static struct lb_table make_header(const struct model *m,
				   const struct model_service *service,
				   const struct table *t, const struct lb_table *old)
{
	struct lb_table header = {
		.policy = service_policy(m, service),
		.kind = t->kind,
		.n_slots = t->n_slots,
		.generation = service->generation + 1,
		.seed = table_seed(service),
		.n_backends = t->n_backends,
		.promises = m->policies[service_policy(m, service)].info.meta.promises,
		.flipped = time(NULL),
		.flags = admission_flags(service),
	};

	if (old->generation >= header.generation)
		header.generation = old->generation + 1;
	header.previous_policy = old->generation ? old->policy : header.policy;
	header.previous_kind = old->generation ? old->kind : header.kind;
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

/* Tables that are made and not yet pointed to, and those that they follow. */
struct batch {
	struct pointers tables, previous;
	__u64 now; /* jiffies */
};

static int flush(const struct state *s, struct batch *b)
{
	int err = pointers_write(s->previous_fd, &b->previous, s->tables_fd, &b->tables);

	pointers_close(&b->previous);
	pointers_close(&b->tables);
	return err;
}

/* @header follows @old, which the batch takes if it is the one before from now on. */
static void follow(const struct state *s, struct batch *b, __u32 service,
		   struct old_table *old, struct lb_table *header)
{
	struct old_table previous = open_table(s->previous_fd, service);

	header->flipped_at = b->now;
	if (keeps_previous(&old->header, &previous.header, b->now,
			   s->services[service].grace)) {
		header->flipped_at = old->header.flipped_at;
		header->previous_policy = old->header.previous_policy;
		header->previous_kind = old->header.previous_kind;
	} else if (old->fd >= 0) {
		pointers_add(&b->previous, service, old->fd);
		old->fd = -1;
	}
	close_table(&previous);
}

static int make_one(struct state *s, struct model *m, struct model_service *service,
		    struct batch *b)
{
	__u32 policy = service_policy(m, service);
	struct old_table old;
	struct lb_table header;
	struct table t;
	int err, fd;

	err = table_build(service, m->policies[policy].info.meta.kind, &t);
	if (err)
		return err;
	old = open_table(s->tables_fd, service->id);
	header = make_header(m, service, &t, &old.header);
	follow(s, b, service->id, &old, &header);
	close_table(&old);
	fd = make_map(&header, &t);
	tell_error(service, &t);
	table_free(&t);
	if (fd < 0)
		return fd;

	pointers_add(&b->tables, service->id, fd);
	service->generation = header.generation;
	s->services[service->id].generation = header.generation;
	return b->tables.n == POINTERS_MAX ? flush(s, b) : 0;
}

static int make_all(struct state *s, struct model *m, const bool *is_wanted,
		    struct batch *b)
{
	struct lb_clock now = {};
	int err = state_clock(s, &now), last;
	size_t i;

	b->now = now.jiffies;
	for (i = 0; i < m->n_services && !err; i++)
		if (is_wanted[i])
			err = make_one(s, m, &m->services[i], b);
	last = flush(s, b);
	return err ? err : last;
}

int tables_flip(struct state *s, struct model *m, const bool *is_wanted)
{
	struct batch *b = calloc(1, sizeof(*b));
	int err = b ? make_all(s, m, is_wanted, b) : -ENOMEM;

	free(b);
	if (err)
		report("%s: cannot write the services' tables: %s; run lbctl again to finish",
		       s->dir, strerror(-err));
	return err;
}

/* Does the table in @fd have the slots of @t?  Its header says that it has as many. */
static bool has_slots(int fd, const struct table *t)
{
	size_t size = (size_t)element_count(t->n_slots) * sizeof(struct lb_table_slots);
	struct lb_table_slots *slots = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	__u32 i;

	if (slots == MAP_FAILED)
		return false;
	for (i = 0; i < t->n_slots; i++)
		if (slots[1 + i / LB_TABLE_CHUNK].id[i % LB_TABLE_CHUNK] != t->slot[i])
			break;
	munmap(slots, size);
	return i == t->n_slots;
}

static bool is_made(const struct state *s, const struct model *m,
		    const struct model_service *service, const struct table *t,
		    __u32 *ret_generation)
{
	struct old_table old = open_table(s->tables_fd, service->id);
	const struct lb_table *is = &old.header;
	struct lb_table want = make_header(m, service, t, is);
	bool made = old.fd >= 0 && is->policy == want.policy && is->kind == want.kind &&
		    is->n_slots == want.n_slots && is->seed == want.seed &&
		    is->n_backends == want.n_backends && is->promises == want.promises &&
		    is->flags == want.flags && is->generation && has_slots(old.fd, t);

	*ret_generation = is->generation;
	close_table(&old);
	return made;
}

int tables_find_wrong(struct state *s, struct model *m, bool *ret_is_wrong)
{
	struct table t;
	size_t i;

	for (i = 0; i < m->n_services; i++) {
		struct model_service *service = &m->services[i];
		__u32 policy = service_policy(m, service), generation;

		if (table_build(service, m->policies[policy].info.meta.kind, &t))
			return -ENOMEM;
		ret_is_wrong[i] = !is_made(s, m, service, &t, &generation);
		table_free(&t);
		if (ret_is_wrong[i])
			continue;
		service->generation = generation;
		s->services[service->id].generation = generation;
	}
	return 0;
}

static bool is_there(int outer_fd, __u32 id)
{
	__u32 inner;

	return !bpf_map_lookup_elem(outer_fd, &id, &inner);
}

/*
 * By an empty table that they share: to delete an element waits for a grace period each
 * time, and there is no batch of deletions.
 */
static int remove_pointers(const struct state *s, const bool *is_gone, int empty_fd,
			   struct batch *b)
{
	__u32 id;
	int err = 0;

	for (id = 0; id < LB_MAX_SERVICES && !err; id++) {
		if (is_gone[id] && is_there(s->previous_fd, id))
			pointers_add(&b->previous, id, empty_fd);
		if (is_gone[id] && is_there(s->tables_fd, id))
			pointers_add(&b->tables, id, empty_fd);
		if (b->tables.n < POINTERS_MAX && b->previous.n < POINTERS_MAX &&
		    id < LB_MAX_SERVICES - 1)
			continue;
		err = pointers_write(s->previous_fd, &b->previous, s->tables_fd,
				     &b->tables);
		b->previous.n = b->tables.n = 0;
	}
	return err;
}

int tables_remove(struct state *s, const bool *is_gone)
{
	const struct table empty = {};
	const struct lb_table header = {};
	struct batch *b = calloc(1, sizeof(*b));
	int fd = b ? make_map(&header, &empty) : -ENOMEM, err = fd < 0 ? fd : 0;

	if (!err)
		err = remove_pointers(s, is_gone, fd, b);
	if (fd >= 0)
		close(fd);
	free(b);
	return err;
}
