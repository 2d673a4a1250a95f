// SPDX-License-Identifier: GPL-2.0-only
/*
 * stages.c - the stages of the chain, loaded, pinned and put where tail calls find them.
 */
#include "stages.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "object.h"
#include "pins.h"
#include "report.h"

/* The stages: objects, and the PROG_ARRAY slots that their programs take. */
static const struct stage {
	const char *name;  /* of the object, and of its program in @array */
	const char *array; /* NULL: not tail-called */
	__u32 slot;
} stages[] = {
	{ "lb_control", NULL, 0 },
	{ "lb_resolve", NULL, 0 },
	{ "lb_local", NULL, 0 },
	{ "lb_rewrite", "lb_stages", LB_STAGE_REWRITE },
	{ "lb_dsr", "lb_stages", LB_STAGE_DSR },
	{ "lb_encap", "lb_stages", LB_STAGE_ENCAP },
	{ "lb_reply", "lb_stages", LB_STAGE_REPLY },
	{ "lb_wide", "lb_stages", LB_STAGE_WIDE },
	{ "lb_icmp", "lb_stages", LB_STAGE_ICMP },
	{ "lb_icmp_nat", "lb_stages", LB_STAGE_ICMP_NAT },
	{ "lb_mss", "lb_stages", LB_STAGE_MSS },
	{ "lb_client", "lb_stages", LB_STAGE_CLIENT },
	{ "lb_admit", "lb_stages", LB_STAGE_ADMIT },
	{ "lb_unknown", "lb_stages", LB_STAGE_UNKNOWN },
	{ "lb_answer", "lb_stages", LB_STAGE_ANSWER },
	{ "lb_capture", "lb_stages", LB_STAGE_CAPTURE },
	{ "lb_trace", "lb_stages", LB_STAGE_TRACE },
	{ "lb_parse", "lb_stages", LB_STAGE_PARSE },
};

#define N_STAGES (sizeof(stages) / sizeof(stages[0]))

static int put_in_slot(const struct state *s, const char *array, __u32 slot, int prog)
{
	int fd = pins_get(s, PIN_MAPS, array), err = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_update_elem(fd, &slot, &prog, 0))
		err = -errno;
	close(fd);
	return err;
}

static int pin_programs(const struct state *s, const struct stage *stage,
			struct bpf_object *obj)
{
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, obj) {
		err = pins_put(s, PIN_PROGS, bpf_program__name(prog),
			       bpf_program__fd(prog));
		if (!err && stage->array && !strcmp(bpf_program__name(prog), stage->name))
			err = put_in_slot(s, stage->array, stage->slot,
					  bpf_program__fd(prog));
		if (err) {
			report("%s/" PIN_PROGS "/%s: %s", s->dir, bpf_program__name(prog),
			       strerror(-err));
			return err;
		}
	}
	return 0;
}

static int load_stage(const struct state *s, const struct stage *stage)
{
	struct bpf_object *obj;
	char path[320];
	int err;

	snprintf(path, sizeof(path), "%s/progs/%s.bpf.o", s->objects, stage->name);
	err = object_open(s, path, &obj);
	if (err)
		return err;
	err = object_load(obj, path);
	if (!err)
		err = object_pin_maps(s, obj);
	if (!err)
		err = pin_programs(s, stage, obj);
	bpf_object__close(obj);
	return err;
}

/* From here on packets go through. */
static int open_root(const struct state *s)
{
	int prog = pins_get(s, PIN_PROGS, "lb_parse"), err;

	err = prog < 0 ? prog : put_in_slot(s, "lb_root", 0, prog);
	if (err == -EINVAL) /* of our own making it takes what we load */
		report("%s/lb_root: its lb_entry was loaded to be alone on its interface, and "
		       "takes no stages that way; take it off, remove %s/lb_root and let "
		       "'lbctl chain attach' load it",
		       s->dir, s->dir);
	else if (err)
		report("%s/" PIN_MAPS "/lb_root: %s", s->dir, strerror(-err));
	if (prog >= 0)
		close(prog);
	return err;
}

int stages_load(const struct state *s)
{
	size_t i;
	int err = 0;

	for (i = 0; i < N_STAGES && !err; i++)
		err = load_stage(s, &stages[i]);
	return err ? err : open_root(s);
}

/* Which of its programs stands for a stage: lb_control has several, none of its name. */
static const char *program_of(const struct stage *stage)
{
	return strcmp(stage->name, "lb_control") ? stage->name : "lb_clock";
}

const char *stages_get(const struct state *s, size_t i, __u32 *ret_program)
{
	const struct stage *stage = i < N_STAGES ? &stages[i] : NULL;
	int fd;

	*ret_program = 0;
	if (!stage)
		return NULL;
	fd = stage->array ? pins_get(s, PIN_MAPS, stage->array)
			  : pins_get(s, PIN_PROGS, program_of(stage));
	if (fd >= 0) {
		if (!stage->array)
			*ret_program = program_id(fd);
		else if (bpf_map_lookup_elem(fd, &stage->slot, ret_program))
			*ret_program = 0;
		close(fd);
	}
	return stage->name + strlen("lb_");
}

struct bpf_object *stages_open_entry(struct state *s)
{
	struct bpf_object *obj;
	char path[320];

	if (objects_locate(s))
		return NULL;
	snprintf(path, sizeof(path), "%s/progs/lb_entry.bpf.o", s->objects);
	return object_open(s, path, &obj) ? NULL : obj;
}
