// SPDX-License-Identifier: GPL-2.0-only
/*
 * world_records.c - elements of a stage's maps, and the parts of lb_records as if they were
 * maps: see world.h.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "world.h"

/* The parts of lb_records, by the names that tests have for them. */
#define PART(name, field)                                                                \
	{                                                                                \
		name, offsetof(struct lb_records, field),                                \
			sizeof(((struct lb_records *)0)->field[0]),                      \
			sizeof(((struct lb_records *)0)->field)                          \
	}
static const struct part {
	const char *name;
	size_t at, size, length;
} parts[] = {
	PART("lb_services", services),
	PART("lb_backends", backends),
	PART("lb_devices", devices),
	PART("lb_sources", sources),
	PART("lb_hops", hops),
	PART("lb_live", live),
	PART("lb_endpoints4", endpoints4),
	PART("lb_endpoints6", endpoints6),
};

static const struct part *part_of(const char *map)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strcmp(parts[i].name, map))
			return &parts[i];
	return NULL;
}

static struct lb_records *map_records(int fd)
{
	void *all = mmap(NULL, sizeof(struct lb_records), PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);

	assert_ptr_not_equal(all, MAP_FAILED);
	return all;
}

/* Copy a record from @from or to @to.  Its pages alone are mapped: all of them take long. */
static void copy_record(int fd, const struct part *part, __u32 index, const void *from,
			void *to)
{
	size_t at = part->at + (size_t)index * part->size, page = sysconf(_SC_PAGESIZE);
	size_t skip = at % page, length = skip + part->size;
	char *pages =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at - skip);

	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_true(index * part->size < part->length);
	if (from)
		memcpy(pages + skip, from, part->size);
	else
		memcpy(to, pages + skip, part->size);
	munmap(pages, length);
}

void world_clear(const struct stage *s, const char *map)
{
	const struct part *part = part_of(map);
	struct lb_records *all = map_records(stage_map(s, "lb_records"));

	memset((char *)all + part->at, 0, part->length);
	munmap(all, sizeof(*all));
}

void world_put(const struct stage *s, const char *map, __u32 index, const void *value)
{
	const struct part *part = part_of(map);
	int fd = stage_find_map(s, part ? "lb_records" : map);

	/* A stage that never reads a map does not have it. */
	if (fd < 0)
		return;
	if (part)
		copy_record(fd, part, index, value, NULL);
	else
		assert_return_code(bpf_map_update_elem(fd, &index, value, 0), errno);
}

void world_get(const struct stage *s, const char *map, __u32 index, void *value)
{
	const struct part *part = part_of(map);
	int fd = stage_map(s, part ? "lb_records" : map);

	if (part)
		copy_record(fd, part, index, NULL, value);
	else
		assert_return_code(bpf_map_lookup_elem(fd, &index, value), errno);
}
