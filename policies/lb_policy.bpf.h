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
 * It is asked once for each new flow, with table->n_slots >= 1.  The slots name backends
 * as the kind of table says: one each (uniform), in smooth weighted order (weighted), or
 * consistently hashed (maglev).  It may be asked on any CPU and on several at once.
 * @flow and @table are good during the call.  It sees no packet, and need not know about
 * addresses of backends, state, or what happens to the flow.
 *
 * LB_DROP drops the packet (counted as policy-drop), LB_NO_SLOT and a slot out of range
 * too (bad-slot).  A policy that works on one kind of table must be safe on every kind: it
 * is only ever wrong by choosing unevenly.
 */
#ifndef LB_POLICY_BPF_H
#define LB_POLICY_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "../progs/chain.bpf.h"
#include "../progs/services.bpf.h"
#include <lb/hash.h>

static const __u8 lb_this_stage = LB_STAGE_POLICY;

#define LB_NO_SLOT 0xffffffffU
#define LB_DROP	   0xfffffffeU

/* What a policy may know of a new flow. */
struct lb_policy_flow {
	__u32 service;	  /* id, 0 .. LB_MAX_SERVICES - 1 */
	__u32 family;	  /* 4 or 6 */
	__be32 client[4]; /* IPv6, or IPv4 in word 0 */
	__be16 port;	  /* the client's */
	__u16 pad;
	__u32 protocol; /* IPPROTO_* */
};

/*
 * The flow's hash, 64 bits: of the client's address and port, the same on every balancer
 * that has the service and for as long as it exists.
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
		(__u64)flow->port | (__u64)flow->protocol << 16,
	};

	return lb_hash(word, 3, seed);
}

/* @hash, 64 bits, as a number below @n: its high half scaled, without a division. */
static __always_inline __u32 lb_scale(__u64 hash, __u32 n)
{
	return ((hash >> 32) * n) >> 32;
}

/* ---- from here on, what LB_POLICY is made of ---------------------------------------- */

static __always_inline void policy_flow(const struct lb_pkt *pkt,
					struct lb_policy_flow *flow)
{
	flow->service = pkt->service & (LB_MAX_SERVICES - 1);
	flow->family = pkt->family;
	flow->protocol = pkt->protocol;
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

/* The backend that @slot of @map names, or LB_NO_BACKEND. */
static __always_inline __u32 policy_backend(void *map, __u32 slot)
{
	__u32 chunk = 1 + slot / LB_TABLE_CHUNK;
	const struct lb_table_slots *slots = bpf_map_lookup_elem(map, &chunk);

	return slots ? slots->id[slot & (LB_TABLE_CHUNK - 1)] : LB_NO_BACKEND;
}

typedef __u32 lb_select(const struct lb_policy_flow *flow, const struct lb_table *table);

/*
 * The program around a policy.  Table, header and slot come from one lookup, so that a
 * flip in the meantime cannot mix two tables; and if it is another policy's table by now,
 * that policy has the packet.
 */
static __always_inline int policy_run(struct xdp_md *ctx, __u32 self, lb_select *select)
{
	struct lb_pkt *pkt = lb_pkt();
	struct lb_policy_flow flow = {};
	const struct lb_table *table;
	__u32 service, zero = 0, slot;
	void *map;

	if (!pkt)
		return lb_abort();
	service = pkt->service;
	map = bpf_map_lookup_elem(&lb_tables, &service);
	table = map ? bpf_map_lookup_elem(map, &zero) : NULL;
	if (!table || !table->n_slots)
		return lb_drop(ctx, pkt, LB_REASON_EMPTY_DROP);
	if (table->policy != self) {
		bpf_tail_call(ctx, &lb_policies, table->policy);
		return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
	}

	policy_flow(pkt, &flow);
	slot = select(&flow, table);
	if (slot == LB_DROP)
		return lb_drop(ctx, pkt, LB_REASON_POLICY_DROP);
	if (slot >= table->n_slots)
		return lb_drop(ctx, pkt, LB_REASON_BAD_SLOT);

	pkt->backend = policy_backend(map, slot);
	if (pkt->backend == LB_NO_BACKEND)
		return lb_drop(ctx, pkt, LB_REASON_BAD_SLOT);
	return lb_go_forward(ctx, pkt);
}

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
	SEC("xdp")                                                                       \
	int prog(struct xdp_md *ctx)                                                     \
	{                                                                                \
		return policy_run(ctx, lb_policy_meta.slot, prog##__select);             \
	}                                                                                \
	char _license[] SEC("license") = "GPL";                                          \
	static __always_inline __u32 prog##__select(const struct lb_policy_flow *flow,   \
						    const struct lb_table *table)

#endif /* LB_POLICY_BPF_H */
