// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysctl.c - forwarding on lo, which bpf_fib_lookup() asks for.
 *
 * /proc/sys/net is of the network namespace of who opens it, whatever /sys shows.
 */
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

static const char *const forwarding[] = {
	"/proc/sys/net/ipv4/conf/lo/forwarding",
	"/proc/sys/net/ipv6/conf/lo/forwarding",
};
#define N_FORWARDING (sizeof(forwarding) / sizeof(forwarding[0]))

/* A kernel may have no IPv6. */
static bool is_missing(int err, size_t i)
{
	return err == -ENOENT && i == 1;
}

/* '0' or '1', or -errno. */
static int read_switch(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, &c, 1);
	close(fd);
	return n == 1 ? c : -EIO;
}

static int write_switch(const char *path, char c)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, &c, 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

/* Note what was, unless a command that was killed already did. */
static int note(struct lb_config *config)
{
	__u32 was = LB_FORWARDING_NOTED;
	size_t i;

	if (config->forwarding_was & LB_FORWARDING_NOTED)
		return 0;
	for (i = 0; i < N_FORWARDING; i++) {
		int c = read_switch(forwarding[i]);

		if (c < 0 && !is_missing(c, i))
			return c;
		if (c == '1')
			was |= 1U << i;
	}
	__atomic_store_n(&config->forwarding_was, was, __ATOMIC_RELEASE);
	return 0;
}

int sysctl_forwarding_on(struct lb_config *config)
{
	int err = note(config);
	size_t i;

	for (i = 0; i < N_FORWARDING && !err; i++) {
		err = write_switch(forwarding[i], '1');
		if (is_missing(err, i))
			err = 0;
	}
	return err;
}

void sysctl_forwarding_restore(struct lb_config *config)
{
	size_t i;

	if (!(config->forwarding_was & LB_FORWARDING_NOTED))
		return;
	for (i = 0; i < N_FORWARDING; i++)
		if (!(config->forwarding_was & 1U << i))
			write_switch(forwarding[i], '0');
	__atomic_store_n(&config->forwarding_was, 0, __ATOMIC_RELEASE);
}
