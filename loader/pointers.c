// SPDX-License-Identifier: GPL-2.0-only
/*
 * pointers.c - elements of maps of maps, written many at once.
 *
 * Each bpf() call that writes into a map of maps waits for an RCU grace period when it has
 * written, 8 to 16 ms, so they are written in batches.  Two maps are written by two threads:
 * the second one begins when it sees what the first has written, and both wait for about the
 * same grace period.  `backend add` takes 26 ms instead of 43.
 */
#include "pointers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#define STEP_US 50 /* between looks at what is there */

struct writer {
	int outer_fd;
	const struct pointers *p;
	int err;
	bool is_done;
};

void pointers_add(struct pointers *p, __u32 id, int fd)
{
	p->id[p->n] = id;
	p->fd[p->n++] = fd;
}

void pointers_close(struct pointers *p)
{
	__u32 i;

	for (i = 0; i < p->n; i++)
		close(p->fd[i]);
	p->n = 0;
}

static int write_all(int outer_fd, const struct pointers *p)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 i, n = p->n;

	if (!n || !bpf_map_update_batch(outer_fd, p->id, p->fd, &n, &opts))
		return 0;
	/* Kernels before 5.14 have no batches for maps of maps. */
	for (i = 0; i < p->n; i++)
		if (bpf_map_update_elem(outer_fd, &p->id[i], &p->fd[i], 0))
			return -errno;
	return 0;
}

static void *write_first(void *arg)
{
	struct writer *w = arg;

	w->err = write_all(w->outer_fd, w->p);
	__atomic_store_n(&w->is_done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool is_there(int outer_fd, const struct pointers *p, __u32 i)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info), inner;

	return !bpf_map_lookup_elem(outer_fd, &p->id[i], &inner) &&
	       !bpf_obj_get_info_by_fd(p->fd[i], &info, &size) && info.id == inner;
}

static void wait_until_there(const struct writer *w)
{
	const struct timespec step = { .tv_nsec = STEP_US * 1000 };
	__u32 i = 0;

	while (i < w->p->n && !__atomic_load_n(&w->is_done, __ATOMIC_ACQUIRE)) {
		if (is_there(w->outer_fd, w->p, i))
			i++;
		else
			nanosleep(&step, NULL);
	}
}

int pointers_write(int first_fd, const struct pointers *first, int second_fd,
		   const struct pointers *second)
{
	struct writer w = { .outer_fd = first_fd, .p = first };
	pthread_t thread;
	int err = 0;

	if (!first->n || !second->n || pthread_create(&thread, NULL, write_first, &w)) {
		err = write_all(first_fd, first);
		return err ? err : write_all(second_fd, second);
	}
	wait_until_there(&w);
	/* If it has failed, nothing may follow it. */
	if (!__atomic_load_n(&w.is_done, __ATOMIC_ACQUIRE) || !w.err)
		err = write_all(second_fd, second);
	pthread_join(thread, NULL);
	return w.err ? w.err : err;
}
