// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock.c - what only a program in the kernel can tell or do: jiffies, ending a flow.
 *
 * Each is one BPF_PROG_TEST_RUN.
 */
#include "clock.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pins.h"

/* Run @prog on @record, which it may change: its verdict, or -errno. */
static int run(int prog, void *record, __u32 size)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = record, .data_size_in = size,
		    .data_out = record, .data_size_out = size);

	return bpf_prog_test_run_opts(prog, &opts) ? -errno : (int)opts.retval;
}

int state_clock(const struct state *s, struct lb_clock *ret_now)
{
	int prog = pins_get(s, PIN_PROGS, "lb_clock"), verdict;

	if (prog < 0)
		return prog;
	memset(ret_now, 0, sizeof(*ret_now));
	verdict = run(prog, ret_now, sizeof(*ret_now));
	close(prog);
	if (verdict < 0)
		return verdict;
	return verdict == XDP_PASS ? 0 : -EPROTO;
}

int state_evict(const struct state *s, int family, __u32 position, __u32 version)
{
	struct lb_evict which = { .family = family,
				  .position = position,
				  .version = version };
	int prog = pins_get(s, PIN_PROGS, "lb_evict"), verdict;

	if (prog < 0)
		return prog;
	verdict = run(prog, &which, sizeof(which));
	close(prog);
	if (verdict < 0)
		return verdict;
	return verdict == XDP_PASS ? 0 : -ENOENT;
}

static int read_clock(int prog, __u32 *ret_jiffies, __u64 *ret_ns)
{
	__u8 frame[64] = {};
	struct timespec t;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame));

	if (bpf_prog_test_run_opts(prog, &opts))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &t);
	*ret_jiffies = opts.retval;
	*ret_ns = t.tv_sec * 1000000000ULL + t.tv_nsec;
	return 0;
}

static int nearest_hz(double rate)
{
	static const int choices[] = { 100, 250, 300, 1000 }; /* kernel/Kconfig.hz */
	int best = choices[0];
	size_t i;

	for (i = 1; i < sizeof(choices) / sizeof(choices[0]); i++)
		if (abs(choices[i] - (int)rate) < abs(best - (int)rate))
			best = choices[i];
	return best;
}

__u32 clock_jiffies(__u64 ms, __u32 hz)
{
	__u64 jiffies = (ms * hz + 999) / 1000;

	return ms && !jiffies ? 1 : jiffies;
}

__u64 clock_ms(__u32 jiffies, __u32 hz)
{
	return hz ? jiffies * 1000ULL / hz : 0;
}

/* With a program of its own: stages want to know before they are loaded. */
int clock_measure_hz(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	__u32 before, after;
	__u64 start, end;
	int prog, err;

	prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "lb_hz", "GPL", insns, 2, NULL);
	if (prog < 0)
		return -errno;
	err = read_clock(prog, &before, &start);
	if (!err) {
		nanosleep(&pause, NULL);
		err = read_clock(prog, &after, &end);
	}
	close(prog);
	return err ? err : nearest_hz((after - before) * 1e9 / (end - start));
}
