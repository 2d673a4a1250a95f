// SPDX-License-Identifier: GPL-2.0-only
/*
 * made_prefixes.c - the tries of services that have more than one address or port.
 *
 * A trie gives the longest prefix that an address is in, and nothing of the shorter ones
 * around it; so each prefix has the port ranges of those, too.  An entry is replaced by one
 * write, so a change is: enter and replace, then remove what nobody wants.
 */
#include "made.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "report.h"

/* ---- what there shall be ------------------------------------------------------------- */

static int compare_places(const void *a, const void *b)
{
	const struct model_service *x = *(const struct model_service *const *)a,
				   *y = *(const struct model_service *const *)b;
	int order = address_compare(&x->address, &y->address);

	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	return order ? order : (int)x->prefix - (int)y->prefix;
}

/* The most specific first. */
static int compare_ranges(const void *a, const void *b)
{
	const struct model_service *x = *(const struct model_service *const *)a,
				   *y = *(const struct model_service *const *)b;
	int order = (int)y->prefix - (int)x->prefix;

	if (!order)
		order = (x->port_last - x->port) - (y->port_last - y->port);
	return order ? order : (int)x->port - (int)y->port;
}

static bool is_around(const struct model_service *outer,
		      const struct model_service *inner)
{
	return outer->protocol == inner->protocol &&
	       outer->address.family == inner->address.family &&
	       address_in_network(&inner->address, &outer->address, outer->prefix);
}

/* The services around the last one, nested, which it is one of. */
struct nest {
	const struct model_service *service[LB_PREFIX_RANGES];
	size_t n;
};

static int nest_enter(struct nest *nest, const struct model_service *s)
{
	char text[ENDPOINT_TEXT_SIZE];

	while (nest->n && !is_around(nest->service[nest->n - 1], s))
		nest->n--;
	if (nest->n == LB_PREFIX_RANGES) {
		report("service '%s': more than %d services with ranges of ports or "
		       "addresses are around it",
		       service_text(s, text), LB_PREFIX_RANGES);
		return -ENOSPC;
	}
	nest->service[nest->n++] = s;
	return 0;
}

static void make_entry(const struct nest *nest, struct prefix_entry *ret)
{
	const struct model_service *s = nest->service[nest->n - 1],
				   *order[LB_PREFIX_RANGES];
	size_t i;

	memset(ret, 0, sizeof(*ret));
	ret->family = s->address.family;
	ret->key.v6.length = LB_PREFIX_BITS(s->prefix);
	ret->key.v6.protocol = s->protocol;
	memcpy(ret->key.v6.address, s->address.word, ret->family == 4 ? 4 : 16);

	memcpy(order, nest->service, sizeof(order));
	qsort(order, nest->n, sizeof(*order), compare_ranges);
	ret->value.n = nest->n;
	for (i = 0; i < nest->n; i++)
		ret->value.range[i] = (struct lb_range){
			.low = order[i]->port,
			.high = order[i]->port_last,
			.service = service_ref(order[i]),
		};
}

static int compare_entries(const void *a, const void *b)
{
	const struct prefix_entry *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int make_entries(const struct model_service **wide, size_t n,
			struct prefix_set *ret)
{
	struct nest nest = {};
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		err = nest_enter(&nest, wide[i]);
		if (err)
			return err;
		/* The last one of a prefix has the others of it around itself. */
		if (i + 1 == n || compare_places(&wide[i], &wide[i + 1]))
			make_entry(&nest, &ret->entries[ret->n++]);
	}
	qsort(ret->entries, ret->n, sizeof(*ret->entries), compare_entries);
	return 0;
}

int prefix_set_make(const struct model *m, struct prefix_set *ret)
{
	const struct model_service **wide = calloc(m->n_services + 1, sizeof(*wide));
	size_t i, n = 0;
	int err = -ENOMEM;

	*ret = (struct prefix_set){};
	for (i = 0; wide && i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];

		if (!model_is_exact(s))
			wide[n++] = s;
		if (!model_is_exact(s) ||
		    (s->per_packet && LB_FORWARD_IS_NAT(s->forward)))
			ret->is_wide = true;
	}
	ret->entries = calloc(n + 1, sizeof(*ret->entries));
	if (wide && ret->entries) {
		qsort(wide, n, sizeof(*wide), compare_places);
		err = make_entries(wide, n, ret);
	} else {
		report("out of memory");
	}
	free(wide);
	if (err)
		prefix_set_free(ret);
	return err;
}

void prefix_set_free(struct prefix_set *set)
{
	free(set->entries);
	set->entries = NULL;
	set->n = 0;
}

/* ---- what there is --------------------------------------------------------------------- */

static int fd_of(const struct state *s, __u8 family)
{
	return family == 4 ? s->prefixes4_fd : s->prefixes6_fd;
}

static int read_family(const struct state *s, __u8 family, struct prefix_set *ret)
{
	int fd = fd_of(s, family);
	struct prefix_entry e = { .family = family };
	const void *last = NULL;

	for (; ret->n < 2 * LB_MAX_PREFIXES; ret->n++) {
		if (bpf_map_get_next_key(fd, last, &e.key))
			return errno == ENOENT ? 0 : -errno;
		if (bpf_map_lookup_elem(fd, &e.key, &e.value))
			return -errno;
		ret->entries[ret->n] = e;
		last = &ret->entries[ret->n].key;
	}
	return 0;
}

static int read_tries(const struct state *s, struct prefix_set *ret)
{
	int err;

	ret->n = 0;
	ret->entries = calloc(2 * LB_MAX_PREFIXES, sizeof(*ret->entries));
	if (!ret->entries)
		return -ENOMEM;
	err = read_family(s, 4, ret);
	if (!err)
		err = read_family(s, 6, ret);
	if (err)
		prefix_set_free(ret);
	else
		qsort(ret->entries, ret->n, sizeof(*ret->entries), compare_entries);
	return err;
}

static const struct prefix_entry *find(const struct prefix_set *set,
				       const struct prefix_entry *e)
{
	return bsearch(e, set->entries, set->n, sizeof(*e), compare_entries);
}

static void switch_wide(struct state *s, __u32 on)
{
	if (s->switches->wide != on)
		__atomic_store_n(&s->switches->wide, on, __ATOMIC_RELEASE);
}

void prefix_set_prepare(struct state *s, const struct prefix_set *set)
{
	if (set->is_wide)
		switch_wide(s, 1);
}

int prefix_set_publish(struct state *s, const struct prefix_set *set)
{
	struct prefix_set now;
	int err = read_tries(s, &now);
	size_t i;

	for (i = 0; i < set->n && !err; i++) {
		const struct prefix_entry *e = &set->entries[i], *old = find(&now, e);

		if (old && !memcmp(&old->value, &e->value, sizeof(e->value)))
			continue;
		if (bpf_map_update_elem(fd_of(s, e->family), &e->key, &e->value, 0))
			err = -errno;
	}
	prefix_set_free(&now);
	return err;
}

int prefix_set_finish(struct state *s, const struct prefix_set *set)
{
	struct prefix_set now;
	int err = read_tries(s, &now);
	size_t i;

	for (i = 0; i < now.n && !err; i++)
		if (!find(set, &now.entries[i]) &&
		    bpf_map_delete_elem(fd_of(s, now.entries[i].family),
					&now.entries[i].key))
			err = -errno;
	prefix_set_free(&now);
	if (!err && !set->is_wide)
		switch_wide(s, 0);
	return err;
}
