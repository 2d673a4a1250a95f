// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_entry - the one program that libxdp attaches, and that stays attached.
 *
 * libxdp's dispatcher replaces functions by programs (freplace), and a replaced program
 * may not be in a PROG_ARRAY; so the stages are plain XDP programs of their own, and an
 * upgrade of all of them is one write of this slot.
 *
 * in:   an Ethernet frame
 * out:  lb_parse has it
 * else: XDP_PASS while no version of the stages is loaded
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <xdp/xdp_helpers.h>

/*
 * 0 -> lb_parse of the current version.  Written by lbctl.  It is pinned for who attaches
 * this with other tools (xdp-loader -p DIR): lbctl finds it there and fills it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} lb_root SEC(".maps");

/*
 * 50 is everybody's default, and libxdp sorts equal priorities by name: at 50 a firewall
 * might run after us and see nothing.
 */
struct {
	__uint(priority, 60);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(lb_entry);

SEC("xdp")
int lb_entry(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &lb_root, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
