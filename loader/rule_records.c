// SPDX-License-Identifier: GPL-2.0-only
/*
 * rule_records.c - the rules of policy match in the kernel.
 *
 * A service's rules are one value of a hash map without preallocation: replaced whole, so
 * that a packet meets the old ones or the new.  They name backends by id: a backend that a
 * rule names is not removed (backend.c), and an id is not given away before a grace period.
 *
 * Few services have rules: whose are there is asked once, instead of each service for its own.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rules.h"

static struct lb_match_rule make_record(const struct model_service *service,
					const struct model_rule *r)
{
	const struct model_backend *b = model_find_backend(service, &r->address, r->port);
	struct lb_match_rule record = {
		.low = r->low,
		.high = r->high,
		.offset = r->offset,
		.n_bytes = r->n_bytes,
		.backend = b ? b->id : LB_NO_BACKEND,
	};

	memcpy(record.word, r->bytes, r->n_bytes);
	return record;
}

int rules_list(const struct state *s, bool ret_has[LB_MAX_SERVICES])
{
	__u32 id, next, *last = NULL;
	size_t i;

	memset(ret_has, 0, LB_MAX_SERVICES * sizeof(*ret_has));
	/* Readers hold no lock: keys that come and go must not keep them here. */
	for (i = 0; i < 2 * LB_MAX_SERVICES; i++) {
		if (bpf_map_get_next_key(s->match_rules_fd, last, &next))
			return errno == ENOENT ? 0 : -errno;
		id = next;
		last = &id;
		if (id < LB_MAX_SERVICES)
			ret_has[id] = true;
	}
	return 0;
}

int rules_write(const struct state *s, const struct model_service *service, bool has)
{
	struct lb_match_rules new = { .n = service->n_rules }, old;
	__u32 id = service->id;
	bool exists;
	size_t i;

	if (!has && !service->n_rules)
		return 0;
	exists = !bpf_map_lookup_elem(s->match_rules_fd, &id, &old);
	if (!service->n_rules) {
		if (exists && bpf_map_delete_elem(s->match_rules_fd, &id))
			return -errno;
		return 0;
	}
	for (i = 0; i < service->n_rules; i++)
		new.rule[i] = make_record(service, &service->rules[i]);
	if (exists && !memcmp(&old, &new, sizeof(new)))
		return 0;
	return bpf_map_update_elem(s->match_rules_fd, &id, &new, 0) ? -errno : 0;
}

/* False if its backend is not there: it went while we read. */
static bool read_record(const struct model_service *service,
			const struct lb_match_rule *record, struct model_rule *ret)
{
	size_t i;

	for (i = 0; i < service->n_backends; i++)
		if (service->backends[i].id == record->backend)
			break;
	if (i == service->n_backends || record->n_bytes > LB_MATCH_BYTES)
		return false;

	*ret = (struct model_rule){
		.low = record->low,
		.high = record->high,
		.offset = record->offset,
		.n_bytes = record->n_bytes,
		.address = service->backends[i].address,
		.port = service->backends[i].port,
	};
	memcpy(ret->bytes, record->word, record->n_bytes);
	return true;
}

int rules_read(const struct state *s, struct model *m)
{
	struct lb_match_rules rules;
	bool has[LB_MAX_SERVICES];
	int err = rules_list(s, has);
	size_t i;
	__u32 j;

	for (i = 0; i < m->n_services && !err; i++) {
		struct model_service *service = &m->services[i];
		__u32 id = service->id;

		if (!has[id] || bpf_map_lookup_elem(s->match_rules_fd, &id, &rules))
			continue;
		for (j = 0; j < rules.n && j < LB_MATCH_RULES; j++) {
			struct model_rule rule;

			if (read_record(service, &rules.rule[j], &rule) &&
			    !model_add_rule(service, &rule))
				return -ENOMEM;
		}
	}
	return err;
}

int rules_tidy(const struct state *s)
{
	__u32 id, next, *last = NULL;

	while (!bpf_map_get_next_key(s->match_rules_fd, last, &next)) {
		id = next;
		last = &id;
		if (id < LB_MAX_SERVICES && s->services[id].state)
			continue;
		if (bpf_map_delete_elem(s->match_rules_fd, &id))
			return -errno;
		last = NULL; /* from the start: what follows a key that is gone is that */
	}
	return 0;
}
