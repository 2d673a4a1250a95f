// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory.c - what the kernel holds for the tables of flows, by its own account.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path.h"

/* As /proc says of the map. */
static double bytes_of(const struct stage *s, const char *name, int family)
{
	char path[64], line[128], map[32];
	double bytes = 0;
	FILE *f;

	snprintf(map, sizeof(map), "%s%d", name, family);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", stage_map(s, map));
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "memlock:", 8))
			bytes = strtod(line + 8, NULL);
	fclose(f);
	assert_true(bytes > 0);
	return bytes;
}

void memory_run(const struct row *row, struct result *ret)
{
	struct balancer b;

	balancer_open(&b, &row->service, row->table);
	ret->bytes = bytes_of(&b.stage, "lb_flows", row->service.family) +
		     bytes_of(&b.stage, "lb_nat", row->service.family);
	ret->verified = 1;
	balancer_close(&b);
}
