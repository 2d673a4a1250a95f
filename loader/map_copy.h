/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * map_copy.h - what is in one map, into another map of the same kind.
 */
#ifndef LB_MAP_COPY_H
#define LB_MAP_COPY_H

#include <stdbool.h>

/*
 * Tables that are the elements of a map of maps are not copied, both maps have the same:
 * nobody changes a table.  PROG_ARRAYs and rings stay as they are.  -EPROTO: the maps are not
 * of one kind; -errno.
 */
int map_copy(int from, int to);
/* Has each CPU a value of its own? */
bool map_is_per_cpu(int fd);

/* All maps of program @from, into those of @to that have the same names, which do not begin
 * with lb_. */
int program_copy_maps(int from, int to);

#endif /* LB_MAP_COPY_H */
