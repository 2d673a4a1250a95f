// SPDX-License-Identifier: GPL-2.0-only
/*
 * names.c - what a user's word names in a model, or one line that says why nothing.
 */
#include "names.h"

#include <stdio.h>
#include <string.h>

#include "report.h"

enum outcome name_service(struct words *w, struct service_name *ret)
{
	const char *word = words_want(w, "the service"), *wrong;
	char meant[ENDPOINT_TEXT_SIZE];

	if (!word)
		return USAGE;

	wrong = service_parse(word, ret);
	if (!wrong)
		return DONE;
	if (ret->address.family)
		report("service '%s': %s; did you mean '%s'?", word, wrong,
		       service_format(ret, meant));
	else
		report("service '%s': %s", word, wrong);
	return USAGE;
}

enum outcome find_service(struct words *w, const struct model *m,
			  struct model_service **ret)
{
	struct service_name name;
	enum outcome outcome;
	char text[ENDPOINT_TEXT_SIZE];

	outcome = name_service(w, &name);
	if (outcome)
		return outcome;

	*ret = model_find_service(m, &name);
	if (*ret)
		return DONE;
	report("service '%s': no such service (see 'lbctl service show')",
	       service_format(&name, text));
	return REFUSED;
}

enum outcome find_service_or_all(struct words *w, const struct model *m,
				 struct model_service **ret_service)
{
	*ret_service = NULL;
	if (w->at == w->n)
		return DONE;
	return find_service(w, m, ret_service);
}

enum outcome name_backend(struct words *w, struct address *ret, __u16 *ret_port)
{
	const char *word = words_want(w, "the backend"), *wrong;

	if (!word)
		return USAGE;

	wrong = backend_parse(word, ret, ret_port);
	if (!wrong)
		return DONE;
	report("backend '%s': %s", word, wrong);
	return USAGE;
}

enum outcome find_policy(const char *name, const struct model *m, int *ret_slot)
{
	const char *names[LB_MAX_POLICIES];
	char list[512] = "", miss[MISS_TEXT_SIZE];
	size_t n = 0, used = 0;
	int i;

	*ret_slot = model_find_policy(m, name);
	if (*ret_slot >= 0)
		return DONE;

	for (i = 0; i < LB_MAX_POLICIES; i++) {
		int more;

		if (!m->policies[i].used)
			continue;
		names[n] = m->policies[i].info.meta.name;
		more = snprintf(list + used, sizeof(list) - used, "%s%s", n ? ", " : "",
				names[n]);
		if ((size_t)more < sizeof(list) - used)
			used += more;
		n++;
	}
	report("policy '%s': no such policy; there are %s%s", name, list,
	       did_you_mean(name, names, n, miss));
	return REFUSED;
}
