/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lb_policy.bpf.h - all that a selection policy needs.
 *
 * A policy is one file: include this, keep what state you like in maps of your own, and
 * answer one question:
 *
 *	LB_POLICY(my_policy, "my-policy", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
 *	{
 *		return slot;	// 0 .. table->n_slots - 1, or LB_NO_SLOT, or LB_DROP
 *	}
 *
 * It is asked once for each new flow, and for each packet where the service says so
 * (flow->per_packet), with table->n_slots >= 1.  The slots name backends as the kind of
 * table says: one each (uniform), in smooth weighted order (weighted; primary: of those of best
 * priority), or consistently hashed (maglev).  It may be asked on any CPU and on several at once.  @flow and @table
 * are good during the call.  It need not know about addresses of backends, state, or what
 * happens to the flow.
 *
 * It may look behind the slots all the same: lb_slot_backend() names a slot's backend,
 * lb_backend_weight() and lb_backend_live() say what it can bear and what it has.  To look at
 * many, use bpf_loop(); each costs about 10 ns.
 *
 * LB_DROP drops the packet (counted as policy-drop), LB_NO_SLOT and a slot out of range
 * too (bad-slot).  A policy that works on one kind of table must be safe on every kind: it
 * is only ever wrong by choosing unevenly.
 *
 * It is asked once more, flow->attempt higher by one, when the backend that it chose may not
 * have the flow (max-flows, slow start): up to eight times.  What is chosen by lb_flow_hash()
 * is chosen anew then.
 *
 * A policy may also answer LB_BACKEND(id), with an id that lbctl wrote into one of its
 * maps.  It must be one of the service's (else bad-slot) and active (else backend-down).
 * One that looks at what a packet says, by payload.bpf.h, states LB_PROMISE_PACKET: lbctl
 * then gives it to services with persistence none alone.
 */
#ifndef LB_POLICY_BPF_H
#define LB_POLICY_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define LB_RECORDS_LOOKED_UP /* a policy's .bss is its own */
#include "chain.bpf.h"
#include "live.bpf.h"
#include "order.bpf.h"
#include "previous.bpf.h"
#include "services.bpf.h"
#include <lb/hash.h>

static const __u8 lb_this_stage = LB_STAGE_POLICY;

/* Slot in lb_policies -> decisions. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_MAX_POLICIES);
	__type(key, __u32);
	__type(value, struct lb_policy_count);
} lb_policy_counts SEC(".maps");

#define LB_NO_SLOT 0xffffffffU
#define LB_DROP	   0xfffffffeU
/* Larger than any slot. */
#define LB_BACKEND(id) (0x80000000U + (id))

/* What a policy may know of a new flow. */
struct lb_policy_flow {
	__u32 service;	    /* id, 0 .. LB_MAX_SERVICES - 1 */
	__u32 family;	    /* 4 or 6 */
	__be32 client[4];   /* IPv6, or IPv4 in word 0 */
	__be16 port;	    /* the client's */
	__u16 per_packet;   /* persistence none: asked for each packet */
	__u32 protocol;	    /* IPPROTO_* */
	struct xdp_md *ctx; /* for payload.bpf.h */
	__u16 l3, l4;	    /* offsets of the IP header and of the one behind it */
	__u32 attempt; /* how many answers for this flow could not be had; 0 at first */
	void *slots;   /* for lb_slot_backend() */
};

/*
 * The flow's hash, 64 bits: of the client's address and port, the same on every balancer
 * that has the service and for as long as it exists.  Another one for each attempt: what was
 * chosen by it before could not be had.
 */
static __always_inline __u64 lb_flow_hash(const struct lb_policy_flow *flow,
					  const struct lb_table *table)
{
	/* The table's seed makes two odd multipliers (see hash.h). */
	const __u64 seed[3] = {
		table->seed,
		table->seed * 0x9e3779b97f4a7c15ULL | 1,
		(table->seed >> 32 | table->seed << 32) | 1,
	};
	__u64 word[3] = {
		(__u64)flow->client[0] | (__u64)flow->client[1] << 32,
		(__u64)flow->client[2] | (__u64)flow->client[3] << 32,
		flow->port | (__u64)flow->protocol << 16 | (__u64)flow->attempt << 32,
	};

	return lb_hash(word, 3, seed);
}

/* @hash, 64 bits, as a number below @n: its high half scaled, without a division. */
static __always_inline __u32 lb_scale(__u64 hash, __u32 n)
{
	return ((hash >> 32) * n) >> 32;
}

/* Any number below @n, each as likely, to within n / 2^32. */
static __always_inline __u32 lb_random(__u32 n)
{
	return ((__u64)bpf_get_prandom_u32() * n) >> 32;
}

/* The id of the backend that @slot names, for what follows; LB_NO_BACKEND: none. */
static __always_inline __u32 lb_slot_backend(const struct lb_policy_flow *flow,
					     const struct lb_table *table, __u32 slot)
{
	__u32 chunk = 1 + slot / LB_TABLE_CHUNK;
	const struct lb_table_slots *slots;

	if (slot >= table->n_slots)
		return LB_NO_BACKEND;
	slots = bpf_map_lookup_elem(flow->slots, &chunk);
	return slots ? slots->id[slot & (LB_TABLE_CHUNK - 1)] : LB_NO_BACKEND;
}

/* Its weight; 0 if it takes no new flows, or no longer does. */
static __always_inline __u32 lb_backend_weight(__u32 id)
{
	const struct lb_backend *backend = backend_get(id);

	if (!backend || id >= LB_MAX_BACKENDS ||
	    READ_ONCE(backend->state) != LB_BACKEND_ACTIVE)
		return 0;
	return READ_ONCE(backend->weight);
}

/* How many live flows it has, on all CPUs, those chosen a moment ago not yet among them. */
static __always_inline __u64 lb_backend_live(__u32 id)
{
	const __u64 *live = live_get(id);

	return live && id < LB_MAX_BACKENDS ? READ_ONCE(*live) : 0;
}

/*
 * Numbers that the user may set by `lbctl policy param NAME KEY VALUE [service SERVICE]`:
 *
 *	enum { BITS };
 *	LB_TUNABLES({ "bits", "of the client's address that count", 0, 32, 24 });
 *
 * Each is {name, help, low, high, initial}, at most LB_MAX_TUNABLES of them, in the order of
 * the enum.  lb_tunable(flow, BITS) is what holds for the flow's service: never less than low
 * nor more than high, if initial is within.  It costs one array lookup.
 */
#define LB_TUNABLES(...)                                                                 \
	const volatile struct lb_tunable lb_declared[LB_MAX_TUNABLES] SEC(               \
		".rodata.tunables") = { __VA_ARGS__ };                                   \
	struct {                                                                         \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                        \
		__uint(map_flags, BPF_F_MMAPABLE);                                       \
		__uint(max_entries, LB_MAX_SERVICES + 1);                                \
		__type(key, __u32);                                                      \
		__type(value, struct lb_tunables);                                       \
	} tunables SEC(".maps");                                                         \
	static __always_inline __u64 lb_tunable(const struct lb_policy_flow *flow,       \
						__u32 index)                             \
	{                                                                                \
		const struct lb_tunables *own =                                          \
			bpf_map_lookup_elem(&tunables, &flow->service);                  \
                                                                                         \
		index &= LB_MAX_TUNABLES - 1;                                            \
		if (!own || !(READ_ONCE(own->set) >> index & 1))                         \
			return lb_declared[index].initial;                               \
		return READ_ONCE(own->value[index]);                                     \
	}                                                                                \
	_Static_assert(1, "") /* for the semicolon */

/* ---- from here on, what LB_POLICY is made of ---------------------------------------- */

static __always_inline void policy_flow(const struct lb_pkt *pkt,
					struct lb_policy_flow *flow)
{
	flow->service = pkt->service & (LB_MAX_SERVICES - 1);
	flow->family = pkt->family;
	flow->protocol = pkt->protocol;
	flow->per_packet = !!(pkt->flags & LB_PKT_PER_PACKET);
	flow->l3 = pkt->l3;
	flow->l4 = pkt->l4;
	flow->attempt = pkt->flags & LB_PKT_UNKNOWN ? 0 : pkt->attempt;
	if (pkt->table == 4) {
		const struct lb_flow_key4 *key = (const void *)pkt->key;

		flow->client[0] = key->client;
		flow->port = key->port;
	} else {
		const struct lb_flow_key6 *key = (const void *)pkt->key;

		__builtin_memcpy(flow->client, key->client, sizeof(flow->client));
		flow->port = key->port;
	}
}

/* The backend that the policy named itself.  It may have gone since. */
static __always_inline enum lb_reason policy_backend(struct lb_pkt *pkt, __u32 id)
{
	const struct lb_backend *backend = backend_get(id);

	if (!backend || !id || id >= LB_MAX_BACKENDS || !READ_ONCE(backend->ref) ||
	    backend->service != pkt->service)
		return LB_REASON_BAD_SLOT;
	pkt->backend = id;
	return READ_ONCE(backend->state) == LB_BACKEND_ACTIVE ? LB_REASON_NONE
							      : LB_REASON_BACKEND_DOWN;
}

static __always_inline enum lb_reason policy_answer(struct lb_pkt *pkt,
						    const struct lb_policy_flow *flow,
						    const struct lb_table *table,
						    __u32 answer)
{
	if (answer == LB_DROP)
		return LB_REASON_POLICY_DROP;
	if (answer >= LB_BACKEND(0) && answer < LB_BACKEND(LB_MAX_BACKENDS))
		return policy_backend(pkt, answer - LB_BACKEND(0));
	pkt->backend = lb_slot_backend(flow, table, answer);
	return pkt->backend ? LB_REASON_NONE : LB_REASON_BAD_SLOT;
}

static __always_inline void policy_decided(__u32 slot)
{
	struct lb_policy_count *n = bpf_map_lookup_elem(&lb_policy_counts, &slot);

	if (n)
		n->decisions++;
}

typedef __u32 lb_select(const struct lb_policy_flow *flow, const struct lb_table *table);

/*
 * lb_unknown asks of the service's table before this one: the answer is in pkt->backend, if
 * the policy is the one that chose there.
 */
static __always_inline void policy_previous(struct xdp_md *ctx, struct lb_pkt *pkt,
					    __u32 self, lb_select *select)
{
	struct lb_policy_flow flow = { .ctx = ctx };
	__u32 service = pkt->service, zero = 0;
	void *map = bpf_map_lookup_elem(&lb_previous, &service);
	const struct lb_table *table = map ? bpf_map_lookup_elem(map, &zero) : NULL;

	if (!table || !table->n_slots || table->policy != self)
		return;
	policy_flow(pkt, &flow);
	flow.slots = map;
	if (policy_answer(pkt, &flow, table, select(&flow, table)))
		pkt->backend = LB_NO_BACKEND;
	policy_decided(self);
}

/* On with what the policy chose, if it did. */
static __always_inline int policy_done(struct xdp_md *ctx, struct lb_pkt *pkt,
				       const struct lb_table *table,
				       enum lb_reason reason)
{
	if (pkt->flags & LB_PKT_UNKNOWN) {
		if (reason)
			pkt->backend = LB_NO_BACKEND;
		lb_go(ctx, LB_STAGE_UNKNOWN);
		reason = LB_REASON_NO_STAGE;
	} else if (!reason && table && (table->flags & LB_TABLE_F_ADMIT)) {
		lb_go(ctx, LB_STAGE_ADMIT);
		reason = LB_REASON_NO_STAGE;
	}
	return reason ? lb_drop(ctx, pkt, reason) : lb_go_forward(ctx, pkt);
}

typedef void lb_ask_previous(struct xdp_md *ctx, struct lb_pkt *pkt);

/*
 * The program around a policy.  Table, header and slot come from one lookup, so that a
 * flip in the meantime cannot mix two tables; and if it is another policy's table by now,
 * that policy has the packet.
 */
static __always_inline int policy_run(struct xdp_md *ctx, __u32 self, lb_select *select,
				      lb_ask_previous *ask_previous)
{
	struct lb_pkt *pkt = lb_pkt();
	struct lb_policy_flow flow = { .ctx = ctx };
	const struct lb_table *table;
	enum lb_reason reason;
	__u32 service, zero = 0;
	void *map;

	if (!pkt)
		return lb_abort();
	if ((pkt->flags & LB_PKT_UNKNOWN) && pkt->attempt == LB_UNKNOWN_PREVIOUS) {
		pkt->backend = LB_NO_BACKEND;
		if (ask_previous)
			ask_previous(ctx, pkt);
		return policy_done(ctx, pkt, NULL, LB_REASON_NONE);
	}
	service = pkt->service;
	map = bpf_map_lookup_elem(&lb_tables, &service);
	table = map ? bpf_map_lookup_elem(map, &zero) : NULL;
	if (table && table->n_slots && table->policy == self) {
		policy_flow(pkt, &flow);
		flow.slots = map;
		reason = policy_answer(pkt, &flow, table, select(&flow, table));
		policy_decided(self);
	} else if (table && table->n_slots) {
		bpf_tail_call(ctx, &lb_policies, table->policy);
		reason = LB_REASON_NO_STAGE;
	} else {
		reason = LB_REASON_EMPTY_DROP;
	}
	return policy_done(ctx, pkt, table, reason);
}

/*
 * The previous table has a function of its own: a lookup is a direct call only while the
 * verifier sees but one map there, and each new flow makes those in the current table.
 */
#define LB_POLICY(prog, policy_name, table_kind, policy_promises, flow, table)           \
	const volatile struct lb_policy_meta lb_policy_meta SEC(".rodata.policy") = {    \
		.magic = LB_POLICY_MAGIC,                                                \
		.abi = LB_ABI_VERSION,                                                   \
		.kind = (table_kind),                                                    \
		.promises = (policy_promises),                                           \
		.name = policy_name,                                                     \
	};                                                                               \
	static __always_inline __u32 prog##__select(const struct lb_policy_flow *flow,   \
						    const struct lb_table *table);       \
	static __noinline __attribute__((unused)) void prog##__previous(                 \
		struct xdp_md *ctx, struct lb_pkt *pkt)                                  \
	{                                                                                \
		policy_previous(ctx, pkt, lb_policy_meta.slot, prog##__select);          \
	}                                                                                \
	SEC("xdp")                                                                       \
	int prog(struct xdp_md *ctx)                                                     \
	{                                                                                \
		return policy_run(ctx, lb_policy_meta.slot, prog##__select,              \
				  (policy_promises)&LB_PROMISE_CONSISTENT                \
					  ? prog##__previous                             \
					  : NULL);                                       \
	}                                                                                \
	char _license[] SEC("license") = "GPL";                                          \
	static __always_inline __u32 prog##__select(                                     \
		const struct lb_policy_flow *flow __attribute__((unused)),               \
		const struct lb_table *table __attribute__((unused)))

#endif /* LB_POLICY_BPF_H */
