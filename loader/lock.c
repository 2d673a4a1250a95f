// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - one writer at a time: an flock on the instance's folder, which dies with its
 * holder.
 */
#include "pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define STEP_MS 20

/* Who has the lock, by /proc/locks; 0 if it cannot be told. */
static int find_holder(int fd)
{
	unsigned int major, minor;
	unsigned long long inode;
	char line[256];
	struct stat st;
	int pid, holder = 0;
	FILE *f;

	if (fstat(fd, &st))
		return 0;
	f = fopen("/proc/locks", "re");
	if (!f)
		return 0;
	while (!holder && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%llu", &pid, &major,
			   &minor, &inode) != 4)
			continue;
		if (inode == st.st_ino && makedev(major, minor) == st.st_dev)
			holder = pid;
	}
	fclose(f);
	return holder;
}

static void report_holder(int fd, const char *dir, unsigned int wait_ms)
{
	int pid = find_holder(fd);
	char path[32], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = pid ? fopen(path, "re") : NULL;
	if (f) {
		if (fgets(name, sizeof(name), f))
			name[strcspn(name, "\n")] = '\0';
		fclose(f);
	}
	if (pid)
		report("%s: locked by pid %d (%s) for more than %u ms; wait for it, or longer "
		       "with --wait",
		       dir, pid, *name ? name : "?", wait_ms);
	else
		report("%s: locked by another lbctl for more than %u ms; wait for it, or "
		       "longer with --wait",
		       dir, wait_ms);
}

static __u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static int wait_for_lock(int fd, const char *dir, unsigned int wait_ms)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
	__u64 end = now_ms() + wait_ms;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			report("%s: cannot be locked: %s", dir, strerror(errno));
			return -errno;
		}
		if (now_ms() >= end) {
			report_holder(fd, dir, wait_ms);
			return -EBUSY;
		}
		nanosleep(&step, NULL);
	}
	return 0;
}

/* Is what we locked still what has that name? */
static bool is_current(int fd, const char *dir)
{
	struct stat ours, theirs;

	return !fstat(fd, &ours) && !stat(dir, &theirs) && ours.st_ino == theirs.st_ino &&
	       ours.st_dev == theirs.st_dev;
}

int pins_lock_folder(const struct state *s, const char *folder, int *ret_holder)
{
	char path[PIN_PATH_SIZE];
	int fd, err;

	*ret_holder = 0;
	snprintf(path, sizeof(path), "%s/%s", s->dir, folder);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	err = -errno;
	if (err == -EWOULDBLOCK)
		*ret_holder = find_holder(fd);
	close(fd);
	return err;
}

int pins_lock(struct state *s, unsigned int wait_ms)
{
	int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0) {
		report("%s: %s", s->dir, strerror(errno));
		return -errno;
	}
	err = wait_for_lock(fd, s->dir, wait_ms);
	if (!err && !is_current(fd, s->dir)) {
		report("%s: another lbctl has just removed it; try again", s->dir);
		err = -ENOENT;
	}
	if (err) {
		close(fd);
		return err;
	}
	s->lock_fd = fd;
	return 0;
}
