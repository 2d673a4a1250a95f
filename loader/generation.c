// SPDX-License-Identifier: GPL-2.0-only
/*
 * generation.c - a service's table, the one before it, and how long that one still counts.
 */
#include "generation.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *table_kind_name(__u32 kind)
{
	static const char *const names[LB_TABLE_KIND_MAX] = { "uniform", "weighted",
							      "maglev", "primary" };

	return kind < LB_TABLE_KIND_MAX ? names[kind] : "?";
}

void generations_open(const struct state *s, struct generations *ret)
{
	struct lb_clock clock = {};

	state_clock(s, &clock);
	ret->state = s;
	ret->jiffies = clock.jiffies;
}

/* The first element of the table that @service has in a map of tables. */
static void read_header(int tables, __u32 service, struct lb_table *ret)
{
	__u32 inner, zero = 0;
	int fd;

	memset(ret, 0, sizeof(*ret));
	if (bpf_map_lookup_elem(tables, &service, &inner))
		return;
	fd = bpf_map_get_fd_by_id(inner);
	if (fd < 0)
		return;
	if (bpf_map_lookup_elem(fd, &zero, ret))
		memset(ret, 0, sizeof(*ret));
	close(fd);
}

struct generation generation_of(const struct generations *g, __u32 service)
{
	__u64 hz = g->state->config->params.hz, age;
	__u32 grace = g->state->services[service].grace;
	struct generation ret = {};

	read_header(g->state->tables_fd, service, &ret.table);
	read_header(g->state->previous_fd, service, &ret.previous);
	age = g->jiffies - ret.table.flipped_at;
	if (ret.previous.generation && hz && age < grace)
		ret.left_ms = (grace - age) * 1000 / hz;
	return ret;
}

int generation_forget(const struct generations *g, __u32 service)
{
	return bpf_map_delete_elem(g->state->previous_fd, &service) ? -errno : 0;
}
