// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace_ring.c - tracing switched on and off, and the ring of events.
 *
 * One trace at a time: there is one filter and one ring.  The lock is on the folder of
 * pinned maps, which nobody else locks, and dies with its holder; what the holder had
 * switched on ends with its lease.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pins.h"
#include "rcu.h"
#include "report.h"
#include "trace.h"

static int lock(struct trace_ring *r)
{
	int holder;

	r->lock_fd = pins_lock_folder(r->state, PIN_MAPS, &holder);
	if (r->lock_fd >= 0)
		return 0;
	if (r->lock_fd == -EWOULDBLOCK && holder)
		report("%s: pid %d is tracing already; end that one first", r->state->dir,
		       holder);
	else if (r->lock_fd == -EWOULDBLOCK)
		report("%s: another lbctl is tracing already; end that one first",
		       r->state->dir);
	else
		report("%s/" PIN_MAPS ": %s", r->state->dir, strerror(-r->lock_fd));
	return r->lock_fd;
}

static int map_switches(struct trace_ring *r)
{
	int fd = state_map_fd(r->state, "lb_switches");
	void *address;

	if (fd < 0)
		return fd;
	address = mmap(NULL, sizeof(*r->switches), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       0);
	close(fd);
	if (address == MAP_FAILED)
		return -errno;
	r->switches = address;
	return 0;
}

/* One that was killed may have left its switch on, and events of its filter. */
static int set_filter(struct trace_ring *r, const struct lb_trace_filter *filter)
{
	int fd = state_map_fd(r->state, "lb_trace_filter"), err;
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	__atomic_store_n(&r->switches->trace, 0, __ATOMIC_RELEASE);
	rcu_wait();
	err = bpf_map_update_elem(fd, &zero, filter, 0) ? -errno : 0;
	close(fd);
	return err;
}

static int take_event(void *arg, void *data, size_t size)
{
	struct trace_ring *r = arg;
	const struct lb_trace_event *e = data;

	if (!r->is_on || size < sizeof(*e) ||
	    size < sizeof(*e) + e->kept_in + e->kept_out)
		return 0;
	return r->take(r->arg, data, size);
}

static int open_ring(struct trace_ring *r)
{
	int n;

	r->ring_fd = state_map_fd(r->state, "lb_trace_ring");
	if (r->ring_fd < 0)
		return r->ring_fd;
	r->ring = ring_buffer__new(r->ring_fd, take_event, r, NULL);
	if (!r->ring)
		return -errno;
	n = ring_buffer__consume(r->ring); /* to nobody: we are not on yet */
	return n < 0 ? n : 0;
}

static int read_lost(const struct trace_ring *r, __u64 *ret)
{
	int cpus = libbpf_num_possible_cpus(), i;
	__u32 zero = 0;

	*ret = 0;
	if (cpus < 0)
		return cpus;

	__u64 of_cpu[cpus];

	if (bpf_map_lookup_elem(r->lost_fd, &zero, of_cpu))
		return -errno;
	for (i = 0; i < cpus; i++)
		*ret += of_cpu[i];
	return 0;
}

static int open_maps(struct trace_ring *r, const struct lb_trace_filter *filter)
{
	int err;

	r->lost_fd = state_map_fd(r->state, "lb_trace_lost");
	if (r->lost_fd < 0)
		return r->lost_fd;
	err = map_switches(r);
	if (!err)
		err = set_filter(r, filter);
	if (!err)
		err = open_ring(r);
	return err ? err : read_lost(r, &r->lost_before);
}

int trace_ring_open(struct trace_ring *r, const struct state *s,
		    const struct lb_trace_filter *filter, ring_buffer_sample_fn take,
		    void *arg)
{
	int err;

	*r = (struct trace_ring){
		.state = s,
		.lock_fd = -1,
		.ring_fd = -1,
		.lost_fd = -1,
		.take = take,
		.arg = arg,
	};
	err = lock(r);
	if (err)
		return err;
	err = open_maps(r, filter);
	if (!err)
		return 0;
	report("%s: cannot trace: %s", s->dir, strerror(-err));
	trace_ring_close(r);
	return err;
}

int trace_ring_renew(struct trace_ring *r)
{
	__u32 lease = LB_TRACE_LEASE_S * r->state->config->params.hz, was;
	struct lb_clock now;
	int err = state_clock(r->state, &now);

	if (err) {
		report("%s: the instance is gone: %s", r->state->dir, strerror(-err));
		return err;
	}
	was = __atomic_exchange_n(&r->switches->trace, ((__u32)now.jiffies + lease) | 1,
				  __ATOMIC_RELEASE);
	if (r->is_on && !was)
		report_warning("trace: packets were missed: lbctl was stopped for more "
			       "than %d s, or nobody read what it prints",
			       LB_TRACE_LEASE_S);
	r->is_on = true;
	return 0;
}

int trace_ring_count_lost(struct trace_ring *r)
{
	__u64 n;
	int err = read_lost(r, &n);

	if (!err)
		r->lost = n - r->lost_before;
	return err;
}

void trace_ring_close(struct trace_ring *r)
{
	if (r->switches) {
		__atomic_store_n(&r->switches->trace, 0, __ATOMIC_RELEASE);
		munmap(r->switches, sizeof(*r->switches));
	}
	ring_buffer__free(r->ring);
	if (r->ring_fd >= 0)
		close(r->ring_fd);
	if (r->lost_fd >= 0)
		close(r->lost_fd);
	if (r->lock_fd >= 0)
		close(r->lock_fd);
}
