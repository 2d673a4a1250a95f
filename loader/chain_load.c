// SPDX-License-Identifier: GPL-2.0-only
/*
 * chain_load.c - `lbctl chain load` and `unload`: other people's programs beside the chain.
 *
 * For where the system's tools cannot do it: who has another dispatcher in them than the one
 * that the chain is behind is refused by the kernel.  No instance is needed for it; libxdp
 * has a lock of its own.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "chain.h"
#include "dispatcher.h"
#include "hook.h"
#include "number.h"
#include "object.h"
#include "report.h"

#define NO_PRIORITY (-1) /* the program says it itself, or it is libxdp's default */

struct guest {
	const char *file, *dev;
	const char *prog; /* NULL: the first one */
	const char *maps; /* NULL: where libbpf pins by itself */
	int priority;
	int ifindex;
	enum lb_attach_mode mode; /* 0: that of those that are there, or native */
	__u32 id; /* of the program, once it is loaded; to unload: which */
};

static enum outcome take_prog(void *to, const char *value)
{
	((struct guest *)to)->prog = value;
	return DONE;
}

static enum outcome take_priority(void *to, const char *value)
{
	unsigned long priority;

	if (!number_parse(value, 0, 65535, &priority)) {
		report("priority '%s': not a number from 0 to 65535", value);
		return USAGE;
	}
	((struct guest *)to)->priority = priority;
	return DONE;
}

static enum outcome take_mode(void *to, const char *value)
{
	return attach_mode_parse(value, &((struct guest *)to)->mode);
}

static enum outcome take_maps(void *to, const char *value)
{
	if (*value != '/') {
		report("maps '%s': not an absolute path", value);
		return USAGE;
	}
	((struct guest *)to)->maps = value;
	return DONE;
}

static const struct option_word load_options[] = {
	{ "prog", "a program's name", take_prog },
	{ "mode", "native or skb", take_mode },
	{ "priority", "a number", take_priority },
	{ "maps", "the folder of maps that are pinned by name", take_maps },
};

static enum outcome find_device(struct guest *g)
{
	g->ifindex = if_nametoindex(g->dev);
	if (g->ifindex)
		return DONE;
	report("%s: no such interface (see 'ip link')", g->dev);
	return REFUSED;
}

static enum outcome look(const struct guest *g, struct hook *ret)
{
	int err = hook_look(g->ifindex, 0, ret);

	if (!err)
		return DONE;
	report("%s: cannot see which XDP program is attached: %s%s", g->dev,
	       strerror(-err), err == -EPERM ? "; it takes CAP_SYS_ADMIN" : "");
	return REFUSED;
}

/* ---- load ----------------------------------------------------------------------------- */

static void report_no_program(const struct guest *g, struct bpf_object *obj)
{
	struct bpf_program *prog;
	char names[256] = "";
	size_t used = 0;

	bpf_object__for_each_program(prog, obj) {
		if (bpf_program__type(prog) == BPF_PROG_TYPE_XDP && used < sizeof(names))
			used += snprintf(names + used, sizeof(names) - used, " %s",
					 bpf_program__name(prog));
	}
	if (!g->prog)
		report("%s: has no XDP program", g->file);
	else
		report("%s: has no XDP program '%s'%s%s", g->file, g->prog,
		       used ? "; it has" : "", names);
}

/* libxdp's own errors do not tell what of a file is wrong. */
static enum outcome check_file(struct guest *g)
{
	struct bpf_program *prog;
	struct bpf_object *obj;
	bool found = false;

	if (object_peek(g->file, &obj))
		return REFUSED;
	bpf_object__for_each_program(prog, obj) {
		if (!found && bpf_program__type(prog) == BPF_PROG_TYPE_XDP)
			found = !g->prog || !strcmp(bpf_program__name(prog), g->prog);
	}
	if (!found)
		report_no_program(g, obj);
	bpf_object__close(obj);
	return found ? DONE : REFUSED;
}

static enum outcome check_room(struct guest *g)
{
	enum outcome outcome;
	struct hook h;

	outcome = look(g, &h);
	if (outcome)
		return outcome;
	if (!g->mode)
		g->mode = h.occupied ? h.mode : LB_MODE_NATIVE;
	if (!h.occupied || (h.is_dispatcher && h.mode == g->mode))
		return DONE;
	if (h.is_dispatcher)
		report("%s: the dispatcher there runs in %s mode; say 'mode %s', or nothing",
		       g->dev, attach_mode_name(h.mode), attach_mode_name(h.mode));
	else
		report("%s: XDP program '%s' (id %u) is attached without a dispatcher, so "
		       "no other can join",
		       g->dev, h.name, h.program);
	return REFUSED;
}

static int load_step(void *context)
{
	struct guest *g = context;

	return hook_load(g->ifindex, g->mode,
			 &(struct hook_file){ .path = g->file,
					      .prog = g->prog,
					      .maps = g->maps,
					      .priority = g->priority },
			 &g->id);
}

static enum outcome report_load(const struct guest *g, int err)
{
	if (err == -E2BIG)
		report("%s: the dispatcher has ten programs, which is its limit; unload one",
		       g->dev);
	else if (err == -EOPNOTSUPP && g->mode == LB_MODE_NATIVE)
		report("%s: '%s' cannot be loaded: %s, or the driver has no native XDP; try "
		       "'mode skb'",
		       g->dev, g->file, dispatcher_reason(err));
	else if (err == -EPERM || err == -EINVAL || err == -EOPNOTSUPP)
		report("%s: '%s' cannot be loaded behind a dispatcher: %s%s", g->dev,
		       g->file,
		       err == -EINVAL
			       ? "the kernel refuses the program, or programs with "
				 "tail calls there"
			       : dispatcher_reason(err),
		       report_is_verbose() ? "" : " ('lbctl -v' shows its reasons)");
	else
		report("%s: '%s' cannot be loaded in %s mode: %s", g->dev, g->file,
		       attach_mode_name(g->mode), strerror(-err));
	return REFUSED;
}

enum outcome chain_load(const struct lbctl *l, struct words *w)
{
	struct guest g = { .priority = NO_PRIORITY };
	struct state s = {};
	enum outcome outcome;
	bool ours;
	int err;

	(void)l;
	g.file = words_want(w, "the file with the program");
	g.dev = g.file ? words_want(w, "the interface") : NULL;
	if (!g.dev)
		return USAGE;
	outcome = options_parse(w, load_options,
				sizeof(load_options) / sizeof(load_options[0]), &g);
	if (!outcome)
		outcome = find_device(&g);
	if (!outcome)
		outcome = check_file(&g);
	if (!outcome)
		outcome = check_room(&g);
	if (outcome)
		return outcome;

	err = dispatcher_try(&s, load_step, &g, &ours);
	if (err)
		return report_load(&g, err);
	report_warning(
		"%s: program %u runs behind %s dispatcher; 'lbctl chain unload %s id %u' "
		"takes it off",
		g.dev, g.id, ours ? "lbctl's" : "libxdp's", g.dev, g.id);
	return DONE;
}

/* ---- unload --------------------------------------------------------------------------- */

static int unload_step(void *context)
{
	const struct guest *g = context;
	struct hook h;
	int err = hook_look(g->ifindex, 0, &h);

	if (err)
		return err;
	h.entry = g->id;
	return hook_detach(g->ifindex, &h);
}

/* What is not there, or not for this command to take off. */
static enum outcome check_unload(const struct guest *g)
{
	char name[HOOK_NAME_SIZE];
	enum outcome outcome;
	struct hook h;

	outcome = look(g, &h);
	if (outcome)
		return outcome;
	if (!hook_has(g->ifindex, g->id, name))
		report("%s: no XDP program has the id %u there (see 'lbctl chain show %s')",
		       g->dev, g->id, g->dev);
	else if (h.is_dispatcher && h.program == g->id)
		report("%s: %u is the dispatcher, which goes with its last program",
		       g->dev, g->id);
	else if (!strcmp(name, "lb_entry"))
		report("%s: %u is the chain itself; 'lbctl chain detach %s' takes it off",
		       g->dev, g->id, g->dev);
	else
		return DONE;
	return REFUSED;
}

static enum outcome parse_unload(struct guest *g, struct words *w)
{
	unsigned long id;
	const char *word;

	g->dev = words_want(w, "the interface");
	word = g->dev ? words_want(w, "'id' and the program's number, as in 'id 42',")
		      : NULL;
	if (!word)
		return USAGE;
	if (strcmp(word, "id")) {
		report("'%s': not 'id', as in 'lbctl chain unload %s id 42'", word,
		       g->dev);
		return USAGE;
	}
	word = words_want(w, "the program's number");
	if (!word)
		return USAGE;
	if (!number_parse(word, 1, ~0U, &id)) {
		report("id '%s': not a program's number (see 'lbctl chain show %s')",
		       word, g->dev);
		return USAGE;
	}
	g->id = id;
	return words_end(w);
}

enum outcome chain_unload(const struct lbctl *l, struct words *w)
{
	struct guest g = {};
	struct state s = {};
	enum outcome outcome;
	bool ours;
	int err;

	(void)l;
	outcome = parse_unload(&g, w);
	if (!outcome)
		outcome = find_device(&g);
	if (!outcome)
		outcome = check_unload(&g);
	if (outcome)
		return outcome;
	err = dispatcher_try(&s, unload_step, &g, &ours);
	if (!err)
		return DONE;
	report("%s: program %u cannot be taken off: %s", g.dev, g.id, strerror(-err));
	return REFUSED;
}
