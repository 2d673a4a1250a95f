// SPDX-License-Identifier: GPL-2.0-only
/*
 * model.c - the one tree that is the kernel's state, a parsed file and a wish.
 *
 * Services and backends are sorted arrays: found by bisection, saved in order as they
 * are, and a file that was saved is read back by appending.
 */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
}

void model_init_service(struct model_service *s)
{
	memset(s, 0, sizeof(*s));
	s->id = -1;
	s->forward = LB_FORWARD_FULLNAT;
	s->policy = -1;
	s->port_low = MODEL_PORT_LOW;
	s->port_high = MODEL_PORT_HIGH;
	s->grace_ms = MODEL_GRACE_MS;
}

void model_set_name(struct model_service *s, const struct service_name *name)
{
	s->address = name->address;
	s->prefix = name->prefix;
	s->port = name->port;
	s->port_last = name->port_last;
	s->protocol = name->protocol;
}

struct service_name model_name(const struct model_service *s)
{
	return (struct service_name){
		.address = s->address,
		.prefix = s->prefix,
		.port = s->port,
		.port_last = s->port_last,
		.protocol = s->protocol,
	};
}

bool model_is_exact(const struct model_service *s)
{
	return s->port == s->port_last &&
	       s->prefix == (s->address.family == 4 ? 32 : 128);
}

__u16 model_backend_port(const struct model_service *s, __u16 said)
{
	return said || s->port != s->port_last ? said : s->port;
}

void model_init_backend(struct model_backend *b)
{
	memset(b, 0, sizeof(*b));
	b->weight = 1;
	b->state = LB_BACKEND_ACTIVE;
}

void model_free(struct model *m)
{
	size_t i;

	for (i = 0; i < m->n_services; i++) {
		free(m->services[i].backends);
		free(m->services[i].rules);
		free(m->services[i].params);
	}
	free(m->services);
	m->services = NULL;
	m->n_services = 0;
}

/* A copy of an array; false: no memory. */
static bool copy_array(void **ret, const void *from, size_t n, size_t size)
{
	*ret = n ? calloc(n, size) : NULL;
	if (*ret)
		memcpy(*ret, from, n * size);
	return *ret || !n;
}

static bool copy_service(struct model_service *s, const struct model_service *from)
{
	*s = *from;
	s->rules = NULL;
	s->params = NULL;
	return copy_array((void **)&s->backends, from->backends, from->n_backends,
			  sizeof(*s->backends)) &&
	       copy_array((void **)&s->rules, from->rules, from->n_rules,
			  sizeof(*s->rules)) &&
	       copy_array((void **)&s->params, from->params, from->n_params,
			  sizeof(*s->params));
}

static int copy_services(struct model *to, const struct model *from)
{
	if (!from->n_services)
		return 0;
	to->services = calloc(from->n_services, sizeof(*to->services));
	if (!to->services)
		return -ENOMEM;

	while (to->n_services < from->n_services) {
		size_t i = to->n_services++;

		if (!copy_service(&to->services[i], &from->services[i]))
			return -ENOMEM;
	}
	return 0;
}

int model_copy(struct model *to, const struct model *from)
{
	int err;

	*to = *from;
	to->services = NULL;
	to->n_services = 0;

	err = copy_services(to, from);
	if (err)
		model_free(to);
	return err;
}

static int compare_service(const struct model_service *s, const struct service_name *name)
{
	int order = address_compare(&s->address, &name->address);

	if (!order)
		order = (int)s->prefix - name->prefix;
	if (!order)
		order = (int)s->port - name->port;
	if (!order)
		order = (int)s->port_last - name->port_last;
	if (!order)
		order = (int)s->protocol - name->protocol;
	return order;
}

/* Where it is, or where it belongs: the first that is not before it. */
static size_t service_place(const struct model *m, const struct service_name *name)
{
	size_t low = 0, high = m->n_services;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_service(&m->services[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int compare_backend(const struct model_backend *b, const struct address *a,
			   __u16 port)
{
	int order = address_compare(&b->address, a);

	return order ? order : (int)b->port - port;
}

size_t model_backend_place(const struct model_service *s, const struct address *a,
			   __u16 port)
{
	size_t low = 0, high = s->n_backends;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_backend(&s->backends[middle], a, port) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct model_service *model_find_service(const struct model *m,
					 const struct service_name *name)
{
	size_t i = service_place(m, name);

	if (i == m->n_services || compare_service(&m->services[i], name))
		return NULL;
	return &m->services[i];
}

struct model_service *model_find_same(const struct model *m,
				      const struct model_service *s)
{
	const struct service_name name = model_name(s);

	return model_find_service(m, &name);
}

struct model_backend *model_find_backend(const struct model_service *s,
					 const struct address *a, __u16 port)
{
	size_t i = model_backend_place(s, a, port);

	if (i == s->n_backends || compare_backend(&s->backends[i], a, port))
		return NULL;
	return &s->backends[i];
}

int model_find_policy(const struct model *m, const char *name)
{
	int i;

	for (i = 0; i < LB_MAX_POLICIES; i++)
		if (m->policies[i].used &&
		    !strncmp(m->policies[i].info.meta.name, name, LB_NAME_SIZE))
			return i;
	return -1;
}

/* @array with a hole of @size at @place, where it has one more than @n; NULL: no memory. */
static void *open_gap(void *array, size_t n, size_t place, size_t size)
{
	char *grown = reallocarray(array, n + 1, size);

	if (grown)
		memmove(grown + (place + 1) * size, grown + place * size,
			(n - place) * size);
	return grown;
}

struct model_service *model_add_service(struct model *m, const struct model_service *s)
{
	const struct service_name name = model_name(s);
	size_t place = service_place(m, &name);
	struct model_service *grown =
		open_gap(m->services, m->n_services, place, sizeof(*s));

	if (!grown)
		return NULL;

	m->services = grown;
	m->n_services++;
	grown[place] = *s;
	return &grown[place];
}

struct model_backend *model_add_backend(struct model_service *s,
					const struct model_backend *b)
{
	size_t place = model_backend_place(s, &b->address, b->port);
	struct model_backend *grown =
		open_gap(s->backends, s->n_backends, place, sizeof(*b));

	if (!grown)
		return NULL;

	s->backends = grown;
	s->n_backends++;
	grown[place] = *b;
	return &grown[place];
}

static int order_services(const void *a, const void *b)
{
	const struct model_service *y = b;
	const struct service_name name = model_name(y);

	return compare_service(a, &name);
}

static int order_backends(const void *a, const void *b)
{
	const struct model_backend *y = b;

	return compare_backend(a, &y->address, y->port);
}

void model_take_rest(struct model_service *to, const struct model_service *from)
{
	to->id = from->id;
	to->since = from->since;
	to->generation = from->generation;
	to->n_backends = from->n_backends;
	to->backends = from->backends;
	to->n_rules = from->n_rules;
	to->rules = from->rules;
	to->n_params = from->n_params;
	to->params = from->params;
}

struct model_service *model_append_service(struct model *m, const struct model_service *s)
{
	struct model_service *grown =
		reallocarray(m->services, m->n_services + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	m->services = grown;
	grown[m->n_services] = *s;
	return &grown[m->n_services++];
}

struct model_backend *model_append_backend(struct model_service *s,
					   const struct model_backend *b)
{
	struct model_backend *grown =
		reallocarray(s->backends, s->n_backends + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	s->backends = grown;
	grown[s->n_backends] = *b;
	return &grown[s->n_backends++];
}

void model_sort_services(struct model *m)
{
	if (m->n_services)
		qsort(m->services, m->n_services, sizeof(*m->services), order_services);
}

void model_sort_backends(struct model_service *s)
{
	if (s->n_backends)
		qsort(s->backends, s->n_backends, sizeof(*s->backends), order_backends);
}

struct model_rule *model_add_rule(struct model_service *s, const struct model_rule *r)
{
	struct model_rule *grown = reallocarray(s->rules, s->n_rules + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	s->rules = grown;
	grown[s->n_rules] = *r;
	return &grown[s->n_rules++];
}

void model_del_service(struct model *m, struct model_service *s)
{
	size_t place = s - m->services;

	free(s->backends);
	free(s->rules);
	free(s->params);
	m->n_services--;
	memmove(s, s + 1, (m->n_services - place) * sizeof(*s));
}

void model_del_backend(struct model_service *s, struct model_backend *b)
{
	size_t place = b - s->backends;

	s->n_backends--;
	memmove(b, b + 1, (s->n_backends - place) * sizeof(*b));
}

void model_del_rule(struct model_service *s, struct model_rule *r)
{
	size_t place = r - s->rules;

	s->n_rules--;
	memmove(r, r + 1, (s->n_rules - place) * sizeof(*r));
}
