/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pointers.h - elements of maps of maps, written many at once.
 */
#ifndef LB_POINTERS_H
#define LB_POINTERS_H

#include <linux/types.h>

#define POINTERS_MAX 256 /* tables that are open at once */

/* What is to be written: service id -> table. */
struct pointers {
	__u32 id[POINTERS_MAX];
	int fd[POINTERS_MAX];
	__u32 n;
};

void pointers_add(struct pointers *p, __u32 id, int fd);
void pointers_close(struct pointers *p);

/*
 * Write @first, and when all of it is there, @second, each into its map; -errno.  Whoever
 * sees an element of @second sees those of @first, too.
 */
int pointers_write(int first_fd, const struct pointers *first, int second_fd,
		   const struct pointers *second);

#endif /* LB_POINTERS_H */
