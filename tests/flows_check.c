// SPDX-License-Identifier: GPL-2.0-only
/*
 * flows_check.c - the invariants of the flow tables, by looking at all of it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lb/hash.h>
#include "flows.h"

/* What makes a translated tuple: compared as bytes. */
struct tuple {
	__be32 backend[4], address[4];
	__be16 backend_port, nat_port;
	__u8 protocol, family, pad[2];
	__u32 position; /* not compared */
};

static int compare_tuples(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct tuple, position));
}

static int compare_keys(const void *a, const void *b)
{
	const struct flow *one = a, *two = b;

	return memcmp(one->key, two->key, sizeof(one->key));
}

static void check_locks(const struct stage *s, int family)
{
	int fd = stage_map(s, family == 4 ? "lb_flows4" : "lb_flows6");
	union {
		struct lb_bucket head;
		struct lb_bucket6 v6;
	} b;

	for (__u32 i = 0; i < s->params.flow_buckets; i++) {
		assert_return_code(bpf_map_lookup_elem(fd, &i, &b), errno);
		if (b.head.lock)
			fail_msg("IPv%d bucket %u: lock is %u", family, i, b.head.lock);
	}
}

static void check_place(const struct stage *s, const struct flow *f)
{
	__u64 hash = flows_hash(s, f->family, f->key);
	__u32 bucket[2];

	flows_buckets(s, hash, bucket);
	if (f->position / LB_FLOW_WAYS != bucket[0] &&
	    f->position / LB_FLOW_WAYS != bucket[1])
		fail_msg("flow at %u is in none of its buckets %u, %u", f->position,
			 bucket[0], bucket[1]);
	if (f->tag != LB_TAG(hash))
		fail_msg("flow at %u has tag %x, not %x", f->position, f->tag,
			 LB_TAG(hash));
	if (f->flow.version % 2)
		fail_msg("flow at %u has the odd version %u", f->position,
			 f->flow.version);
	if (!LB_BACKEND_REF_ID(f->flow.backend))
		fail_msg("flow at %u has no backend", f->position);
}

/* Sorts @f. */
static void check_unique(struct flow *f, size_t n)
{
	qsort(f, n, sizeof(*f), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (!compare_keys(&f[i - 1], &f[i]))
			fail_msg("a flow is at %u and at %u", f[i - 1].position,
				 f[i].position);
}

/* The tuple of @f, or false: its mode translates no source. */
static bool tuple_of(const struct stage *s, const struct flow *f, struct tuple *ret)
{
	struct lb_backend backend = world_backend(s, LB_BACKEND_REF_ID(f->flow.backend));
	struct lb_service service = world_service(s, flows_service(f));
	bool wide = LB_SERVICE_IS_WIDE(&service);

	if (service.forward != LB_FORWARD_FULLNAT)
		return false;
	memcpy(ret->backend, backend.address, sizeof(backend.address));
	memcpy(ret->address, wide ? f->origin : service.address, sizeof(ret->address));
	ret->backend_port = backend.port ?: wide ? f->flow.origin_port : service.port;
	ret->nat_port = f->flow.nat_port;
	ret->protocol = service.protocol;
	ret->position = f->position;
	return true;
}

static void check_tuples(const struct stage *s, const struct flow *f, size_t n_flows)
{
	struct tuple *tuple = calloc(n_flows + 1, sizeof(*tuple));
	size_t n = 0;

	for (size_t i = 0; i < n_flows; i++)
		n += tuple_of(s, &f[i], &tuple[n]);
	qsort(tuple, n, sizeof(*tuple), compare_tuples);
	for (size_t i = 1; i < n; i++)
		if (!compare_tuples(&tuple[i - 1], &tuple[i]))
			fail_msg("flows at %u and %u share a translated tuple",
				 tuple[i - 1].position, tuple[i].position);
	free(tuple);
}

/* @f is in the order of positions. */
static void check_half_open(const struct stage *s, const struct flow *f, size_t n)
{
	struct lb_profile profile[LB_MAX_PROFILES];
	__u32 zero = 0, now = stage_now(s), bucket = ~0U, half_open = 0;

	assert_return_code(
		bpf_map_lookup_elem(stage_map(s, "lb_profiles"), &zero, profile), errno);
	for (size_t i = 0; i < n; i++) {
		__u32 timeout =
			profile[LB_WAY_PROFILE(f[i].way)].timeout[LB_FLOW_HALF_OPEN];

		if (f[i].position / LB_FLOW_WAYS != bucket)
			half_open = 0;
		bucket = f[i].position / LB_FLOW_WAYS;
		if (LB_WAY_STATE(f[i].way) != LB_FLOW_HALF_OPEN ||
		    now - f[i].seen > timeout)
			continue;
		if (++half_open > 1)
			fail_msg("bucket %u has %u half-open flows", bucket, half_open);
	}
}

static void count_live(const struct stage *s, const struct flow *f, size_t n, __u64 *live)
{
	for (size_t i = 0; i < n; i++) {
		__u32 id = LB_BACKEND_REF_ID(f[i].flow.backend);

		if (world_backend(s, id).ref == f[i].flow.backend &&
		    LB_WAY_STATE(f[i].way) != LB_FLOW_CLOSED)
			live[id]++;
	}
}

void flows_check(const struct stage *s)
{
	size_t max = s->params.flow_buckets * LB_FLOW_WAYS;
	struct flow *f = calloc(max, sizeof(*f));
	__u64 live[s->n_backends + 1];

	memset(live, 0, sizeof(live));
	for (int family = 4; family <= 6; family += 2) {
		size_t n = flows_scan(s, family, f, max);

		check_locks(s, family);
		for (size_t i = 0; i < n; i++)
			check_place(s, &f[i]);
		check_half_open(s, f, n);
		check_tuples(s, f, n);
		check_unique(f, n);
		count_live(s, f, n, live);
	}
	free(f);
	for (__u32 id = 1; id <= s->n_backends; id++)
		if (world_live(s, id) != live[id])
			fail_msg("backend %u: lb_live is %lld, a scan finds %llu", id,
				 (long long)world_live(s, id), live[id]);
}
