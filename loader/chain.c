// SPDX-License-Identifier: GPL-2.0-only
/*
 * chain.c - `lbctl chain attach` and `detach`.
 */
#include "chain.h"

#include <bpf/libbpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "number.h"
#include "report.h"

struct attach_words {
	struct attach_options options;
	__u32 flows;
};

enum outcome attach_mode_parse(const char *word, enum lb_attach_mode *ret)
{
	static const char *const modes[] = { "native", "skb" };
	char miss[MISS_TEXT_SIZE];

	if (!strcmp(word, "native")) {
		*ret = LB_MODE_NATIVE;
	} else if (!strcmp(word, "skb")) {
		*ret = LB_MODE_SKB;
	} else {
		report("mode '%s': not native or skb%s", word,
		       did_you_mean(word, modes, 2, miss));
		return USAGE;
	}
	return DONE;
}

static enum outcome take_mode(void *to, const char *value)
{
	return attach_mode_parse(value, &((struct attach_words *)to)->options.mode);
}

static enum outcome take_priority(void *to, const char *value)
{
	struct attach_words *a = to;
	unsigned long priority;

	if (!number_parse(value, 0, 65535, &priority)) {
		report("priority '%s': not a number from 0 to 65535", value);
		return USAGE;
	}
	a->options.priority = priority;
	return DONE;
}

static enum outcome take_require(void *to, const char *value)
{
	struct attach_words *a = to;

	if (strcmp(value, "dispatcher")) {
		report("require '%s': only 'require dispatcher' is known", value);
		return USAGE;
	}
	a->options.require_dispatcher = true;
	return DONE;
}

static enum outcome take_flows(void *to, const char *value)
{
	struct attach_words *a = to;
	unsigned long flows;

	if (!number_parse(value, CHAIN_FLOWS_MIN, CHAIN_FLOWS_MAX, &flows)) {
		report("flows '%s': not a number from %u to %u", value, CHAIN_FLOWS_MIN,
		       CHAIN_FLOWS_MAX);
		return USAGE;
	}
	a->flows = flows;
	return DONE;
}

static const struct option_word attach_options[] = {
	{ "mode", "native or skb", take_mode },
	{ "priority", "a number", take_priority },
	{ "require", "dispatcher", take_require },
	{ "flows", "how many per address family", take_flows },
};

#define N_ATTACH_OPTIONS (sizeof(attach_options) / sizeof(attach_options[0]))

static bool is_attach_option(const char *word)
{
	size_t i;

	for (i = 0; i < N_ATTACH_OPTIONS; i++)
		if (!strcmp(word, attach_options[i].word))
			return true;
	return false;
}

static enum outcome check_name(const char *name)
{
	if (*name && strlen(name) < IFNAMSIZ)
		return DONE;
	report("'%s': not a name of an interface", name);
	return USAGE;
}

static enum outcome add_wish(struct change *c, const char *name)
{
	size_t i;

	if (check_name(name))
		return USAGE;
	for (i = 0; i < c->n_attach; i++)
		if (!strcmp(c->attach[i].name, name))
			break;
	if (i < c->n_attach) {
		report("%s is given twice", name);
		return USAGE;
	}
	if (i == LB_MAX_DEVICES) {
		report("%s: the chain can be on %d interfaces at most", name,
		       LB_MAX_DEVICES);
		return REFUSED;
	}
	c->attach[c->n_attach++].name = name;
	/* The last word counts. */
	for (i = c->n_detach; i--;)
		if (!strcmp(c->detach[i], name))
			c->detach[i] = c->detach[--c->n_detach];
	return DONE;
}

enum outcome chain_attach(struct change *c, struct words *w)
{
	struct attach_words a = {
		.options = { .mode = LB_MODE_NATIVE, .priority = CHAIN_PRIORITY },
	};
	size_t first = c->n_attach, i;
	enum outcome outcome;

	while (w->at < w->n && !is_attach_option(w->word[w->at])) {
		outcome = add_wish(c, words_next(w));
		if (outcome)
			return outcome;
	}
	if (c->n_attach == first) {
		report("the interface is missing, as in 'lbctl chain attach eth0'");
		return USAGE;
	}

	outcome = options_parse(w, attach_options, N_ATTACH_OPTIONS, &a);
	if (outcome)
		return outcome;
	for (i = first; i < c->n_attach; i++)
		c->attach[i].options = a.options;
	if (a.flows && c->flows && a.flows != c->flows) {
		report("flows %u: another line says %u; all interfaces share one table",
		       a.flows, c->flows);
		return REFUSED;
	}
	if (a.flows)
		c->flows = a.flows;
	return DONE;
}

enum outcome chain_detach(struct change *c, struct words *w)
{
	const char *name = words_want(w, "the interface, or 'all',");

	if (!name)
		return USAGE;
	if (!strcmp(name, "all")) {
		c->detach_all = true;
		c->n_attach = 0;
		return words_end(w);
	}

	for (; name; name = words_next(w)) {
		if (check_name(name))
			return USAGE;
		if (c->n_detach == LB_MAX_DEVICES) {
			report("%s: one interface too many", name);
			return USAGE;
		}
		c->detach[c->n_detach++] = name;
	}
	return DONE;
}

bool instance_exists(const struct state_options *where)
{
	char dir[sizeof(((struct state *)0)->dir)];

	if (where->pin_dir)
		return !access(where->pin_dir, F_OK);
	snprintf(dir, sizeof(dir), "/sys/fs/bpf/switchyard/%s",
		 where->instance ? where->instance : "default");
	return !access(dir, F_OK);
}

const struct lb_device *device_find(const struct state *s, const char *name)
{
	unsigned int ifindex = if_nametoindex(name);
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &s->devices[i];

		if (!device_is_attached(dev))
			continue;
		if (ifindex ? dev->ifindex == ifindex : !strcmp(dev->name, name))
			return dev;
	}
	return NULL;
}

__u32 device_program(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (!ifindex || bpf_xdp_query(ifindex, 0, &query))
		return 0;
	return query.prog_id ? query.prog_id : query.skb_prog_id;
}

/* Behind the dispatcher, the program on the interface is the dispatcher. */
bool device_has_chain(const struct lb_device *dev)
{
	__u32 program = device_program(dev->ifindex);

	return dev->how == LB_HOW_ALONE ? program == dev->program : program != 0;
}

static __u32 round_up(__u32 flows)
{
	__u32 rounded = CHAIN_FLOWS_MIN;

	while (rounded < flows)
		rounded *= 2;
	return rounded;
}

static bool is_same(const struct lb_device *dev, const char *name)
{
	unsigned int ifindex = if_nametoindex(name);

	return ifindex ? dev->ifindex == ifindex : !strcmp(dev->name, name);
}

/* To be detached: also the interface that is gone, if there is another of its name. */
static bool is_meant(const struct lb_device *dev, const char *name)
{
	char now[IF_NAMESIZE];

	return is_same(dev, name) ||
	       (!strcmp(dev->name, name) && !if_indextoname(dev->ifindex, now));
}

static bool is_attached(const struct state *s, const char *name)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++)
		if (device_is_attached(&s->devices[i]) && is_meant(&s->devices[i], name))
			return true;
	return false;
}

enum outcome chain_check(const struct change *c)
{
	size_t i;

	if (c->flows && round_up(c->flows) != c->state->config->flows) {
		report("flows %u: the table was made for %u; 'lbctl save', 'lbctl clear' and "
		       "'lbctl apply' make a new one",
		       c->flows, c->state->config->flows);
		return REFUSED;
	}

	for (i = 0; i < c->n_detach; i++) {
		if (is_attached(c->state, c->detach[i]))
			continue;
		report("%s: the chain is not attached there (see 'lbctl chain show')",
		       c->detach[i]);
		return REFUSED;
	}
	return DONE;
}

bool detach_wanted(const struct change *c, const struct lb_device *dev)
{
	size_t i;

	for (i = 0; i < c->n_detach; i++)
		if (is_meant(dev, c->detach[i]))
			return true;
	for (i = 0; i < c->n_attach; i++)
		if (is_same(dev, c->attach[i].name))
			return false;
	return c->detach_all || (c->is_whole && c->n_attach);
}

const char *attach_mode_name(__u32 mode)
{
	return mode == LB_MODE_SKB ? "skb" : "native";
}
