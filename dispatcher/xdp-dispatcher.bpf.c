// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp-dispatcher - calls up to ten XDP programs one after another, for libxdp to fill.
 *
 * libxdp has one of its own, and lbctl takes this one only where that is refused: since
 * 6.12 the kernel counts a tail call as changing packet data, and a program that does may
 * only replace (freplace) a function that does, too.  Stubs of libxdp before 1.5.5 do not.
 *
 * What libxdp looks for by name, and what therefore must stay as it is: the file's name;
 * the programs xdp_dispatcher and xdp_pass; the functions prog0 to prog9 and compat_test;
 * its configuration as the only map; dispatcher_version.  By lb_dispatcher lbctl knows it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <xdp/prog_dispatcher.h>

/* Written by libxdp before it loads this. */
static volatile const struct xdp_dispatcher_config conf = {};

/*
 * Nobody calls a stub that is not replaced.  The compiler must not know what it returns,
 * and the kernel must see a helper that changes packets.
 */
#define STUB(name)                                                                       \
	__attribute__((noinline)) int name(struct xdp_md *ctx)                           \
	{                                                                                \
		volatile int verdict;                                                    \
                                                                                         \
		if (!ctx)                                                                \
			return XDP_ABORTED;                                              \
		verdict = XDP_DISPATCHER_RETVAL;                                         \
		if (bpf_xdp_adjust_tail(ctx, 0))                                         \
			verdict = XDP_ABORTED;                                           \
		return verdict;                                                          \
	}

STUB(prog0)
STUB(prog1)
STUB(prog2)
STUB(prog3)
STUB(prog4)
STUB(prog5)
STUB(prog6)
STUB(prog7)
STUB(prog8)
STUB(prog9)
STUB(compat_test) /* replaced to see whether the kernel can do it at all */

/* Go on with the next program only at a verdict that this one's chain-call actions name. */
#define CALL(n)                                                                          \
	do {                                                                             \
		if (conf.num_progs_enabled <= n)                                         \
			return XDP_PASS;                                                 \
		verdict = prog##n(ctx);                                                  \
		if (!(1U << (verdict & 31) & conf.chain_call_actions[n]))                \
			return verdict;                                                  \
	} while (0)

SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	int verdict;

	CALL(0);
	CALL(1);
	CALL(2);
	CALL(3);
	CALL(4);
	CALL(5);
	CALL(6);
	CALL(7);
	CALL(8);
	CALL(9);
	/* Never: a function that nobody calls would not be there. */
	if (conf.num_progs_enabled > MAX_DISPATCHER_ACTIONS)
		return compat_test(ctx);
	return XDP_PASS;
}

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
__uint(dispatcher_version, XDP_DISPATCHER_VERSION) SEC(XDP_METADATA_SECTION);
__uint(lb_dispatcher, 1) SEC(XDP_METADATA_SECTION);
