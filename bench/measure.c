// SPDX-License-Identifier: GPL-2.0-only
/*
 * measure.c - run a program under wrap.bpf.c and read its time stamps.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "measure.h"

__u32 measure_batch = 1 << 16;

struct wrap {
	struct bpf_object *obj;
	const struct measure_frame *frame;
	struct wrap_state *state; /* mapped */
	int fd;
};

/* ---- the wrapper -------------------------------------------------------------- */

static struct wrap_params params_of(const struct measure_frame *f)
{
	bool v4 = f->family == 4;

	return (struct wrap_params){
		.length = f->length,
		.words = v4 ? 8 : 10,
		.mask = f->flows - 1,
		.order = f->order,
		.port = v4 ? 34 : 54,
		.address = v4 ? 26 : 34,
		.flags = f->protocol != IPPROTO_TCP ? 0
			 : v4			    ? 47
						    : 67,
		.batch = measure_batch,
	};
}

static void set_params(const struct bpf_object *obj, const struct wrap_params *params)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, ".rodata");
	size_t size = 0;
	void *at = map ? (void *)bpf_map__initial_value(map, &size) : NULL;

	assert_true(at && size == sizeof(*params));
	memcpy(at, params, size);
}

static struct wrap_state *map_state(const struct bpf_object *obj)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, ".bss");
	void *at;

	assert_true(map && bpf_map__value_size(map) == sizeof(struct wrap_state));
	at = mmap(NULL, sizeof(struct wrap_state), PROT_READ | PROT_WRITE, MAP_SHARED,
		  bpf_map__fd(map), 0);
	assert_true(at != MAP_FAILED);
	return at;
}

static int wrap_program(const struct wrap *w, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(w->obj, name));
}

static struct wrap wrap_open(const struct measure_frame *frame)
{
	struct wrap_params params = params_of(frame);
	const char *build = getenv("BUILD") ?: "build";
	struct wrap w = { .frame = frame };
	struct bpf_program *prog;
	char path[256];

	assert_true(params.words * 8 <= frame->length);
	snprintf(path, sizeof(path), "%s/bench/wrap.bpf.o", build);
	w.obj = bpf_object__open(path);
	if (!w.obj)
		fail_msg("%s: %s; run make first", path, strerror(errno));
	set_params(w.obj, &params);
	bpf_object__for_each_program(prog, w.obj)
		bpf_program__set_expected_attach_type(prog, 0);
	if (bpf_object__load(w.obj))
		fail_msg("%s: cannot load: %s", path, strerror(errno));

	w.state = map_state(w.obj);
	memcpy(w.state->word, frame->data, params.words * 8);
	w.state->n = frame->first;
	w.fd = wrap_program(&w, "wrap");
	return w;
}

static void wrap_close(struct wrap *w)
{
	munmap(w->state, sizeof(*w->state));
	bpf_object__close(w->obj);
}

static void wrap_target(const struct wrap *w, int prog)
{
	int map = bpf_object__find_map_fd_by_name(w->obj, "wrap_target");
	__u32 zero = 0;

	if (prog == MEASURE_NOTHING)
		prog = wrap_program(w, "wrap_nothing");
	assert_return_code(bpf_map_update_elem(map, &zero, &prog, 0), errno);
}

/* The wrapper keeps the packet's number in its state. */
static void wrap_run(const struct wrap *w, __u64 packets)
{
	const struct measure_frame *f = w->frame;
	__u8 out[PACKET_MAX + 256];
	struct xdp_md in = { .data_end = f->length, .ingress_ifindex = f->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->data,
		    .data_size_in = f->length, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = packets, .ctx_in = &in,
		    .ctx_size_in = sizeof(in));

	assert_return_code(bpf_prog_test_run_opts(w->fd, &opts), errno);
}

/* ---- figures ------------------------------------------------------------------ */

#define ROUND (MEASURE_WARM + MEASURE_BATCHES) /* batches */
_Static_assert(ROUND + 1 <= WRAP_STAMPS, "a round's time stamps");

/* One round over @prog: ns per packet of each batch that counts. */
static void one_round(const struct wrap *w, int prog, double *ret)
{
	__u64 batch = measure_batch, *stamp = w->state->stamp;
	__u64 first = (w->state->n + batch - 1) / batch;

	wrap_target(w, prog);
	w->state->n = first * batch;
	wrap_run(w, ROUND * batch + 1);
	for (__u64 i = MEASURE_WARM; i < ROUND; i++)
		ret[i - MEASURE_WARM] = (double)(stamp[(first + i + 1) % WRAP_STAMPS] -
						 stamp[(first + i) % WRAP_STAMPS]) /
					batch;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct times times_of(double *sample)
{
	qsort(sample, MEASURE_SAMPLES, sizeof(*sample), by_value);
	return (struct times){
		.min = sample[0],
		.median = (sample[(MEASURE_SAMPLES - 1) / 2] +
			   sample[MEASURE_SAMPLES / 2]) /
			  2,
	};
}

void measure_feed(int prog, const struct measure_frame *frame, __u64 packets)
{
	struct wrap w = wrap_open(frame);

	wrap_target(&w, prog);
	wrap_run(&w, packets);
	wrap_close(&w);
}

/* What both have taken, and the difference. */
static void finish(double *gross, double *floor, struct measured *ret)
{
	ret->gross = times_of(gross);
	ret->floor = times_of(floor);
	ret->net.min = ret->gross.min - ret->floor.min;
	ret->net.median = ret->gross.median - ret->floor.median;
	ret->packets = MEASURE_ROUNDS * (ROUND * (__u64)measure_batch + 1);
}

void measure_run(int prog, int base, const struct measure_frame *frame,
		 struct measured *ret)
{
	double gross[MEASURE_SAMPLES], floor[MEASURE_SAMPLES];
	struct wrap w = wrap_open(frame);

	for (int i = 0; i < MEASURE_ROUNDS; i++) {
		one_round(&w, base, floor + i * MEASURE_BATCHES);
		one_round(&w, prog, gross + i * MEASURE_BATCHES);
	}
	wrap_close(&w);
	finish(gross, floor, ret);
}

void measure_loop(const struct measure_frame *frame, struct measured *ret)
{
	double gross[MEASURE_SAMPLES];
	struct wrap w = wrap_open(frame);

	w.fd = wrap_program(&w, "wrap_loop");
	for (int i = 0; i < MEASURE_ROUNDS; i++)
		one_round(&w, MEASURE_NOTHING, gross + i * MEASURE_BATCHES);
	ret->packets = w.state->n - frame->first;
	wrap_close(&w);
	ret->gross = times_of(gross);
	ret->floor = (struct times){};
	ret->net = ret->gross;
}

/* ---- two CPUs at once --------------------------------------------------------- */

struct side {
	int cpu, prog;
	struct wrap w;
	pthread_barrier_t *together;
	double gross[MEASURE_SAMPLES], floor[MEASURE_SAMPLES];
};

static void *run_side(void *arg)
{
	struct side *s = arg;

	stage_pin(s->cpu);
	for (int i = 0; i < MEASURE_ROUNDS; i++) {
		pthread_barrier_wait(s->together);
		one_round(&s->w, MEASURE_NOTHING, s->floor + i * MEASURE_BATCHES);
		pthread_barrier_wait(s->together);
		one_round(&s->w, s->prog, s->gross + i * MEASURE_BATCHES);
	}
	return NULL;
}

void measure_two(const int prog[2], const struct measure_frame frame[2],
		 struct measured ret[2])
{
	pthread_barrier_t together;
	struct side side[2];
	pthread_t thread[2];

	pthread_barrier_init(&together, NULL, 2);
	for (int i = 0; i < 2; i++) {
		side[i] = (struct side){ .cpu = i,
					 .prog = prog[i],
					 .w = wrap_open(&frame[i]),
					 .together = &together };
		assert_int_equal(pthread_create(&thread[i], NULL, run_side, &side[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		wrap_close(&side[i].w);
		finish(side[i].gross, side[i].floor, &ret[i]);
	}
	pthread_barrier_destroy(&together);
}
