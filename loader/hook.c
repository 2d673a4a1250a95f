// SPDX-License-Identifier: GPL-2.0-only
/*
 * hook.c - what runs on an interface's XDP hook, and lb_entry among it.
 */
#include "hook.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#define ENTRY	 "lb_entry"
#define MAX_MAPS 8 /* lb_entry has one; who has more is not it */

/* Does the program @id call through the map @root? */
static bool is_our_entry(__u32 id, __u32 root)
{
	__u32 maps[MAX_MAPS] = {}, size = sizeof(struct bpf_prog_info), i;
	struct bpf_prog_info info = {
		.map_ids = (unsigned long)maps,
		.nr_map_ids = MAX_MAPS,
	};
	int fd = bpf_prog_get_fd_by_id(id);
	bool ours = false;

	if (fd < 0)
		return false;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		for (i = 0; i < info.nr_map_ids && i < MAX_MAPS; i++)
			ours = ours || maps[i] == root;
	close(fd);
	return ours;
}

static enum lb_attach_mode mode_of(enum xdp_attach_mode mode)
{
	return mode == XDP_MODE_SKB ? LB_MODE_SKB : LB_MODE_NATIVE;
}

static enum xdp_attach_mode libxdp_mode(enum lb_attach_mode mode)
{
	return mode == LB_MODE_SKB ? XDP_MODE_SKB : XDP_MODE_NATIVE;
}

static __u32 kernel_flags(enum lb_attach_mode mode)
{
	return mode == LB_MODE_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

static void look_at_main(struct xdp_multiprog *mp, __u32 root, struct hook *ret)
{
	struct xdp_program *prog = xdp_multiprog__main_prog(mp);

	ret->occupied = prog;
	ret->mode = mode_of(xdp_multiprog__attach_mode(mp));
	ret->is_dispatcher = !xdp_multiprog__is_legacy(mp);
	if (!prog)
		return;
	ret->program = xdp_program__id(prog);
	snprintf(ret->name, sizeof(ret->name), "%s", xdp_program__name(prog));
	if (!ret->is_dispatcher && is_our_entry(ret->program, root))
		ret->entry = ret->program;
}

/* Programs are found by id, which takes CAP_SYS_ADMIN; there is none with the id 0. */
static bool may_look(void)
{
	int fd = bpf_prog_get_fd_by_id(0);

	if (fd >= 0)
		close(fd);
	return fd != -EPERM;
}

int hook_look(int ifindex, __u32 root, struct hook *ret)
{
	struct xdp_multiprog *mp;
	struct xdp_program *prog = NULL;
	int err;

	*ret = (struct hook){};
	if (!may_look())
		return -EPERM;
	mp = xdp_multiprog__get_from_ifindex(ifindex);
	err = libxdp_get_error(mp);
	if (err == -ENOENT)
		return 0;
	if (err)
		return err;

	look_at_main(mp, root, ret);
	while (ret->is_dispatcher && (prog = xdp_multiprog__next_prog(prog, mp))) {
		if (!is_our_entry(xdp_program__id(prog), root))
			continue;
		ret->entry = xdp_program__id(prog);
		ret->entry_priority = xdp_program__run_prio(prog);
	}
	xdp_multiprog__close(mp);
	return 0;
}

static bool has_entry(int ifindex)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *prog;
	bool found;

	if (libxdp_get_error(mp))
		return false;
	prog = xdp_multiprog__main_prog(mp);
	found = prog && !strcmp(xdp_program__name(prog), ENTRY);
	prog = NULL;
	while (!found && !xdp_multiprog__is_legacy(mp) &&
	       (prog = xdp_multiprog__next_prog(prog, mp)))
		found = !strcmp(xdp_program__name(prog), ENTRY);
	xdp_multiprog__close(mp);
	return found;
}

bool hook_entry_is_anywhere(void)
{
	struct if_nameindex *list = if_nameindex(), *at;
	bool found = false;

	for (at = list; at && at->if_index && !found; at++)
		found = has_entry(at->if_index);
	if (list)
		if_freenameindex(list);
	return found;
}

/*
 * libxdp attaches without the dispatcher, and says nothing, if the kernel or bpffs cannot
 * do it: that is undone, because then the caller attaches, and says so.
 */
static int refuse_legacy(int ifindex, struct xdp_program *prog, enum lb_attach_mode mode)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);
	int err = libxdp_get_error(mp);

	if (err)
		return err;
	if (xdp_multiprog__is_legacy(mp)) {
		xdp_program__detach(prog, ifindex, libxdp_mode(mode), 0);
		err = -EOPNOTSUPP;
	}
	xdp_multiprog__close(mp);
	return err;
}

int hook_attach_dispatcher(int ifindex, struct bpf_object *entry,
			   enum lb_attach_mode mode, __u32 priority)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .obj = entry, .prog_name = ENTRY);
	struct xdp_program *prog = xdp_program__create(&opts);
	int err = libxdp_get_error(prog);

	if (err)
		return err;

	err = xdp_program__set_run_prio(prog, priority);
	if (!err)
		err = xdp_program__set_chain_call_enabled(prog, XDP_PASS, true);
	if (!err)
		err = xdp_program__attach(prog, ifindex, libxdp_mode(mode), 0);
	if (!err)
		err = refuse_legacy(ifindex, prog, mode);
	xdp_program__close(prog);
	return err;
}

/* By default a program goes on at what it has in XDP_RUN_CONFIG, or libxdp's default. */
int hook_load(int ifindex, enum lb_attach_mode mode, const struct hook_file *file,
	      __u32 *ret_id)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts, .pin_root_path = file->maps);
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .open_filename = file->path,
			    .prog_name = file->prog, .opts = &open_opts);
	struct xdp_program *prog = xdp_program__create(&opts);
	int err = libxdp_get_error(prog);

	if (err)
		return err;

	if (file->priority >= 0)
		err = xdp_program__set_run_prio(prog, file->priority);
	if (!err)
		err = xdp_program__attach(prog, ifindex, libxdp_mode(mode), 0);
	if (!err)
		err = refuse_legacy(ifindex, prog, mode);
	*ret_id = err ? 0 : xdp_program__id(prog);
	xdp_program__close(prog);
	return err;
}

static bool is_id(const struct xdp_program *prog, __u32 id, char ret_name[HOOK_NAME_SIZE])
{
	if (!prog || xdp_program__id(prog) != id)
		return false;
	snprintf(ret_name, HOOK_NAME_SIZE, "%s", xdp_program__name(prog));
	return true;
}

bool hook_has(int ifindex, __u32 id, char ret_name[HOOK_NAME_SIZE])
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *prog = NULL;
	bool found;

	if (libxdp_get_error(mp))
		return false;
	found = is_id(xdp_multiprog__main_prog(mp), id, ret_name);
	while (!found && !xdp_multiprog__is_legacy(mp) &&
	       (prog = xdp_multiprog__next_prog(prog, mp)))
		found = is_id(prog, id, ret_name);
	xdp_multiprog__close(mp);
	return found;
}

int hook_attach_alone(int ifindex, int program_fd, enum lb_attach_mode mode)
{
	return bpf_xdp_attach(ifindex, program_fd,
			      kernel_flags(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
}

static int detach_alone(int ifindex, const struct hook *hook)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, );
	int err;

	opts.old_prog_fd = bpf_prog_get_fd_by_id(hook->entry);
	if (opts.old_prog_fd < 0)
		return opts.old_prog_fd;
	err = bpf_xdp_detach(ifindex, kernel_flags(hook->mode), &opts);
	close(opts.old_prog_fd);
	return err;
}

int hook_detach(int ifindex, const struct hook *hook)
{
	struct xdp_program *prog;
	int err;

	if (!hook->is_dispatcher)
		return detach_alone(ifindex, hook);

	prog = xdp_program__from_id(hook->entry);
	err = libxdp_get_error(prog);
	if (err)
		return err;
	err = xdp_program__detach(prog, ifindex, libxdp_mode(hook->mode), 0);
	xdp_program__close(prog);
	return err;
}
