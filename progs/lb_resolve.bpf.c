// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_resolve - give marked packets to the kernel's neighbour code.
 *
 * XDP cannot do ARP or ND, and a translated packet that is passed up is martian: its
 * source is our own address.  Here, on tc ingress, it is not yet routed, and
 * bpf_redirect_neigh() asks for the next hop and queues the packet meanwhile.
 *
 * in:   any packet on the interface
 * out:  a marked one leaves by the interface that the mark names, with the VLAN tag that it
 *       names.  In dsr the packet's destination is not its next hop: the backend is
 * else: TC_ACT_UNSPEC: not ours, the next filter's; TC_ACT_SHOT if it cannot be tagged
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

#include "backends.bpf.h"

#define AF_INET	 2
#define AF_INET6 10

/* The tag that the network card took off is not one to leave with. */
static __always_inline bool retag(struct __sk_buff *skb, struct lb_tag tag)
{
	if (skb->vlan_present && bpf_skb_vlan_pop(skb))
		return false;
	return !tag.type || !bpf_skb_vlan_push(skb, tag.type, bpf_ntohs(tag.id));
}

static __always_inline int to_backend(__u32 ifindex, const struct lb_backend *backend)
{
	struct bpf_redir_neigh next = {
		.nh_family = backend->family == 4 ? AF_INET : AF_INET6,
	};

	__builtin_memcpy(next.ipv6_nh, backend->address, sizeof(next.ipv6_nh));
	return bpf_redirect_neigh(ifindex, &next, sizeof(next), 0);
}

SEC("tc")
int lb_resolve(struct __sk_buff *skb)
{
	const struct lb_mark *mark = (void *)(long)skb->data_meta;
	const struct lb_backend *backend;
	__u32 ifindex, id;

	if ((void *)(mark + 1) > (void *)(long)skb->data || mark->magic != LB_MARK_MAGIC)
		return TC_ACT_UNSPEC;

	ifindex = mark->ifindex;
	id = mark->backend;
	if (!retag(skb, mark->tag))
		return TC_ACT_SHOT;
	if (!id)
		return bpf_redirect_neigh(ifindex, NULL, 0, 0);
	backend = backend_get(id);
	return to_backend(ifindex, backend);
}

char _license[] SEC("license") = "GPL";
