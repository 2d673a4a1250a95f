// SPDX-License-Identifier: GPL-2.0-only
/*
 * tc.c - lb_resolve on an interface's ingress, lb_local on its egress.
 */
#include "tc.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <time.h>

/* Priorities of tc sort filters; 60 is the chain's number among XDP programs too. */
#define FILTER_PRIORITY 60
#define FILTER_HANDLE	0x7377

static struct bpf_tc_hook hook_at(int ifindex, enum tc_side side)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = ifindex,
		.attach_point = side == TC_IN ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
}

int tc_attach(int ifindex, enum tc_side side, int program_fd)
{
	struct bpf_tc_hook hook = hook_at(ifindex, side);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
		    .priority = FILTER_PRIORITY, .prog_fd = program_fd,
		    .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&hook);

	return err && err != -EEXIST ? err : bpf_tc_attach(&hook, &opts);
}

__u32 tc_program(int ifindex, enum tc_side side)
{
	struct bpf_tc_hook hook = hook_at(ifindex, side);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
		    .priority = FILTER_PRIORITY);

	return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

/* Which messages of a dump are counted. */
struct count {
	__u16 type; /* of request */
	int ifindex;
	__u32 parent;
	unsigned int n;
};

/* The kernel dumps the qdiscs of all interfaces, whatever one asks for; but the filters
 * that were asked for, and those of a shared block name no interface. */
static int count_message(const struct nlmsghdr *msg, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(msg);
	struct count *count = arg;

	if (count->type == RTM_GETTFILTER ||
	    (tc->tcm_ifindex == count->ifindex && tc->tcm_parent == count->parent))
		count->n++;
	return MNL_CB_OK;
}

/* How many qdiscs or filters hang at @parent, by @type of request; -errno. */
static int count_at(struct mnl_socket *nl, __u16 type, int ifindex, __u32 parent)
{
	struct count count = { .type = type, .ifindex = ifindex, .parent = parent };
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc;
	int len;

	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	msg->nlmsg_seq = time(NULL);
	tc = mnl_nlmsg_put_extra_header(msg, sizeof(*tc));
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = parent;

	if (mnl_socket_sendto(nl, msg, msg->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		len = mnl_cb_run(buf, len, 0, mnl_socket_get_portid(nl), count_message,
				 &count);
	} while (len > MNL_CB_STOP);
	return len < 0 ? -errno : (int)count.n;
}

bool tc_has_clsact(int ifindex)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	int n = -1;

	if (nl && !mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		n = count_at(nl, RTM_GETQDISC, ifindex, TC_H_CLSACT);
	if (nl)
		mnl_socket_close(nl);
	return n; /* if it cannot be told, it is not ours to remove */
}

static bool clsact_is_empty(int ifindex)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	int in = -1, out = -1;

	if (nl && !mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID)) {
		in = count_at(nl, RTM_GETTFILTER, ifindex,
			      TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
		out = count_at(nl, RTM_GETTFILTER, ifindex,
			       TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
	}
	if (nl)
		mnl_socket_close(nl);
	return !in && !out;
}

static int detach_side(int ifindex, enum tc_side side)
{
	struct bpf_tc_hook hook = hook_at(ifindex, side);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
		    .priority = FILTER_PRIORITY);
	int err = bpf_tc_detach(&hook, &opts);

	if (err == -ENOENT || err == -EINVAL || err == -ENODEV)
		return 0; /* no such filter, no clsact, no interface */
	return err;
}

int tc_detach(int ifindex, bool own_clsact)
{
	struct bpf_tc_hook hook = hook_at(ifindex, TC_IN);
	int in = detach_side(ifindex, TC_IN), out = detach_side(ifindex, TC_OUT);
	int err = in ? in : out;

	if (!err && own_clsact && clsact_is_empty(ifindex)) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	return err;
}
