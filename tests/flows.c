// SPDX-License-Identifier: GPL-2.0-only
/*
 * flows.c - the flow tables of a stage, from outside.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lb/hash.h>
#include "flows.h"

union bucket {
	struct lb_bucket head;
	struct lb_bucket4 v4;
	struct lb_bucket6 v6;
};

static int flows_map(const struct stage *s, int family)
{
	return stage_map(s, family == 4 ? "lb_flows4" : "lb_flows6");
}

static void bucket_read(const struct stage *s, int family, __u32 index, union bucket *b)
{
	int fd = flows_map(s, family);

	assert_return_code(bpf_map_lookup_elem(fd, &index, b), errno);
}

static void bucket_write(const struct stage *s, int family, __u32 index, union bucket *b)
{
	int fd = flows_map(s, family);

	assert_return_code(bpf_map_update_elem(fd, &index, b, 0), errno);
}

static __u64 *bucket_key(union bucket *b, int family, int way)
{
	return family == 4 ? b->v4.flow[way].key : b->v6.flow[way].key;
}

static struct lb_flow *bucket_flow(union bucket *b, int family, int way)
{
	return family == 4 ? &b->v4.flow[way].flow : &b->v6.flow[way].flow;
}

int flows_key(const char *client, __u16 port, __u32 service, __u64 ret_key[3])
{
	struct lb_flow_key6 key6 = { .port = htons(port), .service = service };
	struct lb_flow_key4 key4 = { .port = htons(port), .service = service };
	int family = world_address(client, key6.client);

	key4.client = key6.client[0];
	memset(ret_key, 0, 3 * sizeof(*ret_key));
	if (family == 4)
		memcpy(ret_key, &key4, sizeof(key4));
	else
		memcpy(ret_key, &key6, sizeof(key6));
	return family;
}

__u32 flows_service(const struct flow *f)
{
	struct lb_flow_key4 key4;
	struct lb_flow_key6 key6;

	memcpy(&key4, f->key, sizeof(key4));
	memcpy(&key6, f->key, sizeof(key6));
	return f->family == 4 ? key4.service : key6.service;
}

__u64 flows_hash(const struct stage *s, int family, const __u64 *key)
{
	return family == 4 ? lb_hash(key, 1, s->params.seed)
			   : lb_hash(key, 3, s->params.seed);
}

void flows_buckets(const struct stage *s, __u64 hash, __u32 ret[2])
{
	ret[0] = LB_BUCKET_1(hash) % s->params.flow_buckets;
	ret[1] = LB_BUCKET_2(hash) % s->params.flow_buckets;
	if (ret[1] == ret[0])
		ret[1] ^= 1;
}

static void flow_read(union bucket *b, int family, __u32 position, struct flow *ret)
{
	int way = position % LB_FLOW_WAYS;

	*ret = (struct flow){
		.family = family,
		.position = position,
		.flow = *bucket_flow(b, family, way),
		.tag = b->head.tag[way],
		.way = b->head.state[way],
		.seen = b->head.seen[way],
	};
	memcpy(ret->key, bucket_key(b, family, way), family == 4 ? 8 : 24);
	if (family == 6)
		memcpy(ret->origin, b->v6.flow[way].origin, sizeof(ret->origin));
}

size_t flows_scan(const struct stage *s, int family, struct flow *ret, size_t max)
{
	size_t n = 0;
	union bucket b;

	for (__u32 i = 0; i < s->params.flow_buckets; i++) {
		bucket_read(s, family, i, &b);
		for (int way = 0; way < LB_FLOW_WAYS; way++) {
			if (!b.head.tag[way])
				continue;
			if (n < max)
				flow_read(&b, family, i * LB_FLOW_WAYS + way, &ret[n]);
			n++;
		}
	}
	return n;
}

bool flows_find_key(const struct stage *s, int family, const __u64 *key, struct flow *ret)
{
	__u32 index[2];
	union bucket b;

	flows_buckets(s, flows_hash(s, family, key), index);
	for (int i = 0; i < 2; i++) {
		bucket_read(s, family, index[i], &b);
		for (int way = 0; way < LB_FLOW_WAYS; way++) {
			if (!b.head.tag[way] || memcmp(bucket_key(&b, family, way), key,
						       family == 4 ? 8 : 24))
				continue;
			flow_read(&b, family, index[i] * LB_FLOW_WAYS + way, ret);
			return true;
		}
	}
	return false;
}

bool flows_find(const struct stage *s, __u32 service, const char *client, __u16 port,
		struct flow *ret)
{
	__u64 key[3];
	int family = flows_key(client, port, service, key);

	return flows_find_key(s, family, key, ret);
}

/* ---- translated tuples ----------------------------------------------------------- */

/* The tuple of @f as the words that are hashed; their number. */
static int tuple_of(const struct stage *s, const struct flow *f, __u64 word[5])
{
	struct lb_backend backend = world_backend(s, LB_BACKEND_REF_ID(f->flow.backend));
	struct lb_service service = world_service(s, flows_service(f));
	struct lb_tuple4 t4 = {
		.backend = backend.address[0],
		.address = service.address[0],
		.backend_port = backend.port,
		.nat_port = f->flow.nat_port,
		.protocol = service.protocol,
	};
	struct lb_tuple6 t6 = {
		.backend_port = backend.port,
		.nat_port = f->flow.nat_port,
		.protocol = service.protocol,
	};

	memcpy(t6.backend, backend.address, sizeof(t6.backend));
	memcpy(t6.address, service.address, sizeof(t6.address));
	memset(word, 0, 5 * sizeof(*word));
	if (f->family == 4)
		memcpy(word, &t4, sizeof(t4));
	else
		memcpy(word, &t6, sizeof(t6));
	return f->family == 4 ? 2 : 5;
}

/* Where the tuple of @f is: an element and a place in it. */
static __u32 nat_index(const struct stage *s, const struct flow *f, __u32 *ret_place)
{
	__u64 word[5], *ports, h;
	int n = tuple_of(s, f, word);

	ports = &word[n - 1];
	*ret_place = ntohs(f->flow.nat_port) % 8;
	*ports -= (__u64)htons(*ret_place) << 16;
	h = n == 2 ? lb_hash(word, 2, s->params.seed) : lb_hash(word, 5, s->params.seed);
	return LB_BUCKET_1(h) % (s->params.nat_slots / 8);
}

static int nat_map(const struct stage *s, int family)
{
	return stage_map(s, family == 4 ? "lb_nat4" : "lb_nat6");
}

size_t flows_nat_used(const struct stage *s, int family)
{
	struct lb_nat_group g;
	size_t n = 0;

	for (__u32 i = 0; i < s->params.nat_slots / LB_NAT_PLACES; i++) {
		assert_return_code(bpf_map_lookup_elem(nat_map(s, family), &i, &g),
				   errno);
		for (int place = 0; place < LB_NAT_PLACES; place++)
			n += g.flow[place] != 0;
	}
	return n;
}

/* ---- writing ------------------------------------------------------------------------ */

static void live_add(const struct stage *s, const struct flow *f)
{
	__u32 id = LB_BACKEND_REF_ID(f->flow.backend);
	__u64 live;

	if (LB_WAY_STATE(f->way) == LB_FLOW_CLOSED)
		return;
	live = world_live(s, id) + 1;
	world_put(s, "lb_live", id, &live);
}

static void nat_put(const struct stage *s, const struct flow *f)
{
	__u32 place, index = nat_index(s, f, &place);
	int fd = nat_map(s, f->family);
	struct lb_nat_group g;

	assert_return_code(bpf_map_lookup_elem(fd, &index, &g), errno);
	g.flow[place] = LB_NAT(f->position, f->flow.version);
	assert_return_code(bpf_map_update_elem(fd, &index, &g, 0), errno);
}

void flows_put(const struct stage *s, struct flow *f)
{
	__u32 way = f->position % LB_FLOW_WAYS;
	union bucket b;

	bucket_read(s, f->family, f->position / LB_FLOW_WAYS, &b);
	f->tag = LB_TAG(flows_hash(s, f->family, f->key));
	f->flow.version = (bucket_flow(&b, f->family, way)->version + 2) & ~1U;
	b.head.tag[way] = f->tag;
	b.head.state[way] = f->way;
	b.head.seen[way] = f->seen;
	memcpy(bucket_key(&b, f->family, way), f->key, f->family == 4 ? 8 : 24);
	*bucket_flow(&b, f->family, way) = f->flow;
	bucket_write(s, f->family, f->position / LB_FLOW_WAYS, &b);

	nat_put(s, f);
	live_add(s, f);
}

struct flow flows_make(const struct stage *s, __u32 service, const char *client,
		       __u16 port, __u32 backend, __u16 nat_port,
		       enum lb_flow_state state, __u32 way, __u32 seen)
{
	struct flow f = {
		.way = LB_WAY(state, 0),
		.seen = seen,
		.flow = { .nat_port = htons(nat_port) },
	};
	__u32 bucket[2];

	f.family = flows_key(client, port, service, f.key);
	f.flow.backend = world_backend(s, backend).ref;
	flows_buckets(s, flows_hash(s, f.family, f.key), bucket);
	f.position = bucket[0] * LB_FLOW_WAYS + way;
	flows_put(s, &f);
	return f;
}

void flows_age(const struct stage *s, const struct flow *f, enum lb_flow_state state,
	       __u32 seen)
{
	__u32 way = f->position % LB_FLOW_WAYS;
	union bucket b;

	bucket_read(s, f->family, f->position / LB_FLOW_WAYS, &b);
	b.head.state[way] = LB_WAY(state, LB_WAY_PROFILE(f->way));
	b.head.seen[way] = seen;
	bucket_write(s, f->family, f->position / LB_FLOW_WAYS, &b);
}

static void nat_clear(const struct stage *s, int family)
{
	__u32 n = s->params.nat_slots / 8, *keys = calloc(n, sizeof(*keys));
	struct lb_nat_group *none = calloc(n, sizeof(*none));

	for (__u32 i = 0; i < n; i++)
		keys[i] = i;
	assert_return_code(bpf_map_update_batch(nat_map(s, family), keys, none, &n, NULL),
			   errno);
	free(keys);
	free(none);
}

void flows_clear(const struct stage *s)
{
	union bucket none = {};
	__u64 zero = 0;

	for (int family = 4; family <= 6; family += 2) {
		for (__u32 i = 0; i < s->params.flow_buckets; i++)
			bucket_write(s, family, i, &none);
		nat_clear(s, family);
	}
	for (__u32 id = 1; id <= s->n_backends; id++)
		world_put(s, "lb_live", id, &zero);
}
