// SPDX-License-Identifier: GPL-2.0-only
/*
 * world_endpoint.c - write endpoints into a stage's maps by the rules of <lb/services.h>.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include <lb/hash.h>
#include "world_endpoint.h"

/* Where an endpoint may be: @key in one of two buckets of the family's map. */
struct place {
	const struct stage *stage;
	const char *map;
	int family;
	__u64 key[3];
	__u32 bucket[2];
};

union bucket {
	struct lb_endpoint_bucket4 v4;
	struct lb_endpoint_bucket6 v6;
};

/* False: no stage that is loaded has endpoints. */
static bool place_of(const struct stage *s, const char *address, __u16 port,
		     __u8 protocol, enum lb_endpoint_kind kind, struct place *ret)
{
	struct lb_endpoint_key6 key6 = { .port = htons(port),
					 .protocol = protocol,
					 .kind = kind };
	struct lb_endpoint_key4 key4 = { .port = htons(port),
					 .protocol = protocol,
					 .kind = kind };
	__u64 h;

	*ret = (struct place){ .stage = s,
			       .family = world_address(address, key6.address) };
	ret->map = ret->family == 4 ? "lb_endpoints4" : "lb_endpoints6";
	key4.address = key6.address[0];
	if (ret->family == 4)
		memcpy(ret->key, &key4, sizeof(key4));
	else
		memcpy(ret->key, &key6, sizeof(key6));

	h = ret->family == 4 ? lb_hash(ret->key, 1, s->params.seed)
			     : lb_hash(ret->key, 3, s->params.seed);
	ret->bucket[0] = LB_BUCKET_1(h) % LB_ENDPOINT_BUCKETS;
	ret->bucket[1] = LB_BUCKET_2(h) % LB_ENDPOINT_BUCKETS;
	return stage_find_map(s, "lb_records") >= 0;
}

static __u32 *value_at(const struct place *p, union bucket *b, int way)
{
	return p->family == 4 ? &b->v4.way[way].value : &b->v6.way[way].value;
}

static __u64 *key_at(const struct place *p, union bucket *b, int way)
{
	return p->family == 4 ? b->v4.way[way].key : b->v6.way[way].key;
}

static size_t key_size(const struct place *p)
{
	return p->family == 4 ? sizeof(struct lb_endpoint_key4)
			      : sizeof(struct lb_endpoint_key6);
}

/* Read bucket @i: the way that has the key; with @or_free else one that is free; or -1. */
static int find_way(const struct place *p, int i, bool or_free, union bucket *b)
{
	int free = -1;

	world_get(p->stage, p->map, p->bucket[i], b);
	for (int way = LB_ENDPOINT_WAYS - 1; way >= 0; way--) {
		if (!*value_at(p, b, way))
			free = way;
		else if (!memcmp(key_at(p, b, way), p->key, key_size(p)))
			return way;
	}
	return or_free ? free : -1;
}

static void set_spilt(const struct place *p)
{
	union bucket b;

	world_get(p->stage, p->map, p->bucket[0], &b);
	if (p->family == 4)
		b.v4.way[0].spilt = 1;
	else
		b.v6.way[0].spilt = 1;
	world_put(p->stage, p->map, p->bucket[0], &b);
}

static bool set_in(const struct place *p, int i, bool or_free, __u32 value)
{
	union bucket b;
	int way = find_way(p, i, or_free, &b);

	if (way < 0)
		return false;
	if (i) {
		set_spilt(p);
		find_way(p, i, or_free, &b); /* it may be the same bucket */
	}
	memcpy(key_at(p, &b, way), p->key, key_size(p));
	*value_at(p, &b, way) = value;
	world_put(p->stage, p->map, p->bucket[i], &b);
	return true;
}

/* A new one goes to the first bucket that has room; every second one tries the other one
 * first, so that both are known to be searched. */
void endpoint_set(struct stage *s, const char *address, __u16 port, __u8 protocol,
		  enum lb_endpoint_kind kind, __u32 value)
{
	int first = (s->n_services + s->n_backends) % 2;
	struct place p;

	if (!place_of(s, address, port, protocol, kind, &p))
		return;
	if (kind == LB_ENDPOINT_BACKEND)
		world_switch_on(s, offsetof(struct lb_switches, replies));
	if (!set_in(&p, 0, false, value) && !set_in(&p, 1, false, value))
		assert_true(set_in(&p, first, true, value) ||
			    set_in(&p, !first, true, value));
}
