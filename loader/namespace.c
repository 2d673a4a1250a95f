// SPDX-License-Identifier: GPL-2.0-only
/*
 * namespace.c - an instance is attached in one network namespace.
 */
#include "namespace.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14; not in Debian 12's libc */
#endif

/* A number that no other namespace has had since boot; 0: the kernel does not tell. */
static __u64 cookie(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(__u64);
	__u64 ret = 0;

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &ret, &size))
		ret = 0;
	close(fd);
	return ret;
}

void namespace_note(struct state *s)
{
	__atomic_store_n(&s->config->netns, cookie(), __ATOMIC_RELEASE);
}

/* A namespace that is gone took its interfaces and their programs with it. */
static bool is_attached(const struct lb_device *d)
{
	int fd = d->ifindex && d->program ? bpf_prog_get_fd_by_id(d->program) : -1;

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

bool namespace_is_here(const struct state *s)
{
	__u64 here = cookie();

	return !here || !s->config->netns || s->config->netns == here;
}

int namespace_check(const struct state *s, enum state_access access)
{
	int i;

	if (namespace_is_here(s))
		return 0;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		if (!is_attached(&s->devices[i]))
			continue;
		if (access == STATE_WRITE) {
			report("%s: attached to %s in another network namespace; run lbctl there "
			       "('nsenter --net=...')",
			       s->dir, s->devices[i].name);
			return -EXDEV;
		}
		report_warning(
			"%s: attached to %s in another network namespace; what is said of "
			"interfaces and neighbours here is not true there",
			s->dir, s->devices[i].name);
		return 0;
	}
	return 0;
}
