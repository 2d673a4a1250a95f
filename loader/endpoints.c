// SPDX-License-Identifier: GPL-2.0-only
/*
 * endpoints.c - the two-choice tables of lb_records.endpoints4 and _6, written under
 * readers.
 *
 * Readers take no lock: they compare a key, then read its value.  So a key is written
 * while the value is 0, the value last; to clear, the value first.  A key that moves is
 * in both places during one grace period, because a reader may have passed the new
 * place before it was written, and not yet have reached the old one.
 */
#include "endpoints.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lb/hash.h>

#define WAYS	   (LB_ENDPOINT_BUCKETS * LB_ENDPOINT_WAYS)
#define SEARCH_MAX 256

struct way {
	__u64 *key;
	__u32 *value;
	__u32 *spilt; /* way 0: of its bucket */
	int words;
};

static struct way way_at(const struct endpoint_table *t, int family, __u32 index)
{
	__u32 bucket = index / LB_ENDPOINT_WAYS, way = index % LB_ENDPOINT_WAYS;
	struct lb_endpoint4 *e4;
	struct lb_endpoint6 *e6;

	if (family == 4) {
		e4 = &t->v4[bucket].way[way];
		return (struct way){ e4->key, &e4->value, &e4->spilt, 1 };
	}
	e6 = &t->v6[bucket].way[way];
	return (struct way){ e6->key, &e6->value, &e6->spilt, 3 };
}

/* The first ways of the two buckets of a key. */
static void candidates(const struct endpoint_table *t, int family, const __u64 *key,
		       __u32 ret[2])
{
	__u64 h = family == 4 ? lb_hash(key, 1, t->seed) : lb_hash(key, 3, t->seed);

	ret[0] = (LB_BUCKET_1(h) & (LB_ENDPOINT_BUCKETS - 1)) * LB_ENDPOINT_WAYS;
	ret[1] = (LB_BUCKET_2(h) & (LB_ENDPOINT_BUCKETS - 1)) * LB_ENDPOINT_WAYS;
}

static void way_write(struct way w, const __u64 *key, __u32 value)
{
	memcpy(w.key, key, w.words * sizeof(*key));
	__atomic_store_n(w.value, value, __ATOMIC_RELEASE);
}

/*
 * Enter @key in way @index.  Readers look into its second bucket only if the first one says so,
 * which it does before the key is there.  That is not taken back: it costs time alone, and
 * whoever is killed between the two has said too much, never too little.
 */
static void enter(const struct endpoint_table *t, int family, __u32 index,
		  const __u64 *key, __u32 value)
{
	__u32 first[2];

	candidates(t, family, key, first);
	if (index - first[0] >= LB_ENDPOINT_WAYS)
		__atomic_store_n(way_at(t, family, first[0]).spilt, 1, __ATOMIC_SEQ_CST);
	way_write(way_at(t, family, index), key, value);
}

/* The key goes too, for a reader stops at the first key that is its own. */
static void way_clear(struct way w)
{
	__atomic_store_n(w.value, 0, __ATOMIC_SEQ_CST);
	memset(w.key, 0, w.words * sizeof(*w.key));
}

static void wait_for_readers(const struct endpoint_table *t)
{
	if (t->wait)
		t->wait();
}

struct endpoint endpoint_make(const struct address *a, __u16 port, __u8 protocol,
			      enum lb_endpoint_kind kind, __u32 value)
{
	struct lb_endpoint_key4 key4 = { a->word[0], htons(port), protocol, kind };
	struct lb_endpoint_key6 key6 = { .port = htons(port),
					 .protocol = protocol,
					 .kind = kind };
	struct endpoint e = { .family = a->family, .value = value };

	memcpy(key6.address, a->word, sizeof(key6.address));
	if (a->family == 4)
		memcpy(e.word, &key4, sizeof(key4));
	else
		memcpy(e.word, &key6, sizeof(key6));
	return e;
}

enum lb_endpoint_kind endpoint_kind(const struct endpoint *e)
{
	struct lb_endpoint_key4 key4;
	struct lb_endpoint_key6 key6;

	memcpy(&key4, e->word, sizeof(key4));
	memcpy(&key6, e->word, sizeof(key6));
	return e->family == 4 ? key4.kind : key6.kind;
}

int endpoint_compare(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;
	int i;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	for (i = 0; i < 3; i++)
		if (x->word[i] != y->word[i])
			return x->word[i] < y->word[i] ? -1 : 1;
	return 0;
}

/* The way that holds the key; -1. */
static int find_key(const struct endpoint_table *t, int family, const __u64 *key)
{
	__u32 first[2], i;

	candidates(t, family, key, first);
	for (i = 0; i < 2 * LB_ENDPOINT_WAYS; i++) {
		__u32 index = first[i / LB_ENDPOINT_WAYS] + i % LB_ENDPOINT_WAYS;
		struct way w = way_at(t, family, index);

		if (*w.value && !memcmp(w.key, key, w.words * sizeof(*key)))
			return index;
	}
	return -1;
}

/* A free way in the first of a key's buckets, or else in the second; -1. */
static int find_room(const struct endpoint_table *t, int family, const __u64 *key)
{
	__u32 first[2], i;

	candidates(t, family, key, first);
	for (i = 0; i < 2 * LB_ENDPOINT_WAYS; i++) {
		__u32 index = first[i / LB_ENDPOINT_WAYS] + i % LB_ENDPOINT_WAYS;

		if (!*way_at(t, family, index).value)
			return index;
	}
	return -1;
}

__u32 endpoints_get(const struct endpoint_table *t, const struct endpoint *e)
{
	int index = find_key(t, e->family, e->word);

	return index < 0 ? 0 : *way_at(t, e->family, index).value;
}

static bool add_one(const struct endpoint_table *t, const struct endpoint *e)
{
	int index = find_key(t, e->family, e->word);

	if (index >= 0) {
		__atomic_store_n(way_at(t, e->family, index).value, e->value,
				 __ATOMIC_RELEASE);
		return true;
	}
	index = find_room(t, e->family, e->word);
	if (index < 0)
		return false;
	enter(t, e->family, index, e->word, e->value);
	return true;
}

/* Endpoints that are in two places until the next grace period: the places they leave. */
struct moves {
	bool is_left[2][WAYS]; /* IPv4, IPv6 */
	size_t n;
};

/* Buckets to look for room in, nearest first; by their first ways. */
struct search {
	__u32 bucket[SEARCH_MAX];
	size_t n;
};

static void search_add(struct search *q, __u32 bucket)
{
	size_t i;

	for (i = 0; i < q->n; i++)
		if (q->bucket[i] == bucket)
			return;
	if (q->n < SEARCH_MAX)
		q->bucket[q->n++] = bucket;
}

/* Copy what is in way @from to its other bucket, if that has room; else look there. */
static bool move_away(const struct endpoint_table *t, int family, __u32 from,
		      struct moves *m, struct search *q)
{
	struct way w = way_at(t, family, from);
	__u32 first[2];
	__u64 key[3] = {};
	int to;

	memcpy(key, w.key, w.words * sizeof(*key));
	to = find_room(t, family, key);
	if (to < 0) {
		candidates(t, family, key, first);
		search_add(q, first[0]);
		search_add(q, first[1]);
		return false;
	}
	enter(t, family, to, key, *w.value);
	m->is_left[family == 6][from] = true;
	m->n++;
	return true;
}

/*
 * Move one endpoint, so that room comes nearer to @e: at best out of one of @e's buckets,
 * else out of a bucket that one in these could move to, and so on.  The others of that
 * chain follow in the next rounds.
 */
static void make_room(const struct endpoint_table *t, const struct endpoint *e,
		      struct moves *m)
{
	const bool *is_left = m->is_left[e->family == 6];
	struct search q = {};
	__u32 first[2], i;
	size_t at;

	candidates(t, e->family, e->word, first);
	search_add(&q, first[0]);
	search_add(&q, first[1]);
	for (at = 0; at < q.n; at++)
		for (i = 0; i < LB_ENDPOINT_WAYS; i++) {
			__u32 from = q.bucket[at] + i;

			if (is_left[from])
				return; /* another one's move makes room for it */
			if (move_away(t, e->family, from, m, &q))
				return;
		}
}

static void finish_moves(const struct endpoint_table *t, struct moves *m)
{
	__u32 i;

	wait_for_readers(t);
	for (i = 0; i < WAYS; i++) {
		if (m->is_left[0][i])
			way_clear(way_at(t, 4, i));
		if (m->is_left[1][i])
			way_clear(way_at(t, 6, i));
	}
	memset(m, 0, sizeof(*m));
	wait_for_readers(t);
}

/*
 * In rounds, so that a thousand moves wait as long as one: enter what has room, move
 * what stands in the way of the others, again.
 */
int endpoints_add(const struct endpoint_table *t, const struct endpoint *e, size_t n)
{
	const struct endpoint **todo = calloc(n ? n : 1, sizeof(*todo));
	struct moves *m = calloc(1, sizeof(*m));
	size_t i, left = 0;
	int err = 0;

	if (!todo || !m) {
		err = -ENOMEM;
		goto out;
	}

	for (i = 0; i < n; i++)
		if (!add_one(t, &e[i]))
			todo[left++] = &e[i];
	while (left) {
		size_t still = 0;

		for (i = 0; i < left; i++)
			make_room(t, todo[i], m);
		if (!m->n) {
			err = -ENOSPC;
			break;
		}
		finish_moves(t, m);
		for (i = 0; i < left; i++)
			if (!add_one(t, todo[i]))
				todo[still++] = todo[i];
		left = still;
	}
out:
	free(todo);
	free(m);
	return err;
}

static bool keep_way(const struct endpoint_table *t, int family, __u32 index,
		     const struct endpoint *e, size_t n)
{
	struct way w = way_at(t, family, index);
	struct endpoint key = { .family = family };
	const struct endpoint *wanted;

	if (!*w.value)
		return true;
	memcpy(key.word, w.key, w.words * sizeof(*w.key));
	wanted = bsearch(&key, e, n, sizeof(*e), endpoint_compare);

	/* A writer that died while it moved one has left two. */
	if (!wanted || find_key(t, family, key.word) != (int)index) {
		way_clear(w);
		return false;
	}
	__atomic_store_n(w.value, wanted->value, __ATOMIC_RELEASE);
	return true;
}

bool endpoints_keep(const struct endpoint_table *t, const struct endpoint *e, size_t n)
{
	bool cleared = false;
	__u32 i;

	for (i = 0; i < WAYS; i++) {
		if (!keep_way(t, 4, i, e, n))
			cleared = true;
		if (!keep_way(t, 6, i, e, n))
			cleared = true;
	}
	if (cleared)
		wait_for_readers(t);
	return cleared;
}
