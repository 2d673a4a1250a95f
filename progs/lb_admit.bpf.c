// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_admit - may the backend that the policy chose have the flow?
 *
 * Not if it has its max-flows, and not always while it is new (slow-start).  Then the policy
 * is asked again, up to eight times; then the table is gone through for one that may.  One
 * that is new has the flow all the same if the others are full.  With persistence client the
 * answer is remembered for lb_client.
 *
 * What makes no flow is not counted: max-flows is nothing to persistence none and fragments.
 *
 * in:   lb_pkt with the backend's id, from the policy
 * out:  the same to what forwards the packet; or, pkt->attempt one higher, to the policy
 * else: to lb_answer, or XDP_DROP, as on-empty says: all are full
 */
#include "admission.bpf.h"
#include "choose.bpf.h"
#include "clients.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_ADMIT;

#define ATTEMPTS 8

/* Backend id -> the search that has met it last, on this CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, __u64);
} met SEC(".maps");

/* 0 -> searches on this CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} searches SEC(".maps");

/*
 * Has backend @id, which joined not long ago, come so far as to have the flow of @hash?  The
 * share that it takes is its age as a part of @slow_start; each flow has its own moment from
 * which on the answer is yes.
 */
static __always_inline bool is_warm(__u32 id, __u64 hash, __u32 slow_start)
{
	const struct lb_admission *a = bpf_map_lookup_elem(&lb_admissions, &id);
	__u64 age;

	if (!slow_start || !a)
		return true;
	age = bpf_jiffies64() - READ_ONCE(a->joined);
	if (age >= slow_start)
		return true;
	hash = lb_hash_end(lb_hash_step(hash, id, lb_params.seed), lb_params.seed);
	return ((hash >> 32) * slow_start) >> 32 < age;
}

/* ---- the search for one that may ------------------------------------------------------ */

struct search {
	__u64 number;
	__u64 hash;
	__u32 service;
	__u32 slow_start;
	__u32 start; /* slot */
	__u32 left;  /* backends that it has not met */
	__u32 found; /* id of one that may */
	__u32 cold;  /* id of one that is new */
	bool counts; /* the flow counts for max-flows */
};

static __always_inline __u32 slot_backend(__u32 service, __u32 i, __u32 start)
{
	void *map = bpf_map_lookup_elem(&lb_tables, &service);
	const struct lb_table_slots *slots;
	const struct lb_table *table;
	__u32 chunk = 0;

	table = map ? bpf_map_lookup_elem(map, &chunk) : NULL;
	if (!table || !table->n_slots)
		return LB_NO_BACKEND;
	i = (start + i) % table->n_slots;
	chunk = 1 + i / LB_TABLE_CHUNK;
	slots = bpf_map_lookup_elem(map, &chunk);
	return slots ? slots->id[i & (LB_TABLE_CHUNK - 1)] : LB_NO_BACKEND;
}

/* Is it the first time that this search meets @id? */
static __always_inline bool is_new(__u32 id, __u64 number)
{
	__u64 *last = bpf_map_lookup_elem(&met, &id);

	if (!last || *last == number)
		return false;
	*last = number;
	return true;
}

/* One slot; 1: that was all. */
static long search_slot(__u32 i, struct search *s)
{
	__u32 id = slot_backend(s->service, i, s->start);

	if (!id || !is_new(id, s->number))
		return 0;
	if (!s->counts || !has_max_flows(id)) {
		if (is_warm(id, s->hash, s->slow_start)) {
			s->found = id;
			return 1;
		}
		if (!s->cold)
			s->cold = id;
	}
	return !--s->left;
}

/* Any backend of the service that is not full, one that is new last; or LB_NO_BACKEND. */
__noinline __u32 search(struct lb_pkt *pkt, __u32 slow_start)
{
	const struct lb_table *table = pkt ? table_get(pkt->service) : NULL;
	struct search s = { .slow_start = slow_start };
	__u32 zero = 0;
	__u64 *number = bpf_map_lookup_elem(&searches, &zero);

	if (!table || !number)
		return LB_NO_BACKEND;
	s.number = ++*number;
	s.counts = makes_flow(pkt);
	s.hash = pkt->hash;
	s.service = pkt->service;
	s.start = ((__u64)(__u32)pkt->hash * table->n_slots) >> 32;
	s.left = table->n_backends;
	bpf_loop(table->n_slots, search_slot, &s, 0);
	return s.found ?: s.cold;
}

/* ---- the stage ------------------------------------------------------------------------ */

/* Who looks into packets knows best, and a fragment goes where the others of it go. */
static __always_inline bool may_have(const struct lb_pkt *pkt,
				     const struct lb_table *table, __u32 slow_start)
{
	if ((table->promises & LB_PROMISE_PACKET) || (pkt->flags & LB_PKT_NO_PORTS))
		return true;
	return !backend_is_full(pkt, pkt->backend) &&
	       is_warm(pkt->backend, pkt->hash, slow_start);
}

static __always_inline void remember(const struct lb_pkt *pkt)
{
	const struct lb_backend *backend = backend_get(pkt->backend);
	struct lb_client value = { .seen = pkt->now };
	struct lb_client_key key;

	value.backend = READ_ONCE(backend->ref);
	client_key(pkt, &key);
	bpf_map_update_elem(&lb_clients, &key, &value, BPF_ANY);
}

/* A host that had taken the flow could not keep it: on-empty pass is as reject. */
static __always_inline int all_full(struct xdp_md *ctx, struct lb_pkt *pkt,
				    __u32 on_empty)
{
	if (on_empty == LB_ON_EMPTY_DROP)
		return lb_drop(ctx, pkt, LB_REASON_FULL_DROP);
	return lb_tell(ctx, pkt, LB_ANSWER_REJECT, LB_REASON_FULL);
}

SEC("xdp")
int lb_admit(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();
	const struct lb_service *service;
	const struct lb_table *table;

	if (!pkt)
		return lb_abort();
	service = service_get(pkt->service);
	table = table_get(pkt->service);
	if (!table)
		return no_backend(ctx, pkt);

	if (!may_have(pkt, table, service->slow_start)) {
		if (pkt->attempt < ATTEMPTS) {
			pkt->attempt++;
			go_policy(ctx, table->policy);
			return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
		}
		pkt->backend = search(pkt, service->slow_start);
		if (!pkt->backend)
			return all_full(ctx, pkt, service->on_empty);
	}
	if (service->affinity)
		remember(pkt);
	return lb_go_forward(ctx, pkt);
}

char _license[] SEC("license") = "GPL";
