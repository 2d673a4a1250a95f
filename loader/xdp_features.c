// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_features.c - what of native XDP an interface's driver can do, as the kernel says.
 *
 * The kernel's netlink family "netdev" does, since 6.3.  Neither Debian 12's headers nor its
 * libbpf know it.
 */
#include "xdp_features.h"

#include <linux/genetlink.h>
#include <sys/socket.h>

#include "netlink.h"

#define REQUEST_SIZE 256

enum { DEV_GET = 1 };				/* commands of "netdev" */
enum { DEV_IFINDEX = 1, DEV_XDP_FEATURES = 3 }; /* its attributes */

static struct nlmsghdr *put_request(char buffer[REQUEST_SIZE], int type, int command)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *message;

	request->nlmsg_type = type;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->cmd = command;
	message->version = 1;
	return request;
}

static int take_family(const struct nlmsghdr *answer, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, answer, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*(int *)arg = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int take_features(const struct nlmsghdr *answer, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, answer, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == DEV_XDP_FEATURES)
			*(__u64 *)arg = mnl_attr_get_u64(attr);
	return MNL_CB_OK;
}

int xdp_features(unsigned int ifindex, __u64 *ret)
{
	char buffer[REQUEST_SIZE] = {}, more[REQUEST_SIZE] = {};
	struct nlmsghdr *request;
	int family = 0, err;

	request = put_request(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, "netdev");
	err = netlink_ask(NETLINK_GENERIC, request, take_family, &family);
	if (err)
		return err;

	*ret = 0;
	request = put_request(more, family, DEV_GET);
	mnl_attr_put_u32(request, DEV_IFINDEX, ifindex);
	return netlink_ask(NETLINK_GENERIC, request, take_features, ret);
}
