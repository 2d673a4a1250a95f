// SPDX-License-Identifier: GPL-2.0-only
/*
 * dispatcher.c - which dispatcher libxdp builds: of its own object, or of ours.
 */
#include "dispatcher.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "object.h"
#include "report.h"

#define OBJECT_PATH "LIBXDP_OBJECT_PATH"
#define LAST_MINOR                                                                       \
	5 /* libxdp 1.6 has another version of dispatchers, and needs none of ours */

/* Which version of dispatchers the object at @path is, or 0. */
static __u32 dispatcher_version(const char *path)
{
	struct btf *btf = btf__parse(path, NULL);
	const struct btf_type *type;
	__u32 version = 0;
	int id;

	if (libbpf_get_error(btf))
		return 0;
	/* A pointer to an array, whose length it is: what __uint() of libbpf makes. */
	id = btf__find_by_name_kind(btf, "dispatcher_version", BTF_KIND_VAR);
	type = id > 0 ? btf__type_by_id(btf, id) : NULL;
	type = type ? btf__type_by_id(btf, type->type) : NULL;
	if (type && btf_is_ptr(type))
		type = btf__type_by_id(btf, type->type);
	if (type && btf_is_array(type))
		version = btf_array(type)->nelems;
	btf__free(btf);
	return version;
}

/*
 * libxdp does not say which version of dispatchers it knows, but the one that it has, most
 * often in a folder beside it, does.  If it is not there, libxdp's own version decides,
 * which its file's name begins with, as in libxdp.so.1.3.0.
 */
static bool libxdp_takes(const char *ours)
{
	void *function = dlsym(RTLD_DEFAULT, "xdp_program__attach");
	char path[PATH_MAX + 32], *name;
	unsigned int major, minor;
	__u32 version;
	Dl_info info;

	if (!function || !dladdr(function, &info) || !realpath(info.dli_fname, path))
		return false;
	name = strrchr(path, '/') + 1;
	if (sscanf(name, "libxdp.so.%u.%u", &major, &minor) != 2 || major != 1 ||
	    minor > LAST_MINOR)
		return false;
	strcpy(name, "bpf/xdp-dispatcher.o");
	version = dispatcher_version(path);
	return !version || version == dispatcher_version(ours);
}

/* Who runs lbctl may have named a folder of their own: that one comes back. */
static int step_with_ours(const char *objects, int (*step)(void *), void *context)
{
	const char *was = getenv(OBJECT_PATH);
	char path[PATH_MAX], *kept = was ? strdup(was) : NULL;
	int err;

	if (was && !kept)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/dispatcher", objects);
	err = setenv(OBJECT_PATH, path, 1) ? -ENOMEM : step(context);
	if (kept)
		setenv(OBJECT_PATH, kept, 1);
	else
		unsetenv(OBJECT_PATH);
	free(kept);
	return err;
}

/*
 * How libxdp says that the kernel refuses its dispatcher: as the verifier does for a program
 * that is loaded for it; or, of one that runs behind another dispatcher already, that it
 * cannot be put behind this one, and then that the interface is busy.
 */
static bool is_refusal(int err)
{
	return err == -EINVAL || err == -EOPNOTSUPP || err == -EBUSY;
}

int dispatcher_try(struct state *s, int (*step)(void *), void *context, bool *ret_ours)
{
	char path[PATH_MAX];
	int err = step(context);

	*ret_ours = false;
	if (!is_refusal(err))
		return err;
	if (objects_locate(s))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/dispatcher/xdp-dispatcher.o", s->objects);
	if (access(path, R_OK)) {
		report_warning("%s: %s; 'make install' puts it there", path,
			       strerror(errno));
		return err;
	}
	if (!libxdp_takes(path))
		return err;

	report_detail("libxdp's dispatcher is refused; trying that of %s", path);
	err = step_with_ours(s->objects, step, context);
	*ret_ours = !err;
	return err;
}

bool dispatcher_is_ours(const struct xdp_multiprog *mp)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	struct xdp_program *main_prog;
	struct btf *btf;
	bool ours;

	if (xdp_multiprog__is_legacy(mp))
		return false;
	main_prog = xdp_multiprog__main_prog(mp);
	if (!main_prog ||
	    bpf_obj_get_info_by_fd(xdp_program__fd(main_prog), &info, &size))
		return false;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	if (libbpf_get_error(btf))
		return false;
	ours = btf__find_by_name_kind(btf, "lb_dispatcher", BTF_KIND_VAR) > 0;
	btf__free(btf);
	return ours;
}

const char *dispatcher_reason(int err)
{
	struct statfs fs;

	switch (-err) {
	case EPERM:
	case EACCES:
		return "the kernel refuses programs of type EXT (freplace)";
	case EINVAL:
		return "this kernel takes no program with tail calls behind a dispatcher "
		       "(before 6.1)";
	case EOPNOTSUPP:
		if (statfs("/sys/fs/bpf", &fs) || fs.f_type != BPF_FS_MAGIC)
			return "libxdp needs a BPF file system at /sys/fs/bpf";
		return "libxdp finds that this kernel cannot run its dispatcher (no freplace)";
	default:
		return strerror(-err);
	}
}
