// SPDX-License-Identifier: GPL-2.0-only
/*
 * table.c - the slots that a policy chooses from, made of a service's backends.
 *
 * Each usable backend gets a number of slots (the quota), and the backends take turns in
 * an order that spreads each one's turns evenly.  That order is the weighted table; of the
 * best priority's backends alone, it is the primary one.  In the Maglev table each turn
 * takes the next free slot of a permutation that is the backend's own (Eisenbud et al.,
 * "Maglev", NSDI 2016, 3.4); with quotas, shares are exact, and weights of any size cost
 * nothing.
 */
#include "table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lb/hash.h>

/* Of what is the same on every balancer, so no secret. */
static const __u64 seed[3] = { 0x5377697463687961, 0x9e3779b97f4a7c15,
			       0xc2b2ae3d27d4eb4f };

struct member {
	const struct model_backend *backend;
	__u32 quota;
	__u64 rest;   /* what the quota rounds off */
	size_t place; /* among the members */
};

bool backend_is_usable(const struct model_backend *b)
{
	return b->state == LB_BACKEND_ACTIVE && b->weight;
}

static __u64 address_hash(const struct address *a, __u16 port, __u8 protocol)
{
	__u64 word[3] = {};

	memcpy(word, a->word, a->family == 4 ? 4 : 16);
	word[2] = a->family | port << 8 | (__u64)protocol << 24;
	return lb_hash(word, 3, seed);
}

__u64 table_seed(const struct model_service *s)
{
	return address_hash(&s->address, s->port, s->protocol);
}

/* Usable backends of a worse priority have no slots. */
static __u32 worst_priority(const struct model_service *s, enum lb_table_kind kind)
{
	__u32 worst = ~0U;
	size_t i;

	for (i = 0; i < s->n_backends && kind == LB_TABLE_PRIMARY; i++)
		if (backend_is_usable(&s->backends[i]) && s->backends[i].priority < worst)
			worst = s->backends[i].priority;
	return worst;
}

/* The next one from *@i on that has slots; NULL: none. */
static const struct model_backend *next_member(const struct model_service *s, __u32 worst,
					       size_t *i)
{
	while (*i < s->n_backends) {
		const struct model_backend *b = &s->backends[(*i)++];

		if (backend_is_usable(b) && b->priority <= worst)
			return b;
	}
	return NULL;
}

bool table_is_same(const struct model_service *a, const struct model_service *b,
		   enum lb_table_kind kind)
{
	__u32 worst_a = worst_priority(a, kind), worst_b = worst_priority(b, kind);
	const struct model_backend *x, *y;
	size_t i = 0, j = 0;

	do {
		x = next_member(a, worst_a, &i);
		y = next_member(b, worst_b, &j);
		if (!x != !y || (x && (x->id != y->id || x->weight != y->weight)))
			return false;
	} while (x);
	return true;
}

static struct member *find_members(const struct model_service *s, enum lb_table_kind kind,
				   __u32 *ret_n)
{
	struct member *m = calloc(s->n_backends ? s->n_backends : 1, sizeof(*m));
	__u32 worst = worst_priority(s, kind), n = 0;
	const struct model_backend *b;
	size_t i = 0;

	if (!m)
		return NULL;
	while ((b = next_member(s, worst, &i))) {
		m[n].backend = b;
		m[n].place = n;
		n++;
	}
	*ret_n = n;
	return m;
}

static __u64 greatest_divisor(__u64 a, __u64 b)
{
	while (b) {
		__u64 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Slots of a table in which all weights are exact. */
static __u64 exact_slots(const struct member *m, __u32 n)
{
	__u64 sum = 0, divisor = 0;
	__u32 i;

	for (i = 0; i < n; i++) {
		sum += m[i].backend->weight;
		divisor = greatest_divisor(m[i].backend->weight, divisor);
	}
	return sum / divisor;
}

static __u32 weighted_slots(const struct member *m, __u32 n)
{
	__u64 exact = exact_slots(m, n);

	if (exact <= TABLE_WEIGHTED_MAX)
		return exact;
	return n <= TABLE_WEIGHTED_MAX ? TABLE_WEIGHTED_MAX : LB_TABLE_MAX_SLOTS;
}

/*
 * A prime.  The fewer slots for each backend, the more those that stay displace one another
 * when one goes: of 100 backends with 300 slots each 1.9/n of all slots change, with 160
 * 2.4/n; beyond 109 backends it is more than 2/n, whatever the size.  Three sizes, because
 * a table of another size has nearly all of its slots elsewhere: were it the smallest such
 * prime, each backend more or less would move every flow.
 */
static __u32 maglev_slots(__u32 n)
{
	if (n <= TABLE_MAGLEV_MIN / 300)
		return TABLE_MAGLEV_MIN;
	return n <= 32749 / 300 ? 32749 : LB_TABLE_MAX_SLOTS;
}

static int compare_rest(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->rest != y->rest)
		return x->rest > y->rest ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

static int compare_place(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->place < y->place ? -1 : 1;
}

/*
 * Share @slots out by weight: each gets the whole part of its share, those with the
 * largest rests one more, and everybody at least one.
 */
static void set_quotas(struct member *m, __u32 n, __u32 slots)
{
	__u64 sum = 0, given = 0;
	__u32 i;

	for (i = 0; i < n; i++)
		sum += m[i].backend->weight;
	for (i = 0; i < n; i++) {
		__u64 share = (__u64)m[i].backend->weight * slots;

		m[i].quota = share / sum;
		m[i].rest = share % sum;
		if (!m[i].quota) {
			m[i].quota = 1;
			m[i].rest = 0;
		}
		given += m[i].quota;
	}

	qsort(m, n, sizeof(*m), compare_rest);
	for (i = 0; given < slots; i = (i + 1) % n, given++)
		m[i].quota++;
	/* What the smallest got for nothing, those with the smallest rests pay. */
	for (i = n - 1; given > slots; i = i ? i - 1 : n - 1) {
		if (m[i].quota < 2)
			continue;
		m[i].quota--;
		given--;
	}
	qsort(m, n, sizeof(*m), compare_place);
}

static void set_error(struct table *t, const struct member *m, __u32 n,
		      const struct model_service *s)
{
	double sum = 0, error;
	__u32 i;

	for (i = 0; i < n; i++)
		sum += m[i].backend->weight;
	for (i = 0; i < n; i++) {
		error = m[i].quota * sum / ((double)t->n_slots * m[i].backend->weight) -
			1;
		if (error < 0)
			error = -error;
		if (error > t->error) {
			t->error = error;
			t->worst = m[i].backend - s->backends;
		}
	}
}

/*
 * When turns of member @i are due, as moments of which there are @slots: the k-th of its q
 * at slots * (2nk + 2i + 1) / 2nq.  Counted on from turn to turn: a division for each was half
 * of what a table takes.
 */
struct turns {
	__u64 due, rest; /* of @divisor */
	__u64 step, step_rest, divisor;
};

static struct turns first_turn(const struct member *m, __u32 n, __u32 i, __u32 slots)
{
	__u64 divisor = 2ULL * n * m[i].quota;
	__u64 first = (2ULL * i + 1) * slots, step = 2ULL * n * slots;

	return (struct turns){ first / divisor, first % divisor, step / divisor,
			       step % divisor, divisor };
}

static void next_turn(struct turns *t)
{
	t->due += t->step;
	t->rest += t->step_rest;
	if (t->rest >= t->divisor) {
		t->rest -= t->divisor;
		t->due++;
	}
}

/*
 * The order in which members take turns: a member's turns are due at equal distances,
 * and members begin at different moments of them.  A counting sort by the moment.
 */
static int order_turns(const struct member *m, __u32 n, __u32 slots, __u16 *ret_order)
{
	__u32 *start = calloc(slots + 1, sizeof(*start));
	struct turns t;
	__u32 i, k;

	if (!start)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		for (k = 0, t = first_turn(m, n, i, slots); k < m[i].quota;
		     k++, next_turn(&t))
			start[t.due + 1]++;
	for (k = 0; k < slots; k++)
		start[k + 1] += start[k];
	for (i = 0; i < n; i++)
		for (k = 0, t = first_turn(m, n, i, slots); k < m[i].quota;
		     k++, next_turn(&t))
			ret_order[start[t.due]++] = i;
	free(start);
	return 0;
}

struct permutation {
	__u32 at, skip;
};

/* Member numbers of @order become the ids of the slots that they take. */
static int take_slots(const struct member *m, __u32 n, const __u16 *order,
		      struct table *t)
{
	struct permutation *p = calloc(n, sizeof(*p));
	__u32 i;

	if (!p)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		const struct model_backend *b = m[i].backend;
		__u64 h = address_hash(&b->address, b->port, 0);

		p[i].at = (h & 0xffffffff) % t->n_slots;
		p[i].skip = 1 + (h >> 32) % (t->n_slots - 1);
	}

	for (i = 0; i < t->n_slots; i++) {
		const struct permutation *own = &p[order[i]];
		__u32 at = own->at;

		while (t->slot[at]) {
			at += own->skip;
			at -= at >= t->n_slots ? t->n_slots : 0;
		}
		t->slot[at] = m[order[i]].backend->id;
		p[order[i]].at = at;
	}
	free(p);
	return 0;
}

static int fill(struct table *t, struct member *m, __u32 n)
{
	__u16 *order = calloc(t->n_slots, sizeof(*order));
	__u32 i;
	int err;

	if (!order)
		return -ENOMEM;
	err = order_turns(m, n, t->n_slots, order);
	if (!err && t->kind == LB_TABLE_MAGLEV)
		err = take_slots(m, n, order, t);
	else if (!err)
		for (i = 0; i < t->n_slots; i++)
			t->slot[i] = m[order[i]].backend->id;
	free(order);
	return err;
}

static int build(const struct model_service *s, struct member *m, __u32 n,
		 struct table *t)
{
	__u32 i;

	if (t->kind == LB_TABLE_UNIFORM)
		t->n_slots = n;
	else if (t->kind == LB_TABLE_MAGLEV)
		t->n_slots = maglev_slots(n);
	else
		t->n_slots = weighted_slots(m, n);

	t->slot = calloc(t->n_slots, sizeof(*t->slot));
	if (!t->slot)
		return -ENOMEM;
	if (t->kind == LB_TABLE_UNIFORM) {
		for (i = 0; i < n; i++)
			t->slot[i] = m[i].backend->id;
		return 0;
	}
	set_quotas(m, n, t->n_slots);
	set_error(t, m, n, s);
	return fill(t, m, n);
}

int table_build(const struct model_service *s, enum lb_table_kind kind, struct table *ret)
{
	struct member *m;
	int err = 0;
	__u32 n;

	memset(ret, 0, sizeof(*ret));
	ret->kind = kind;
	m = find_members(s, kind, &n);
	if (!m)
		return -ENOMEM;
	ret->n_backends = n;
	if (n)
		err = build(s, m, n, ret);
	free(m);
	if (err)
		table_free(ret);
	return err;
}

void table_free(struct table *t)
{
	free(t->slot);
	t->slot = NULL;
	t->n_slots = 0;
}
