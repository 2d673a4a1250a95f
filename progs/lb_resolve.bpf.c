// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_resolve - give the packets that lb_rewrite marked to the kernel's neighbour code.
 *
 * XDP cannot do ARP or ND, and a translated packet that is passed up is martian: its
 * source is our own address.  Here, on tc ingress, it is not yet routed, and
 * bpf_redirect_neigh() asks for the next hop and queues the packet meanwhile.
 *
 * in:   any packet on the interface
 * out:  a marked one leaves by the interface that the mark names
 * else: TC_ACT_UNSPEC: not ours, the next filter's
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

SEC("tc")
int lb_resolve(struct __sk_buff *skb)
{
	const struct lb_mark *mark = (void *)(long)skb->data_meta;

	if ((void *)(mark + 1) > (void *)(long)skb->data || mark->magic != LB_MARK_MAGIC)
		return TC_ACT_UNSPEC;

	return bpf_redirect_neigh(mark->ifindex, NULL, 0, 0);
}

char _license[] SEC("license") = "GPL";
