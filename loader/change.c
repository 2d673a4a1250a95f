// SPDX-License-Identifier: GPL-2.0-only
/*
 * change.c - one or many commands become one change of the kernel's state, or none.
 *
 * First every line is read and works on a model; only if all of them are good is the
 * difference made real: interfaces are attached, then the model is committed, then
 * interfaces are detached.  What was attached is detached again if something fails, so
 * an error leaves everything as it was.
 */
#include "change.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "check.h"
#include "devices.h"
#include "diff.h"
#include "names.h"
#include "report.h"
#include "uppers.h"
#include "rules.h"
#include "address.h"

static enum outcome find_commands(struct script *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		struct script_line *line = &s->lines[i];

		if (line->command)
			continue;
		report_at(s->file, line->number);
		line->command = command_find(&line->words);
		if (!line->command)
			return USAGE;
		if (!line->command->edit) {
			report("'%s%s%s' cannot stand in a file: it is no change",
			       line->command->object, line->command->verb ? " " : "",
			       line->command->verb ? line->command->verb : "");
			return USAGE;
		}
	}
	report_at(NULL, 0);
	return DONE;
}

/* Have all lines of one kind work on @c. */
static enum outcome run_lines(struct change *c, struct script *s, bool is_chain)
{
	enum outcome outcome = DONE;
	size_t i;

	for (i = 0; i < s->n && !outcome; i++) {
		struct script_line *line = &s->lines[i];

		if (line->command->is_chain != is_chain)
			continue;
		report_at(s->file, line->number);
		outcome = line->command->edit(c, &line->words);
	}
	report_at(NULL, 0);
	return outcome;
}

static enum outcome check_devices(const struct change *c)
{
	size_t i;

	for (i = 0; i < c->n_attach; i++) {
		if (if_nametoindex(c->attach[i].name))
			continue;
		report("%s: no such interface (see 'ip link')", c->attach[i].name);
		return REFUSED;
	}
	return DONE;
}

enum outcome change_find_policy(struct change *c, const char *name, int *ret_slot)
{
	struct model_policy *p = c->to->policies;
	int i;

	if (!c->is_blind || strlen(name) >= LB_NAME_SIZE)
		return find_policy(name, c->to, ret_slot);

	for (i = 0; i < LB_MAX_POLICIES - 1 && p[i].used; i++)
		if (!strcmp(p[i].info.meta.name, name))
			break;
	p[i].used = true;
	strcpy(p[i].info.meta.name, name);
	*ret_slot = i;
	return DONE;
}

static enum outcome start_model(struct change *c, const struct model *from)
{
	int policy, i;

	if (!c->is_whole) {
		if (!model_copy(c->to, from))
			return DONE;
		report("out of memory");
		return REFUSED;
	}

	model_init(c->to);
	memcpy(c->to->policies, from->policies, sizeof(from->policies));
	for (i = 0; i < LB_MAX_POLICIES; i++)
		c->to->policies[i].set = 0;
	policy = model_find_policy(from, MODEL_POLICY);
	c->to->default_policy = policy < 0 ? from->default_policy : policy;
	return DONE;
}

static void undo_attach(struct change *c, const bool *is_new, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct lb_device *dev = device_find(c->state, c->attach[i].name);

		if (is_new[i] && dev)
			detach_device(c->state, dev);
	}
}

static void log_device(const char *verb, const char *name)
{
	char line[64];

	snprintf(line, sizeof(line), "chain %s %s", verb, name);
	diff_log(line);
}

static enum outcome detach_unwanted(struct change *c)
{
	enum outcome outcome = DONE;
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		struct lb_device dev = c->state->devices[i];

		if (!device_is_attached(&dev) || !detach_wanted(c, &dev))
			continue;
		if (detach_device(c->state, &dev))
			outcome = REFUSED;
		else
			log_device("detach", dev.name);
	}
	return outcome;
}

/* What is above interfaces that have the chain is a way out, too. */
static void refresh_uppers(struct change *c)
{
	int err = uppers_refresh(c->state);

	if (err)
		report_warning("ways out by VLAN devices and bridges: %s",
			       strerror(-err));
}

static enum outcome make_real(struct change *c, const struct model *from)
{
	bool is_new[LB_MAX_DEVICES] = {};
	enum outcome outcome;
	size_t i;

	for (i = 0; i < c->n_attach; i++) {
		is_new[i] = !device_find(c->state, c->attach[i].name);
		if (attach_device(c->state, c->attach[i].name, &c->attach[i].options)) {
			undo_attach(c, is_new, i);
			return REFUSED;
		}
	}
	refresh_uppers(c);
	outcome = policy_load_all(c);
	if (!outcome && state_commit(c->state, from, c->to)) {
		policy_load_undo(c, c->n_loads);
		outcome = REFUSED;
	}
	if (outcome) {
		undo_attach(c, is_new, c->n_attach);
		refresh_uppers(c);
		return REFUSED;
	}

	for (i = 0; i < c->n_attach; i++)
		if (is_new[i])
			log_device("attach", c->attach[i].name);
	model_diff(from, c->to, diff_log);
	outcome = detach_unwanted(c);
	refresh_uppers(c);
	return outcome;
}

static void print_difference(const struct change *c, const struct model *from)
{
	size_t i;

	for (i = 0; i < c->n_attach; i++)
		if (!c->state || !device_find(c->state, c->attach[i].name))
			printf("chain attach %s\n", c->attach[i].name);
	for (i = 0; i < c->n_loads; i++)
		printf("policy load %s\n", c->loads[i].path);
	model_diff(from, c->to, diff_print);
	for (i = 0; c->state && i < LB_MAX_DEVICES; i++)
		if (device_is_attached(&c->state->devices[i]) &&
		    detach_wanted(c, &c->state->devices[i]))
			printf("chain detach %s\n", c->state->devices[i].name);
}

/* On a private copy: interfaces are not its, and the log is of what is done. */
static enum outcome make_aside(struct change *c, const struct model *from)
{
	enum outcome outcome = policy_load_all(c);

	if (!outcome && state_commit(c->state, from, c->to))
		outcome = REFUSED;
	return outcome;
}

/* The instance is open, or there is none: read it, run the lines, make them real. */
static enum outcome change_model(struct change *c, struct script *s, bool dry_run)
{
	struct model from, to;
	enum outcome outcome;

	model_init(&from);
	model_init(&to);
	c->to = &to;
	if (c->is_blind) {
		from.policies[0].used = true;
		strcpy(from.policies[0].info.meta.name, MODEL_POLICY);
	}
	if (c->state && state_read(c->state, &from)) {
		report("%s: cannot read the state", c->state->dir);
		c->to = NULL;
		return REFUSED;
	}

	outcome = start_model(c, &from);
	if (!outcome)
		outcome = run_lines(c, s, false);
	if (!outcome)
		outcome = rules_check(&to);
	if (!outcome && c->is_whole) {
		outcome = whole_recognize(&to, &from);
		if (!outcome && !c->force && c->state)
			outcome = whole_check_removed(c, &from);
	}
	if (!outcome && dry_run)
		print_difference(c, &from);
	else if (!outcome)
		outcome = c->is_aside ? make_aside(c, &from) : make_real(c, &from);

	model_free(&from);
	model_free(&to);
	c->to = NULL;
	return outcome;
}

static bool has_devices(const struct state *s)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++)
		if (device_is_attached(&s->devices[i]))
			return true;
	return false;
}

static enum outcome open_and_change(struct change *c, struct script *s, bool dry_run)
{
	const struct state_options *where = &c->lbctl->where;
	bool existed = instance_exists(where);
	enum outcome outcome;
	struct state state;
	int err;

	if (dry_run && !existed) {
		c->is_blind = true;
		return change_model(c, s, true);
	}

	if (c->n_attach && !dry_run)
		err = state_create(&state, where, c->flows ? c->flows : CHAIN_FLOWS);
	else
		err = state_open(&state, where, dry_run ? STATE_READ : STATE_WRITE);
	if (err)
		return REFUSED;

	c->state = &state;
	outcome = chain_check(c);
	if (!outcome)
		outcome = change_model(c, s, dry_run);
	/* Another lbctl may have made it just before us, and attached. */
	if (outcome && !existed && !has_devices(&state))
		state_destroy(&state);
	else if (!outcome && !existed)
		state_tell_memory(&state);
	state_close(&state);
	c->state = NULL;
	return outcome;
}

enum outcome change_script(const struct lbctl *l, struct script *s,
			   const struct change_options *o)
{
	struct change c = {
		.lbctl = l,
		.is_script = s->file,
		.is_whole = o->is_whole,
		.force = o->force,
	};
	enum outcome outcome;

	outcome = find_commands(s);
	if (!outcome)
		outcome = run_lines(&c, s, true);
	if (!outcome)
		outcome = check_devices(&c);
	if (!outcome)
		outcome = open_and_change(&c, s, o->dry_run);
	if (!outcome && c.wait_ms)
		outcome = backend_wait(&c);

	report_at(NULL, 0);
	if (outcome && s->file)
		return REFUSED; /* the words of the command line were good */
	return outcome;
}

enum outcome change_aside(const struct lbctl *l, struct state *copy, struct script *s)
{
	struct change c = {
		.lbctl = l,
		.state = copy,
		.is_script = true,
		.is_whole = true,
		.force = true,
		.is_aside = true,
	};
	enum outcome outcome = find_commands(s);

	if (!outcome)
		outcome = change_model(&c, s, false);
	report_at(NULL, 0);
	return outcome ? REFUSED : DONE;
}

enum outcome change_one(const struct lbctl *l, const struct command *command,
			struct words *w)
{
	struct script_line line = { .words = *w, .command = command };
	struct script s = { .lines = &line, .n = 1 };

	return change_script(l, &s, &(struct change_options){});
}
