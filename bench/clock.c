// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock.c - run a command, and write what it took to a file.
 *
 *     clock FILE COMMAND ARGUMENT...
 *
 * One line: milliseconds from the fork to its end, milliseconds of CPU time, KiB of memory at
 * most.  A process begins with the memory that its parent has as its own maximum, so this is
 * a program that has nearly none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double time_ms(const struct timeval *t)
{
	return t->tv_sec * 1e3 + t->tv_usec / 1e3;
}

int main(int argc, char **argv)
{
	struct rusage used;
	double begin = now_ms(), ms;
	int status;
	FILE *f;
	pid_t pid;

	if (argc < 3)
		return 2;
	pid = fork();
	if (!pid) {
		execv(argv[2], &argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		return 1;
	ms = now_ms() - begin;

	f = fopen(argv[1], "we");
	if (!f)
		return 1;
	fprintf(f, "%.3f %.3f %ld\n", ms,
		time_ms(&used.ru_utime) + time_ms(&used.ru_stime), used.ru_maxrss);
	fclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
