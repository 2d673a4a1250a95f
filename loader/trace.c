// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace.c - `lbctl trace`: packets, as they come, and what becomes of them.
 */
#include "trace.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "output.h"
#include "report.h"

#define POLL_MS	 200
#define RENEW_MS 1000
#define BATCH	 64 /* packets between looks at the clock */

struct trace {
	const struct lbctl *l;
	struct trace_wish wish;
	struct trace_names names;
	struct trace_ring ring;
	struct pcapng *file; /* NULL: to stdout */
	__u64 n;	     /* packets */
	__u64 lost_told;
	__u64 renew_at; /* CLOCK_MONOTONIC, ms */
	enum outcome outcome;
};

static volatile sig_atomic_t is_over;

static void be_over(int signal)
{
	(void)signal;
	is_over = 1;
}

/* Without SA_RESTART, so that no call waits on. */
static void catch_signals(void)
{
	const struct sigaction act = { .sa_handler = be_over };

	is_over = 0;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

static __u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void fail(struct trace *t)
{
	t->outcome = REFUSED;
	is_over = 1;
}

static void tell_lost(struct trace *t)
{
	if (trace_ring_count_lost(&t->ring) || t->ring.lost == t->lost_told)
		return;
	t->lost_told = t->ring.lost;
	report_warning("trace: %llu packets were not told of: they come faster than they "
		       "can be written; a filter or 'sample N' makes them fewer",
		       t->ring.lost);
}

static void flush(struct trace *t)
{
	int err;

	if (!t->file && fflush(stdout))
		fail(t); /* main() says so */
	if (!t->file)
		return;
	err = pcapng_flush(t->file);
	if (!err)
		return;
	report("%s: cannot be written: %s", t->wish.file, strerror(-err));
	fail(t);
}

/* What is due from time to time. */
static void look_after(struct trace *t)
{
	__u64 now = now_ms();

	if (now < t->renew_at)
		return;
	t->renew_at = now + RENEW_MS;
	flush(t);
	if (t->ring.is_on)
		tell_lost(t);
	if (!is_over && trace_ring_renew(&t->ring))
		fail(t);
}

static void show(struct trace *t, const struct lb_trace_event *e)
{
	if (t->file)
		trace_write(t->file, &t->names, e); /* flush() says if it failed */
	else if (!t->l->json)
		trace_print(&t->names, e);
	else if (output_json(t->l, trace_row(&t->names, e)))
		fail(t);
}

static int take(void *arg, void *data, size_t size)
{
	struct trace *t = arg;

	(void)size;
	if (is_over)
		return -EINTR;
	show(t, data);
	if (++t->n == t->wish.limit)
		is_over = 1;
	if (t->n % BATCH == 0)
		look_after(t);
	return 0;
}

static void watch(struct trace *t)
{
	int n;

	/* Whoever sees something of us may rely on it that all packets are traced. */
	look_after(t);
	if (!t->file && !t->l->json)
		trace_print_heads();
	flush(t);
	while (!is_over) {
		look_after(t);
		n = ring_buffer__poll(t->ring.ring, POLL_MS);
		if (n < 0 && n != -EINTR) {
			report("trace: the ring of events cannot be read: %s",
			       strerror(-n));
			fail(t);
		}
		if (n)
			flush(t);
	}
}

static enum outcome run(struct trace *t)
{
	int err;

	if (t->wish.file) {
		t->file = pcapng_create(t->wish.file);
		if (!t->file) {
			report("%s: cannot be written: %s", t->wish.file,
			       strerror(errno));
			return REFUSED;
		}
	}
	catch_signals();
	watch(t);
	tell_lost(t);
	if (!t->file)
		return t->outcome;

	err = pcapng_close(t->file);
	if (err && !t->outcome) {
		report("%s: cannot be written: %s", t->wish.file, strerror(-err));
		return REFUSED;
	}
	if (!t->outcome)
		report_warning("%s: %llu packets", t->wish.file, t->n);
	return t->outcome;
}

enum outcome trace_run(const struct lbctl *l, struct words *w)
{
	struct trace t = { .l = l };
	enum outcome outcome;
	struct state s;

	if (state_open(&s, &l->where, STATE_READ))
		return REFUSED;
	outcome = trace_words(&s, w, &t.wish);
	if (!outcome) {
		trace_names_init(&t.names, &s);
		outcome = trace_ring_open(&t.ring, &s, &t.wish.filter, take, &t) ? REFUSED
										 : DONE;
		if (!outcome) {
			outcome = run(&t);
			trace_ring_close(&t.ring);
		}
	}
	state_close(&s);
	return outcome;
}
