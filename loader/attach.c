// SPDX-License-Identifier: GPL-2.0-only
/*
 * attach.c - the chain on an interface: its record, filters of tc, and lb_entry last.
 *
 * Packets come with lb_entry, so it is attached when all else is there and detached
 * before anything goes.  Each step may be repeated: a command that was killed is
 * completed by the next one.
 */
#include "attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "dispatcher.h"
#include "hook.h"
#include "namespace.h"
#include "pins.h"
#include "report.h"
#include "stages.h"
#include "sysctl.h"
#include "tc.h"

static const char *mode_word(enum lb_attach_mode mode)
{
	return mode == LB_MODE_SKB ? "skb" : "native";
}

/* ---- lb_resolve and lb_local -------------------------------------------------------- */

static int attach_filter(struct state *s, struct lb_device *d, enum tc_side side,
			 const char *name)
{
	int fd = pins_get(s, PIN_PROGS, name), err;

	if (fd < 0) {
		report("%s/" PIN_PROGS "/%s: %s", s->dir, name, strerror(-fd));
		return fd;
	}
	err = tc_attach(d->ifindex, side, fd);
	close(fd);
	if (err)
		report("%s: cannot attach %s to tc %s: %s", d->name, name,
		       side == TC_IN ? "ingress" : "egress", strerror(-err));
	return err;
}

/* On lo, XDP itself sees what local sockets answer. */
static int attach_filters(struct state *s, struct lb_device *d)
{
	int err;

	/* Written down before it is made, or who is killed between leaves it for ever. */
	if (!tc_has_clsact(d->ifindex))
		__atomic_store_n(&d->flags, d->flags | LB_DEVICE_F_CLSACT,
				 __ATOMIC_RELEASE);
	err = attach_filter(s, d, TC_IN, "lb_resolve");
	if (!err && !device_is_loopback(d))
		err = attach_filter(s, d, TC_OUT, "lb_local");
	return err;
}

/* ---- lb_entry ------------------------------------------------------------------------ */

static __u32 root_id(const struct state *s)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int fd = state_map_fd(s, "lb_root");

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size)) {
		close(fd);
		return info.id;
	}
	if (fd >= 0)
		close(fd);
	return 0;
}

static const char *privilege(int err)
{
	return err == -EPERM ? "; it takes CAP_SYS_ADMIN" : "";
}

/* Why an attach failed, for who has to do something about it. */
static void report_refusal(const char *dev, enum lb_attach_mode mode, int err)
{
	if (err == -EBUSY || err == -EEXIST)
		report("%s: another XDP program is attached; see 'lbctl chain show %s'",
		       dev, dev);
	else if (err == -E2BIG)
		report("%s: the dispatcher has ten programs, which is its limit; detach one",
		       dev);
	else if (mode == LB_MODE_NATIVE)
		report("%s: cannot attach in native mode: %s; try 'mode skb'", dev,
		       strerror(-err));
	else
		report("%s: cannot attach in skb mode: %s", dev, strerror(-err));
}

static int attach_alone(struct state *s, struct lb_device *d,
			const struct attach_options *o)
{
	struct bpf_object *entry = stages_open_entry(s);
	struct bpf_program *prog = entry ? bpf_object__next_program(entry, NULL) : NULL;
	int err;

	if (!prog)
		return -ENOENT;
	err = bpf_object__load(entry);
	if (!err)
		err = hook_attach_alone(d->ifindex, bpf_program__fd(prog), o->mode);
	bpf_object__close(entry);
	if (err)
		report_refusal(d->name, o->mode, err);
	return err;
}

struct detach_wish {
	int ifindex;
	const struct hook *hook;
};

struct entry_wish {
	struct state *s;
	int ifindex;
	const struct attach_options *options;
};

/* libxdp does not load an object that it has tried to load: each time a new one. */
static int attach_behind(void *context)
{
	const struct entry_wish *w = context;
	struct bpf_object *entry = stages_open_entry(w->s);
	int err;

	if (!entry)
		return -ENOENT;
	err = hook_attach_dispatcher(w->ifindex, entry, w->options->mode,
				     w->options->priority);
	bpf_object__close(entry);
	return err;
}

static void tell_dispatcher(const char *dev, const struct attach_options *o, bool ours)
{
	if (!ours)
		report_warning("%s: attached behind libxdp's dispatcher, at priority %u",
			       dev, o->priority);
	else
		report_warning(
			"%s: attached behind lbctl's dispatcher, at priority %u: this "
			"kernel refuses that of libxdp < 1.5.5 for tail calls; instead "
			"of xdp-loader use 'lbctl chain load' and 'chain unload' there",
			dev, o->priority);
}

static int attach_entry(struct state *s, struct lb_device *d,
			const struct attach_options *o, bool dispatcher_only)
{
	struct entry_wish wish = { .s = s, .ifindex = d->ifindex, .options = o };
	bool ours;
	int err;

	err = dispatcher_try(s, attach_behind, &wish, &ours);
	if (!err) {
		tell_dispatcher(d->name, o, ours);
		return 0;
	}
	if (err == -E2BIG || err == -EBUSY || err == -EEXIST) {
		report_refusal(d->name, o->mode, err);
		return err;
	}
	if (o->require_dispatcher || dispatcher_only) {
		report("%s: cannot attach through the dispatcher: %s", d->name,
		       dispatcher_reason(err));
		return err;
	}

	if (attach_alone(s, d, o))
		return -EINVAL;
	report_warning(
		"%s: attached ALONE, without a dispatcher: %s; no other XDP program "
		"can join",
		d->name, dispatcher_reason(err));
	return 0;
}

/* Those that stay may be such as libxdp's dispatcher cannot take. */
static int detach_step(void *context)
{
	const struct detach_wish *w = context;

	return hook_detach(w->ifindex, w->hook);
}

static int detach_entry(struct state *s, const struct lb_device *d, const struct hook *h)
{
	struct detach_wish wish = { .ifindex = d->ifindex, .hook = h };
	bool ours;

	return dispatcher_try(s, detach_step, &wish, &ours);
}

/* Is what the user wants there already, or in the way?  0: go on, 1: it is there. */
static int check_hook(const char *dev, const struct hook *h,
		      const struct attach_options *o)
{
	if (h->entry && h->mode != o->mode) {
		report("%s: the chain is attached in %s mode; 'lbctl chain detach %s' first",
		       dev, mode_word(h->mode), dev);
		return -EEXIST;
	}
	if (h->entry && h->is_dispatcher && h->entry_priority != o->priority) {
		report("%s: the chain is attached at priority %u; 'lbctl chain detach %s' first",
		       dev, h->entry_priority, dev);
		return -EEXIST;
	}
	if (h->entry && !h->is_dispatcher && o->require_dispatcher) {
		report("%s: the chain is attached alone; 'lbctl chain detach %s' first",
		       dev, dev);
		return -EEXIST;
	}
	if (h->entry)
		return 1;
	if (h->occupied && !h->is_dispatcher) {
		report("%s: XDP program '%s' (id %u) is attached without libxdp's dispatcher; "
		       "take it off with 'ip link set dev %s xdp off', or load it with "
		       "xdp-loader",
		       dev, h->name, h->program, dev);
		return -EBUSY;
	}
	if (h->occupied && h->mode != o->mode) {
		report("%s: the dispatcher there runs in %s mode; say 'mode %s'", dev,
		       mode_word(h->mode), mode_word(h->mode));
		return -EBUSY;
	}
	return 0;
}

static int forwarding_on(struct state *s)
{
	int err = sysctl_forwarding_on(s->config);

	if (err)
		report("net.ipv4.conf.lo.forwarding: cannot be switched on: %s",
		       strerror(-err));
	return err;
}

/*
 * The record goes last, so that who is killed here can do it again.  Forwarding stays on
 * as long as another instance in this network namespace needs it.
 */
static void forget(struct state *s, struct lb_device *d)
{
	if (devices_count(s) == 1 && !hook_entry_is_anywhere())
		sysctl_forwarding_restore(s->config);
	devices_forget(s, d);
}

static void undo(struct state *s, struct lb_device *d)
{
	tc_detach(d->ifindex, d->flags & LB_DEVICE_F_CLSACT);
	forget(s, d);
}

static int finish(struct state *s, struct lb_device *d, const struct attach_options *o)
{
	struct hook h;
	int err = hook_look(d->ifindex, root_id(s), &h);

	if (!err && !h.entry)
		err = -ENOENT;
	if (err) {
		report("%s: the chain was attached and is gone: %s", d->name,
		       strerror(-err));
		return err;
	}
	d->mode = h.mode;
	d->how = h.is_dispatcher ? LB_HOW_DISPATCHER : LB_HOW_ALONE;
	d->priority = h.is_dispatcher ? h.entry_priority : o->priority;
	d->program = h.entry;
	return 0;
}

int attach_device(struct state *s, const char *dev, const struct attach_options *o)
{
	__u32 ifindex = if_nametoindex(dev);
	struct lb_device *d;
	struct hook h;
	int err;

	if (!ifindex) {
		report("%s: no such interface (see 'ip link')", dev);
		return -ENODEV;
	}
	err = hook_look(ifindex, root_id(s), &h);
	if (err) {
		report("%s: cannot see which XDP program is attached: %s%s", dev,
		       strerror(-err), privilege(err));
		return err;
	}
	err = check_hook(dev, &h, o);
	if (err < 0)
		return err;

	devices_forget_gone(s);
	if (!devices_count(s))
		namespace_note(s);
	d = devices_enter(s, dev, ifindex);
	if (!d)
		return -ENODEV;
	err = forwarding_on(s);
	if (err) {
		if (!h.entry)
			undo(s, d);
		return err;
	}
	if (h.entry)
		return attach_filters(s, d) || finish(s, d, o) ? -EINVAL : 0;
	if (attach_filters(s, d) || attach_entry(s, d, o, h.is_dispatcher) ||
	    finish(s, d, o)) {
		undo(s, d);
		return -EINVAL;
	}
	return 0;
}

int detach_device(struct state *s, const struct lb_device *dev)
{
	struct lb_device *d = devices_find(s, dev->ifindex);
	char name[IF_NAMESIZE];
	struct hook h;
	int err = 0;

	if (!d)
		return 0;
	if (if_indextoname(d->ifindex, name)) {
		err = hook_look(d->ifindex, root_id(s), &h);
		if (!err && h.entry)
			err = detach_entry(s, d, &h);
		if (!err)
			err = tc_detach(d->ifindex, d->flags & LB_DEVICE_F_CLSACT);
	}
	if (err) {
		report("%s: cannot detach: %s%s", d->name, strerror(-err),
		       privilege(err));
		return err;
	}
	forget(s, d);
	return 0;
}
