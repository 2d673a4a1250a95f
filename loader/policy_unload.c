// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_unload.c - `lbctl policy unload`: a policy that nobody needs any more goes.
 *
 * Whoever could still choose by it keeps it: a service, the default, rules, and a table of
 * before where flows that are lost are looked for.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "command.h"
#include "diff.h"
#include "generation.h"
#include "names.h"
#include "number.h"
#include "pins.h"
#include "rcu.h"
#include "report.h"
#include "rules.h"
#include "tunables.h"

/* What is to go, and what was found out about it. */
struct unload {
	struct state *state;
	const struct model *model;
	struct generations generations;
	const char *name;
	__u32 slot;
	bool was[LB_MAX_SERVICES]; /* by id: it made the service's previous table */
};

static enum outcome refuse_user(const struct unload *u, const struct model_service *s)
{
	char service[ENDPOINT_TEXT_SIZE];

	report("policy '%s': %s uses it; 'lbctl policy set NAME service %s' gives it "
	       "another one",
	       u->name, service_text(s, service), service);
	return REFUSED;
}

static enum outcome refuse_rules(const struct unload *u, const struct model_service *s)
{
	char service[ENDPOINT_TEXT_SIZE];

	report("policy '%s': %s has rules for it; 'lbctl policy param %s rule none service "
	       "%s' takes them away",
	       u->name, service_text(s, service), u->name, service);
	return REFUSED;
}

static enum outcome refuse_previous(const struct unload *u, const struct model_service *s,
				    __u64 left_ms)
{
	char service[ENDPOINT_TEXT_SIZE], left[NUMBER_TEXT_SIZE];

	report("policy '%s': finds lost flows of %s for %s more; wait, or 'lbctl service "
	       "set %s grace 0'",
	       u->name, service_text(s, service),
	       age_format((left_ms + 999) / 1000, left), service);
	return REFUSED;
}

static enum outcome check_service(struct unload *u, const struct model_service *s)
{
	bool has_rules = s->n_rules && !strcmp(u->name, RULES_POLICY);
	struct generation g;

	if (s->policy == (int)u->slot)
		return refuse_user(u, s);
	if (has_rules)
		return refuse_rules(u, s);

	g = generation_of(&u->generations, s->id);
	u->was[s->id] = g.previous.generation && g.previous.policy == u->slot;
	if (u->was[s->id] && g.left_ms && g.previous.promises & LB_PROMISE_CONSISTENT)
		return refuse_previous(u, s, g.left_ms);
	return DONE;
}

static enum outcome check(struct unload *u)
{
	enum outcome outcome = DONE;
	size_t i;

	if (u->model->default_policy == (int)u->slot) {
		report("policy '%s': is the default; 'lbctl policy set NAME' makes another "
		       "one it",
		       u->name);
		return REFUSED;
	}
	for (i = 0; i < u->model->n_services && !outcome; i++)
		outcome = check_service(u, &u->model->services[i]);
	return outcome;
}

static int clear_count(const struct state *s, __u32 slot)
{
	struct lb_policy_count zeros[libbpf_num_possible_cpus()];
	int fd = pins_get(s, PIN_MAPS, "lb_policy_counts"), err;

	if (fd < 0)
		return fd;
	memset(zeros, 0, sizeof(zeros));
	err = bpf_map_update_elem(fd, &slot, zeros, 0) ? -errno : 0;
	close(fd);
	return err;
}

static int take_program(const struct state *s, __u32 slot)
{
	int fd = pins_get(s, PIN_MAPS, "lb_policies"), err = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_delete_elem(fd, &slot) && errno != ENOENT)
		err = -errno;
	close(fd);
	return err;
}

/*
 * Tables first: the slot may be given to another policy, for which they were not made.
 * Killed in between, it is there still, or its slot is free with a program in it, which
 * the next one replaces.
 */
static int remove_policy(struct unload *u)
{
	struct lb_policy_info *info = &u->state->policies[u->slot];
	int err = 0;
	__u32 id;

	for (id = 0; id < LB_MAX_SERVICES && !err; id++)
		if (u->was[id])
			err = generation_forget(&u->generations, id);
	if (err)
		return err;
	rcu_wait();
	__atomic_store_n(&info->meta.magic, 0, __ATOMIC_RELEASE);
	err = take_program(u->state, u->slot);
	if (!err)
		err = clear_count(u->state, u->slot);
	memset(info, 0, sizeof(*info));
	tunables_forget(u->state, u->slot);
	return err;
}

static enum outcome unload(struct state *state, const struct model *m, const char *name)
{
	struct unload u = { .state = state, .model = m, .name = name };
	enum outcome outcome;
	char line[128];
	int slot, err;

	outcome = find_policy(name, m, &slot);
	if (outcome)
		return outcome;
	u.slot = slot;
	generations_open(state, &u.generations);
	outcome = check(&u);
	err = outcome ? 0 : remove_policy(&u);
	if (err) {
		report("policy '%s': cannot be unloaded: %s", name, strerror(-err));
		return REFUSED;
	}
	if (outcome)
		return outcome;
	snprintf(line, sizeof(line), "policy unload %s: slot %u", name, u.slot);
	diff_log(line);
	return DONE;
}

enum outcome policy_unload(const struct lbctl *l, struct words *w)
{
	const char *name = words_want(w, "the policy's name");
	enum outcome outcome = name ? words_end(w) : USAGE;
	struct state state;
	struct model m;

	if (outcome)
		return outcome;
	if (state_open(&state, &l->where, STATE_WRITE))
		return REFUSED;
	if (state_read(&state, &m)) {
		report("%s: cannot read the state", state.dir);
		outcome = REFUSED;
	} else {
		outcome = unload(&state, &m, name);
		model_free(&m);
	}
	state_close(&state);
	return outcome;
}
