// SPDX-License-Identifier: GPL-2.0-only
/*
 * tc.c - lb_resolve on an interface's ingress.
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

static struct bpf_tc_hook ingress(int ifindex)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = ifindex,
		.attach_point = BPF_TC_INGRESS,
	};
}

int tc_attach(int ifindex, int program_fd, bool *ret_made_clsact)
{
	struct bpf_tc_hook hook = ingress(ifindex);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
		    .priority = FILTER_PRIORITY, .prog_fd = program_fd,
		    .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&hook);

	*ret_made_clsact = !err;
	if (err && err != -EEXIST)
		return err;

	err = bpf_tc_attach(&hook, &opts);
	if (err && *ret_made_clsact) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	return err;
}

static int count_message(const struct nlmsghdr *msg, void *n)
{
	(void)msg;
	++*(unsigned int *)n;
	return MNL_CB_OK;
}

/* How many filters hang at @parent; -errno. */
static int count_filters(struct mnl_socket *nl, int ifindex, __u32 parent)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc;
	unsigned int n = 0;
	int len;

	msg->nlmsg_type = RTM_GETTFILTER;
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
				 &n);
	} while (len > MNL_CB_STOP);
	return len < 0 ? -errno : (int)n;
}

static bool clsact_is_empty(int ifindex)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	int in = -1, out = -1;

	if (nl && !mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID)) {
		in = count_filters(nl, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
		out = count_filters(nl, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
	}
	if (nl)
		mnl_socket_close(nl);
	return !in && !out;
}

int tc_detach(int ifindex, bool own_clsact)
{
	struct bpf_tc_hook hook = ingress(ifindex);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
		    .priority = FILTER_PRIORITY);
	int err = bpf_tc_detach(&hook, &opts);

	if (err == -ENOENT || err == -EINVAL || err == -ENODEV)
		err = 0; /* no such filter, no clsact, no interface */
	if (!err && own_clsact && clsact_is_empty(ifindex)) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	return err;
}
