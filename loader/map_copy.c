// SPDX-License-Identifier: GPL-2.0-only
/*
 * map_copy.c - what is in one map, into another map of the same kind.
 *
 * The data path may be writing what is read here.  A copy is as good as what any CPU would
 * have seen, but for a record that was caught half-written: whoever knows such records looks
 * for them afterwards (aside.c).
 */
#include "map_copy.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BATCH	 4096 /* elements */
#define MAX_MAPS 64   /* of one program */

static int get_info(int fd, struct bpf_map_info *ret)
{
	__u32 size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(fd, ret, &size) ? -errno : 0;
}

static bool is_per_cpu(__u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

bool map_is_per_cpu(int fd)
{
	struct bpf_map_info info;

	return !get_info(fd, &info) && is_per_cpu(info.type);
}

static int copy_mapped(int from, int to, const struct bpf_map_info *m)
{
	size_t page = sysconf(_SC_PAGESIZE), value = (m->value_size + 7) & ~7U;
	size_t size = (value * m->max_entries + page - 1) / page * page;
	void *in = mmap(NULL, size, PROT_READ, MAP_SHARED, from, 0);
	void *out = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
	int err = in == MAP_FAILED || out == MAP_FAILED ? -ENOMEM : 0;

	if (!err)
		memcpy(out, in, value * m->max_entries);
	if (in != MAP_FAILED)
		munmap(in, size);
	if (out != MAP_FAILED)
		munmap(out, size);
	return err;
}

/* Many at once: a table of half a million would take a second. */
static int copy_array(int from, int to, const struct bpf_map_info *m)
{
	__u32 *keys = calloc(BATCH, sizeof(*keys)), next = 0, n;
	void *values = calloc(BATCH, m->value_size);
	bool is_first = true;
	int err = keys && values ? 0 : -ENOMEM;

	while (!err) {
		bool is_last;

		n = BATCH;
		is_last = bpf_map_lookup_batch(from, is_first ? NULL : &next, &next, keys,
					       values, &n, NULL);
		if (is_last && errno != ENOENT)
			err = -errno;
		if (!err && n && bpf_map_update_batch(to, keys, values, &n, NULL))
			err = -errno;
		if (is_last)
			break;
		is_first = false;
	}
	free(keys);
	free(values);
	return err;
}

/* The value that was read may be a table's number; it is entered by a file descriptor. */
static int put(int to, const struct bpf_map_info *m, const void *key, const void *value)
{
	int fd, err;

	if (m->type != BPF_MAP_TYPE_ARRAY_OF_MAPS)
		return bpf_map_update_elem(to, key, value, 0) ? -errno : 0;
	fd = bpf_map_get_fd_by_id(*(const __u32 *)value);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* it was replaced meanwhile */
	err = bpf_map_update_elem(to, key, &fd, 0) ? -errno : 0;
	close(fd);
	return err;
}

static size_t value_room(const struct bpf_map_info *m)
{
	size_t size = (m->value_size + 7) & ~7UL;

	return is_per_cpu(m->type) ? size * libbpf_num_possible_cpus() : size;
}

static int copy_elements(int from, int to, const struct bpf_map_info *m)
{
	void *key = calloc(1, m->key_size), *value = calloc(1, value_room(m));
	bool is_first = true;
	__u32 left = m->max_entries; /* one that grows as it is read has an end */
	int err = key && value ? 0 : -ENOMEM;

	while (!err && left-- &&
	       !bpf_map_get_next_key(from, is_first ? NULL : key, key)) {
		is_first = false;
		if (!bpf_map_lookup_elem(from, key, value))
			err = put(to, m, key, value);
	}
	free(key);
	free(value);
	return err;
}

static bool is_copied(__u32 type)
{
	return type != BPF_MAP_TYPE_PROG_ARRAY && type != BPF_MAP_TYPE_RINGBUF &&
	       type != BPF_MAP_TYPE_PERF_EVENT_ARRAY;
}

int map_copy(int from, int to)
{
	struct bpf_map_info m, other;
	int err = get_info(from, &m);

	if (!err)
		err = get_info(to, &other);
	if (err)
		return err;
	if (m.type != other.type || m.key_size != other.key_size ||
	    m.value_size != other.value_size || m.max_entries != other.max_entries)
		return -EPROTO;
	if (!is_copied(m.type))
		return 0;
	if (m.map_flags & other.map_flags & BPF_F_MMAPABLE)
		return copy_mapped(from, to, &m);
	return m.type == BPF_MAP_TYPE_ARRAY ? copy_array(from, to, &m)
					    : copy_elements(from, to, &m);
}

/* ---- of programs -------------------------------------------------------------------- */

static int get_maps(int prog, __u32 ret_ids[MAX_MAPS], __u32 *ret_n)
{
	struct bpf_prog_info info = { .map_ids = (__u64)(unsigned long)ret_ids,
				      .nr_map_ids = MAX_MAPS };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog, &info, &size))
		return -errno;
	*ret_n = info.nr_map_ids < MAX_MAPS ? info.nr_map_ids : MAX_MAPS;
	return 0;
}

/*
 * The instance's maps, global data among them, are shared by its programs.  What is frozen
 * says what the program is, and is the same in both.
 */
static bool is_its_own(const struct bpf_map_info *m)
{
	return strncmp(m->name, "lb_", 3) && strncmp(m->name, ".data.lb_", 9) &&
	       !(m->map_flags & BPF_F_RDONLY_PROG) && is_copied(m->type);
}

static int find_map(const __u32 *ids, __u32 n, const struct bpf_map_info *wanted)
{
	struct bpf_map_info info;
	__u32 i;

	for (i = 0; i < n; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd >= 0 && !get_info(fd, &info) && info.type == wanted->type &&
		    !strcmp(info.name, wanted->name))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static int copy_to_same(int from, const __u32 *ids, __u32 n)
{
	struct bpf_map_info info;
	int to, err = get_info(from, &info);

	if (err || !is_its_own(&info))
		return err;
	to = find_map(ids, n, &info);
	if (to < 0)
		return 0;
	err = map_copy(from, to);
	close(to);
	return err == -EPROTO ? 0 : err; /* another version of it: its own beginning */
}

int program_copy_maps(int from, int to)
{
	__u32 theirs[MAX_MAPS], ours[MAX_MAPS], n_theirs, n_ours, i;
	int err = get_maps(from, theirs, &n_theirs);

	if (!err)
		err = get_maps(to, ours, &n_ours);
	for (i = 0; !err && i < n_theirs; i++) {
		int fd = bpf_map_get_fd_by_id(theirs[i]);

		if (fd < 0)
			continue;
		err = copy_to_same(fd, ours, n_ours);
		close(fd);
	}
	return err;
}
