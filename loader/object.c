// SPDX-License-Identifier: GPL-2.0-only
/*
 * object.c - BPF objects over an instance's pinned maps.
 */
#include "object.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pins.h"
#include "report.h"
#include "verifier.h"

static bool has_objects(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/progs/lb_entry.bpf.o", dir);
	return !access(path, R_OK);
}

int objects_locate(struct state *s)
{
	char self[PATH_MAX];
	ssize_t n;

	if (s->objects[0])
		return 0;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		*strrchr(self, '/') = '\0';
		if (strlen(self) < sizeof(s->objects) && has_objects(self)) {
			strcpy(s->objects, self);
			return 0;
		}
	}
	if (has_objects(LB_LIBDIR)) {
		snprintf(s->objects, sizeof(s->objects), "%s", LB_LIBDIR);
		return 0;
	}
	report("the BPF objects are neither beside lbctl nor in " LB_LIBDIR
	       "; 'make install' puts them there");
	return -ENOENT;
}

/* The variables of an object that begin with zeros: libbpf names it after the object. */
static bool is_bss(const char *map)
{
	const char *dot = strrchr(map, '.');

	return dot && !strcmp(dot, ".bss");
}

const char *object_map_name(const struct bpf_map *map)
{
	static const char data[] = ".data.";
	const char *name = bpf_map__name(map);

	if (is_bss(name))
		return bpf_map__value_size(map) == sizeof(struct lb_records)
			       ? "lb_records"
			       : NULL;
	if (!strncmp(name, data, strlen(data)))
		name += strlen(data);
	return strncmp(name, "lb_", 3) ? NULL : name;
}

struct bpf_map *object_find_map(const struct bpf_object *obj, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		const char *found = object_map_name(map);

		if (found && !strcmp(found, name))
			return map;
	}
	return NULL;
}

/* Keep lb_flows and lb_nat as large as the instance was made. */
static int set_size(const struct state *s, struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	if (!strncmp(name, "lb_flows", 8))
		return bpf_map__set_max_entries(map, s->config->params.flow_buckets);
	if (!strncmp(name, "lb_nat", 6))
		return bpf_map__set_max_entries(map, s->config->params.nat_slots /
							     LB_NAT_PLACES);
	return 0;
}

/* libbpf compares nothing when a map is reused. */
static bool is_compatible(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) &&
	       info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map);
}

static int use_pinned(const struct state *s, struct bpf_map *map, const char *path)
{
	const char *name = object_map_name(map);
	int err, fd;

	if (!name)
		return 0;
	err = set_size(s, map);
	fd = err ? err : pins_get(s, PIN_MAPS, name);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		report("%s/" PIN_MAPS "/%s: %s", s->dir, name, strerror(-fd));
		return fd;
	}
	if (!is_compatible(map, fd)) {
		report("%s: its map %s is not the instance's; it was built for another version",
		       path, name);
		err = -EPROTO;
	} else {
		err = bpf_map__reuse_fd(map, fd);
		if (err)
			report("%s: map %s: %s", path, name, strerror(-err));
	}
	close(fd);
	return err;
}

static int set_params(const struct state *s, struct bpf_object *obj, const char *path)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, ".rodata.params");
	size_t size = 0;
	void *params;

	if (!map)
		return 0;
	params = (void *)bpf_map__initial_value(map, &size);
	if (!params || size != sizeof(s->config->params)) {
		report("%s: was built for another version", path);
		return -EPROTO;
	}
	memcpy(params, &s->config->params, size);
	return 0;
}

static int report_open(const char *path, int err)
{
	if (err == -ENOENT || err == -EACCES)
		report("%s: %s", path, strerror(-err));
	else
		report("%s: not a BPF object, or one that was cut short", path);
	return err;
}

/* The instance's maps are pinned by us, in its folder and nowhere else. */
static void forget_pin_paths(struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		if (object_map_name(map))
			bpf_map__set_pin_path(map, NULL);
	}
}

static int open_file(const char *path, struct bpf_object **ret)
{
	struct bpf_program *prog;
	struct stat st;

	/* libbpf's own message for what is not there is about ELF. */
	if (access(path, R_OK))
		return report_open(path, -errno);
	if (stat(path, &st) || !S_ISREG(st.st_mode)) { /* a pipe would have us wait */
		report("%s: not a regular file", path);
		return -EINVAL;
	}
	*ret = bpf_object__open(path);
	if (!*ret && errno == ENOENT) { /* what is not there is not the file */
		report("%s: has no BTF, which says what its maps are; build it with -g",
		       path);
		return -EINVAL;
	}
	if (!*ret)
		return report_open(path, -errno);

	/* 0, or programs of one PROG_ARRAY disagree on kernels from 6.1 on. */
	bpf_object__for_each_program(prog, *ret)
		bpf_program__set_expected_attach_type(prog, 0);
	forget_pin_paths(*ret);
	return 0;
}

int object_peek(const char *path, struct bpf_object **ret)
{
	return open_file(path, ret);
}

int object_open(const struct state *s, const char *path, struct bpf_object **ret)
{
	struct bpf_object *obj;
	struct bpf_map *map;
	int err = open_file(path, &obj);

	if (err)
		return err;
	bpf_object__for_each_map(map, obj) {
		if (!err)
			err = use_pinned(s, map, path);
	}
	if (!err)
		err = set_params(s, obj, path);
	if (err) {
		bpf_object__close(obj);
		return err;
	}
	*ret = obj;
	return 0;
}

static int use_aside(const struct state *s, struct bpf_map *map, struct bpf_object *with)
{
	const char *name = object_map_name(map);
	struct bpf_map *shared;
	int fd = -1;

	if (!name)
		return 0;
	shared = with ? object_find_map(with, name) : NULL;
	if (shared)
		fd = bpf_map__fd(shared);
	return fd < 0 ? set_size(s, map) : bpf_map__reuse_fd(map, fd);
}

int object_open_aside(const struct state *s, const char *path, struct bpf_object *with,
		      struct bpf_object **ret)
{
	struct bpf_object *obj;
	struct bpf_map *map;
	int err = open_file(path, &obj);

	if (err)
		return err;
	bpf_object__for_each_map(map, obj) {
		if (!err)
			err = use_aside(s, map, with);
	}
	if (err)
		report("%s: its maps: %s", path, strerror(-err));
	else
		err = set_params(s, obj, path);
	if (err) {
		bpf_object__close(obj);
		return err;
	}
	*ret = obj;
	return 0;
}

static void report_load(const char *path, int err, const char *verdict)
{
	if (*verdict)
		report("%s: the kernel's verifier refuses it: %s%s", path, verdict,
		       report_is_verbose() ? "" : " ('lbctl -v' shows its last lines)");
	else if (err == -EPERM)
		report("%s: the kernel refuses to load it: %s; run as root", path,
		       strerror(-err));
	else if (err == -ENOMEM)
		report("%s: no memory for its maps; try fewer flows ('flows N')", path);
	else
		report("%s: the kernel refuses to load it: %s%s", path, strerror(-err),
		       report_is_verbose() ? "" : " ('lbctl -v' shows its reasons)");
}

int object_load(struct bpf_object *obj, const char *path)
{
	char verdict[VERDICT_TEXT_SIZE] = "";
	struct verifier_log log;
	int err;

	verifier_listen(&log, obj);
	err = bpf_object__load(obj);
	if (err) {
		verifier_verdict(&log, verdict);
		report_load(path, err, verdict);
	}
	verifier_close(&log);
	return err;
}

int object_pin_maps(const struct state *s, struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		const char *name = object_map_name(map);
		int fd, err;

		if (!name)
			continue;
		fd = pins_get(s, PIN_MAPS, name);
		if (fd >= 0) {
			close(fd);
			continue;
		}
		err = pins_put(s, PIN_MAPS, name, bpf_map__fd(map));
		if (err) {
			report("%s/" PIN_MAPS "/%s: cannot be pinned: %s", s->dir, name,
			       strerror(-err));
			return err;
		}
	}
	return 0;
}

struct bpf_program *object_xdp_program(struct bpf_object *obj)
{
	struct bpf_program *prog, *found = NULL;

	bpf_object__for_each_program(prog, obj) {
		if (found || bpf_program__type(prog) != BPF_PROG_TYPE_XDP)
			return NULL;
		found = prog;
	}
	return found;
}

__u32 program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}
