// SPDX-License-Identifier: GPL-2.0-only
/*
 * save.c - `lbctl save`: the commands that make the current state.
 *
 * Sorted, one a line, what is at its default left out: so a saved file can be compared,
 * searched and kept in version control, and applying it changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "chain.h"
#include "devices.h"
#include "diff.h"
#include "param.h"
#include "report.h"
#include "rules.h"
#include "script.h"
#include "settings.h"

static int compare_device(const void *a, const void *b)
{
	const struct lb_device *x = a, *y = b;

	return strncmp(x->name, y->name, sizeof(x->name));
}

static void save_devices(const struct state *s)
{
	struct lb_device devices[LB_MAX_DEVICES];
	char name[IF_NAMESIZE];
	int i, n = 0;

	for (i = 0; i < LB_MAX_DEVICES; i++)
		if (device_is_attached(&s->devices[i])) {
			devices[n] = s->devices[i];
			snprintf(devices[n].name, sizeof(devices[n].name), "%s",
				 device_name(s, &s->devices[i], name));
			n++;
		}
	qsort(devices, n, sizeof(devices[0]), compare_device);

	for (i = 0; i < n; i++) {
		printf("chain attach %s", devices[i].name);
		if (devices[i].mode != LB_MODE_NATIVE)
			printf(" mode %s", attach_mode_name(devices[i].mode));
		if (devices[i].priority != CHAIN_PRIORITY)
			printf(" priority %u", devices[i].priority);
		if (s->config->flows != CHAIN_FLOWS)
			printf(" flows %u", s->config->flows);
		putchar('\n');
	}
}

static void save_comment(const char *comment)
{
	char *quoted;

	if (!comment[0])
		return;
	quoted = script_quote(comment);
	if (quoted)
		printf(" comment %s", quoted);
	free(quoted);
}

static void save_service(const struct model *m, const struct model_service *s)
{
	char text[ENDPOINT_TEXT_SIZE], value[SETTING_TEXT_SIZE];
	int i;

	printf("service add %s forward %s", service_text(s, text),
	       forward_name(s->forward));
	if (s->policy >= 0)
		printf(" policy %s", policy_name(m, s->policy));
	for (i = 0; i < N_SETTINGS; i++)
		if (setting_is_set(&settings[i], s, value))
			printf(" %s %s", settings[i].keyword, value);
	save_comment(s->comment);
	putchar('\n');
}

static void save_backend(const struct model_service *s, const struct model_backend *b)
{
	char service[ENDPOINT_TEXT_SIZE], backend[ENDPOINT_TEXT_SIZE];

	printf("backend add %s %s", service_text(s, service),
	       backend_format(&b->address, b->port, backend));
	if (b->weight != 1)
		printf(" weight %u", b->weight);
	if (b->state != LB_BACKEND_ACTIVE)
		printf(" state %s", backend_state_name(b->state));
	if (b->priority)
		printf(" priority %u", b->priority);
	if (b->max_flows)
		printf(" max-flows %u", b->max_flows);
	putchar('\n');
}

static void save_rule(const struct model_service *s, const struct model_rule *r)
{
	char service[ENDPOINT_TEXT_SIZE], rule[RULE_TEXT_SIZE];

	printf("policy param match rule \"%s\" service %s\n", rule_format(r, rule),
	       service_text(s, service));
}

static void save_loaded(const struct lb_policy_info *info)
{
	char *path = script_quote(info->path);

	if (path)
		printf("policy load %s%s%s%s\n", path, info->renamed ? " name " : "",
		       info->renamed ? info->meta.name : "",
		       info->gate == LB_GATE_FORCED ? " force" : "");
	free(path);
}

static int compare_name(const void *a, const void *b)
{
	const struct lb_policy_info *const *x = a, *const *y = b;

	return strcmp((*x)->meta.name, (*y)->meta.name);
}

/* Those that are not shipped, by name. */
static void save_policies(const struct model *m)
{
	const struct lb_policy_info *infos[LB_MAX_POLICIES];
	size_t i, n = 0;

	for (i = 0; i < LB_MAX_POLICIES; i++)
		if (m->policies[i].used && m->policies[i].info.path[0])
			infos[n++] = &m->policies[i].info;
	qsort(infos, n, sizeof(infos[0]), compare_name);
	for (i = 0; i < n; i++)
		save_loaded(infos[i]);
}

static void save_model(const struct model *m)
{
	size_t i, j;

	save_policies(m);
	if (strcmp(policy_name(m, m->default_policy), MODEL_POLICY))
		printf("policy set %s\n", policy_name(m, m->default_policy));
	param_save(m);

	for (i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];

		save_service(m, s);
		for (j = 0; j < s->n_backends; j++)
			save_backend(s, &s->backends[j]);
		for (j = 0; j < s->n_rules; j++)
			save_rule(s, &s->rules[j]);
		param_save_service(m, s);
	}
}

enum outcome save_run(const struct lbctl *l, struct words *w)
{
	enum outcome outcome = words_end(w);
	struct state state;
	struct model m;

	if (outcome)
		return outcome;
	if (l->json) {
		report("save prints commands; for JSON see 'lbctl -j'");
		return USAGE;
	}
	if (state_open(&state, &l->where, STATE_READ))
		return REFUSED;

	if (state_read(&state, &m)) {
		report("%s: cannot read the state", state.dir);
		outcome = REFUSED;
	} else {
		save_devices(&state);
		save_model(&m);
		model_free(&m);
	}
	state_close(&state);
	return outcome;
}
