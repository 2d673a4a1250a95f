// SPDX-License-Identifier: GPL-2.0-only
/*
 * pins.c - where an instance's pins are, and whether we may touch them.
 */
#include "pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "report.h"

#define BPFFS	  "/sys/fs/bpf"
#define INSTANCES BPFFS "/switchyard"
#define INSTANCE  "default"

static __u64 effective_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return data[0].effective | (__u64)data[1].effective << 32;
}

/* CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON, as in the kernel. */
static int check_capabilities(enum state_access access)
{
	static const struct {
		int bit;
		enum state_access needed_for;
		bool sys_admin_does;
		const char *name;
	} wanted[] = {
		{ CAP_BPF, STATE_READ, true, "CAP_BPF" },
		{ CAP_PERFMON, STATE_WRITE, true, "CAP_PERFMON" },
		{ CAP_NET_ADMIN, STATE_WRITE, false, "CAP_NET_ADMIN" },
	};
	__u64 have = effective_capabilities();
	char missing[64] = "";
	size_t i;

	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (wanted[i].needed_for > access || have >> wanted[i].bit & 1 ||
		    (wanted[i].sys_admin_does && have >> CAP_SYS_ADMIN & 1))
			continue;
		if (*missing)
			strcat(missing, ", ");
		strcat(missing, wanted[i].name);
	}
	if (!*missing)
		return 0;
	report("missing capabilities: %s; run as root", missing);
	return -EPERM;
}

/* Is @dir, or where it would be made, in a BPF file system? */
static bool is_in_bpffs(const char *dir)
{
	char path[sizeof(((struct state *)0)->dir)];
	struct statfs fs;
	char *slash;

	snprintf(path, sizeof(path), "%s", dir);
	while (statfs(path, &fs)) {
		slash = strrchr(path, '/');
		if (errno != ENOENT || !slash || slash == path)
			return false;
		*slash = '\0';
	}
	return fs.f_type == BPF_FS_MAGIC;
}

int pins_folder(const struct state_options *o, char *ret, size_t size)
{
	if (o->pin_dir)
		return snprintf(ret, size, "%s", o->pin_dir);
	return snprintf(ret, size, "%s/%s", INSTANCES,
			o->instance ? o->instance : INSTANCE);
}

static int find_dir(struct state *s, const struct state_options *o)
{
	int n = pins_folder(o, s->dir, sizeof(s->dir));

	if (n >= (int)sizeof(s->dir)) {
		report("%.40s...: the name of the instance is too long", s->dir);
		return -ENAMETOOLONG;
	}
	while (n > 1 && s->dir[n - 1] == '/')
		s->dir[--n] = '\0';
	if (strchr(s->dir, '.')) {
		report("'%s': names in a BPF file system cannot have a '.'", s->dir);
		return -EINVAL;
	}
	return 0;
}

int pins_locate(struct state *s, const struct state_options *o)
{
	int err = find_dir(s, o);

	if (!err)
		err = check_capabilities(s->access);
	if (err)
		return err;
	if (is_in_bpffs(s->dir))
		return 0;

	if (o->pin_dir)
		report("--pin-dir '%s': not in a mounted BPF file system; "
		       "'mount -t bpf bpf " BPFFS "' makes one",
		       o->pin_dir);
	else
		report("no BPF file system is mounted at " BPFFS
		       "; 'mount -t bpf bpf " BPFFS "' does it");
	return -ENOENT;
}

bool pins_exist(const struct state *s)
{
	return !access(s->dir, F_OK);
}

static void pin_path(const struct state *s, const char *folder, const char *name,
		     char ret[PIN_PATH_SIZE])
{
	snprintf(ret, PIN_PATH_SIZE, "%s/%s/%s", s->dir, folder, name);
}

static int make_path(const char *path)
{
	char part[PIN_PATH_SIZE];
	size_t i;

	for (i = 1; i <= strlen(path) && i < sizeof(part); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) && errno != EEXIST) {
			report("%s: cannot make this folder: %s", part, strerror(errno));
			return -errno;
		}
	}
	return 0;
}

int pins_make(const struct state *s)
{
	char path[PIN_PATH_SIZE];
	int err;

	snprintf(path, sizeof(path), "%s/" PIN_MAPS, s->dir);
	err = make_path(path);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/" PIN_PROGS, s->dir);
	return make_path(path);
}

/* Only what has a name of ours: the folder may be somebody else's by mistake. */
static int remove_folder(const struct state *s, const char *folder)
{
	char path[PIN_PATH_SIZE], name[PIN_PATH_SIZE + NAME_MAX + 2];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", s->dir, folder);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "lb_", 3))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		unlink(name);
	}
	closedir(dir);
	return rmdir(path) ? -errno : 0;
}

int pins_clear(const struct state *s)
{
	char path[PIN_PATH_SIZE];
	int err;

	/* Without it there is no instance, whatever else is left if we die here. */
	pin_path(s, PIN_MAPS, "lb_config", path);
	unlink(path);

	err = remove_folder(s, PIN_PROGS);
	if (!err)
		err = remove_folder(s, PIN_MAPS);
	if (err)
		report("%s: cannot be removed: %s", s->dir, strerror(-err));
	return err;
}

static void root_path(const struct state *s, char ret[PIN_PATH_SIZE])
{
	snprintf(ret, PIN_PATH_SIZE, "%s/lb_root", s->dir);
}

static bool has_root(const struct state *s)
{
	char path[PIN_PATH_SIZE];

	root_path(s, path);
	return !access(path, F_OK);
}

int pins_get_root(const struct state *s)
{
	char path[PIN_PATH_SIZE];
	int fd;

	root_path(s, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

void pins_drop_root(const struct state *s)
{
	char path[PIN_PATH_SIZE];

	root_path(s, path);
	unlink(path);
}

int pins_remove(const struct state *s)
{
	int err = pins_clear(s);

	if (!err && rmdir(s->dir) && errno != ENOENT && !has_root(s)) {
		err = -errno;
		report("%s: cannot be removed: %s", s->dir, strerror(-err));
	}
	if (!err)
		rmdir(INSTANCES); /* if it was the last one */
	return err;
}

int pins_get(const struct state *s, const char *folder, const char *name)
{
	char path[PIN_PATH_SIZE];
	int fd;

	pin_path(s, folder, name, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pins_put(const struct state *s, const char *folder, const char *name, int fd)
{
	char path[PIN_PATH_SIZE];

	pin_path(s, folder, name, path);
	unlink(path);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

void pins_drop(const struct state *s, const char *folder, const char *name)
{
	char path[PIN_PATH_SIZE];

	pin_path(s, folder, name, path);
	unlink(path);
}
