// SPDX-License-Identifier: GPL-2.0-only
/*
 * service.c - `lbctl service add`, `set`, `replace` and `del`.
 *
 * `add` makes a service that is not there, `set` changes what is said of one that is,
 * `replace` makes it what is said and nothing else, whether it was there or not; its
 * backends stay.
 */
#include "address.h"
#include "change.h"
#include "check.h"
#include "names.h"
#include "report.h"

static enum outcome insert_service(struct change *c, const struct model_service *s)
{
	enum outcome outcome = check_service(c->to, s);

	if (outcome)
		return outcome;
	if (c->to->n_services >= LB_MAX_SERVICES) {
		report("there are %d services already, which is the limit",
		       LB_MAX_SERVICES);
		return REFUSED;
	}
	if (!model_add_service(c->to, s)) {
		report("out of memory");
		return REFUSED;
	}
	return DONE;
}

static void name_new(struct model_service *s, const struct service_name *name)
{
	model_init_service(s);
	model_set_name(s, name);
}

enum outcome service_add(struct change *c, struct words *w)
{
	struct service_name name;
	struct model_service s;
	enum outcome outcome;
	char text[ENDPOINT_TEXT_SIZE];

	outcome = name_service(w, &name);
	if (outcome)
		return outcome;
	name_new(&s, &name);
	outcome = service_options(c, w, &s);
	if (outcome)
		return outcome;

	if (model_find_service(c->to, &name)) {
		report("service '%s' is there already; change it with 'service set'",
		       service_format(&name, text));
		return REFUSED;
	}
	return insert_service(c, &s);
}

/* @new stands where @old was. */
static enum outcome check_changed(const struct change *c, const struct model_service *old,
				  const struct model_service *new)
{
	enum outcome outcome = old->id < 0 ? DONE : check_change(old, new);

	return outcome ? outcome : check_service(c->to, new);
}

enum outcome service_set(struct change *c, struct words *w)
{
	struct model_service *s, old;
	enum outcome outcome;

	outcome = find_service(w, c->to, &s);
	if (outcome)
		return outcome;
	if (w->at == w->n) {
		report("service set: what to set is missing (see 'lbctl -h')");
		return USAGE;
	}
	old = *s;
	outcome = service_options(c, w, s);
	return outcome ? outcome : check_changed(c, &old, s);
}

enum outcome service_replace(struct change *c, struct words *w)
{
	struct service_name name;
	struct model_service s, was, *old;
	enum outcome outcome;

	outcome = name_service(w, &name);
	if (outcome)
		return outcome;
	name_new(&s, &name);
	outcome = service_options(c, w, &s);
	if (outcome)
		return outcome;

	old = model_find_service(c->to, &name);
	if (!old)
		return insert_service(c, &s);

	model_take_rest(&s, old);
	was = *old;
	*old = s;
	return check_changed(c, &was, old);
}

enum outcome service_del(struct change *c, struct words *w)
{
	struct model_service *s;
	enum outcome outcome;

	outcome = find_service(w, c->to, &s);
	if (outcome)
		return outcome;
	words_take(w, "force");
	outcome = words_end(w);
	if (outcome)
		return outcome;

	model_del_service(c->to, s);
	return DONE;
}
