// SPDX-License-Identifier: GPL-2.0-only
/*
 * aside_policies.c - an instance's policies in a private copy, with what they remember.
 *
 * A program that runs cannot be had once more over other maps, so each is loaded from its
 * object again.  An object that was built anew since is said to be another one.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aside.h"
#include "map_copy.h"
#include "object.h"
#include "report.h"

static const char *object_path(const struct state *s, const struct lb_policy_info *info,
			       char *ret, size_t size)
{
	if (info->path[0])
		snprintf(ret, size, "%s", info->path);
	else
		snprintf(ret, size, "%s/policies/%s", s->objects, info->file);
	return ret;
}

/* Turns, tunables: whatever the running one has in maps of its own. */
static int copy_memory(const struct lb_policy_info *live,
		       const struct lb_policy_info *copy)
{
	int from = bpf_prog_get_fd_by_id(live->program);
	int to = from < 0 ? -1 : bpf_prog_get_fd_by_id(copy->program), err = 0;

	if (to >= 0)
		err = program_copy_maps(from, to);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return err;
}

static void forget(struct lb_policy_info *info)
{
	memset(info, 0, sizeof(*info));
}

static int load(struct aside *a, const struct lb_policy_info *live, __u32 slot)
{
	char path[384];
	struct policy_load p = {
		.path = object_path(&a->state, live, path, sizeof(path)),
		.name = live->meta.name,
		.replace = true,
		.force = true,
		.known = true,
	};
	struct lb_policy_info *copy = &a->state.policies[slot];
	int err;

	if (access(path, R_OK)) {
		report_warning("policy '%s': %s: %s; without it, packets that it chooses "
			       "for are said to have no-stage",
			       live->meta.name, path, strerror(errno));
		forget(copy);
		return 0;
	}
	err = state_load_policy(&a->state, &p);
	if (!err && memcmp(copy->tag, live->tag, sizeof(copy->tag)))
		report_warning(
			"policy '%s': %s was built anew since it was loaded; what is "
			"said here is of the new one",
			live->meta.name, path);
	if (err)
		return err;
	err = copy_memory(live, copy);
	if (err)
		report("policy '%s': its maps cannot be copied: %s", live->meta.name,
		       strerror(-err));
	return err;
}

int aside_load_policies(struct aside *a, const struct state *live)
{
	__u32 slot;
	int err = 0;

	for (slot = 0; slot < LB_MAX_POLICIES && !err; slot++)
		if (live->policies[slot].meta.magic == LB_POLICY_MAGIC)
			err = load(a, &live->policies[slot], slot);
	return err;
}
