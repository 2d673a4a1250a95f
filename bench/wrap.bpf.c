// SPDX-License-Identifier: GPL-2.0-only
/*
 * wrap - undo what the program under test did to the frame, then call it again.
 *
 * A repeated test run goes on with the frame as the last run left it: a program that
 * encapsulates would see its own tunnel, one that translates its own addresses, and the
 * figure would be that of another path.  So the frame gets its length and its head back each
 * time, and another client where many flows are wanted.
 *
 * Time is read here, once in a batch: the time that the syscall took has the kernel's waits
 * for a grace period in it.  What all this costs is measured over wrap_nothing.
 *
 * in:   a frame of wrap_params.length bytes, or what became of it
 * out:  the program in wrap_target has it again as it was
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "wrap.h"

const volatile struct wrap_params wrap_params;

struct wrap_state wrap_state;

/* 0 -> the program under test. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} wrap_target SEC(".maps");

#define FLAG_SYN 0x02
#define FLAG_ACK 0x10

/* As it was: called also when nothing changed, so that it costs the same over each program. */
static __always_inline int restore_length(struct xdp_md *ctx)
{
	long delta = (long)ctx->data_end - (long)ctx->data;

	/* clang 14 takes the difference of packet pointers for one. */
	asm volatile("" : "+r"(delta));
	delta -= wrap_params.length;
	if (ctx->data_meta != ctx->data &&
	    bpf_xdp_adjust_meta(ctx, ctx->data - ctx->data_meta))
		return -1;
	return bpf_xdp_adjust_head(ctx, delta);
}

static __always_inline __u32 flow_number(void)
{
	__u32 i = wrap_state.n;

	if (wrap_params.order == WRAP_CONFIRM)
		i = wrap_state.n >> 1;
	if (wrap_params.order == WRAP_RANDOM) {
		i *= 0x9e3779b1U;
		i ^= i >> 15;
		i *= 0x85ebca77U;
		i ^= i >> 13;
	}
	return i & wrap_params.mask;
}

static __always_inline void restore_head(__u8 *data)
{
	__u64 *word = (void *)data;
	__u32 i;

#pragma unroll
	for (i = 0; i < WRAP_WORDS; i++)
		if (i < wrap_params.words)
			word[i] = wrap_state.word[i];
	if (wrap_params.mask) {
		i = flow_number();
		*(__u16 *)(data + wrap_params.port) = i;
		*(__u32 *)(data + wrap_params.address) += i & 0xffff0000U;
	}
	if (wrap_params.order == WRAP_CONFIRM && wrap_params.flags)
		data[wrap_params.flags] = wrap_state.n & 1 ? FLAG_ACK : FLAG_SYN;
}

static __always_inline void next(void)
{
	__u64 n = wrap_state.n++;

	if (!(n & (wrap_params.batch - 1)))
		wrap_state.stamp[n / wrap_params.batch & (WRAP_STAMPS - 1)] =
			bpf_ktime_get_ns();
}

SEC("xdp")
int wrap(struct xdp_md *ctx)
{
	__u8 *data;

	if (restore_length(ctx))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	if (data + wrap_params.words * 8 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	restore_head(data);

	next();
	bpf_tail_call_static(ctx, &wrap_target, 0);
	return XDP_ABORTED;
}

/* In the place of the program under test. */
SEC("xdp")
int wrap_nothing(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_TX;
}

/* Without all this: what the loop of the kernel's test run costs by itself. */
SEC("xdp")
int wrap_loop(struct xdp_md *ctx)
{
	(void)ctx;
	next();
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
