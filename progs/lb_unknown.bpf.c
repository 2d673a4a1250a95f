// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_unknown - TCP without a flow and no SYN: whose was it?
 *
 * The flow may have been evicted, or the connection comes over from another balancer.  A
 * policy that promises consistency chooses as it did when the connection began, if it is
 * asked of the same table: for the service's grace time after a flip of the one before,
 * then of the current one.  Before that counts where a client is remembered to be, with
 * persistence client.  Unlike a new flow's, the choice may be a backend that drains.
 * If no such policy knows, the service's on-unknown says what to do.
 *
 * The flow is half-open until the client's next ACK, as after a SYN: so a flood of ACKs
 * evicts no connection.
 *
 * in:   lb_pkt as of a new flow, with LB_PKT_UNKNOWN; attempt is LB_UNKNOWN_NONE, or what
 *       the policy was asked of, and `backend` its answer then (0: none)
 * out:  to a policy, which comes back here; with a backend, to what forwards the packet;
 *       by on-unknown select as any new flow; to lb_answer
 * else: XDP_DROP with a reason
 */
#include "choose.bpf.h"
#include "clients.bpf.h"
#include "flow_state.bpf.h"
#include "order.bpf.h"
#include "previous.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_UNKNOWN;

/* Would a flow with the backend that the policy named be forwarded? */
static __always_inline bool is_usable(const struct lb_pkt *pkt)
{
	const struct lb_backend *backend = backend_get(pkt->backend);
	__u32 state;

	if (!pkt->backend || !READ_ONCE(backend->ref) || backend->service != pkt->service)
		return false;
	state = READ_ONCE(backend->state);
	return state == LB_BACKEND_ACTIVE || state == LB_BACKEND_DRAIN;
}

static __always_inline bool is_consistent(const struct lb_table *table)
{
	return table && table->n_slots && (table->promises & LB_PROMISE_CONSISTENT);
}

/* The tables' headers, also of those without a slot. */
static __always_inline const struct lb_table *current_header(__u32 service)
{
	void *map = bpf_map_lookup_elem(&lb_tables, &service);
	__u32 zero = 0;

	return map ? bpf_map_lookup_elem(map, &zero) : NULL;
}

static __always_inline const struct lb_table *previous_header(__u32 service)
{
	void *map = bpf_map_lookup_elem(&lb_previous, &service);
	__u32 zero = 0;

	return map ? bpf_map_lookup_elem(map, &zero) : NULL;
}

/* Does the table before @current count still? */
static __always_inline bool is_in_grace(const struct lb_table *current,
					const struct lb_service *service)
{
	return current &&
	       bpf_jiffies64() - current->flipped_at < READ_ONCE(service->grace);
}

/*
 * With persistence client the policy did not choose, if the client had been there before: is
 * it remembered where?  As long as the time goes from its last flow, and also by a backend
 * that drains.
 */
static __always_inline bool is_remembered(struct lb_pkt *pkt,
					  const struct lb_service *service)
{
	__u32 affinity = READ_ONCE(service->affinity), ref;
	const struct lb_backend *backend;
	const struct lb_client *client;
	struct lb_client_key key;

	if (!affinity)
		return false;
	client_key(pkt, &key);
	client = bpf_map_lookup_elem(&lb_clients, &key);
	if (!client || (__s32)(pkt->now - READ_ONCE(client->seen)) >= (__s32)affinity)
		return false;
	ref = READ_ONCE(client->backend);
	backend = backend_get(LB_BACKEND_REF_ID(ref));
	if (READ_ONCE(backend->ref) != ref)
		return false;
	pkt->backend = LB_BACKEND_REF_ID(ref);
	return is_usable(pkt);
}

/*
 * Ask the next policy that may know.  Comes back if there is none, or its slot is empty: it
 * was unloaded since.
 */
static __always_inline void ask(struct xdp_md *ctx, struct lb_pkt *pkt,
				const struct lb_service *service)
{
	const struct lb_table *current = current_header(pkt->service), *previous;

	if (pkt->attempt == LB_UNKNOWN_NONE) {
		pkt->attempt = LB_UNKNOWN_PREVIOUS;
		previous = is_in_grace(current, service) ? previous_header(pkt->service)
							 : NULL;
		if (is_consistent(previous))
			go_policy(ctx, previous->policy);
	}
	if (pkt->attempt == LB_UNKNOWN_PREVIOUS) {
		pkt->attempt = LB_UNKNOWN_CURRENT;
		if (is_consistent(current))
			go_policy(ctx, current->policy);
	}
}

/* Nobody knows. */
static __always_inline int on_unknown(struct xdp_md *ctx, struct lb_pkt *pkt,
				      const struct lb_service *service)
{
	__u32 how = READ_ONCE(service->on_unknown);

	if (how == LB_ON_UNKNOWN_AUTO)
		how = LB_FORWARD_IS_NAT(service->forward) ? LB_ON_UNKNOWN_RESET
							  : LB_ON_UNKNOWN_DROP;
	pkt->backend = LB_NO_BACKEND;
	/* Nothing goes on after a reset, and nobody is to be told. */
	if (how == LB_ON_UNKNOWN_DROP || (pkt->tcp_flags & TCP_RST))
		return lb_drop(ctx, pkt, LB_REASON_UNKNOWN_FLOW);
	if (how == LB_ON_UNKNOWN_RESET)
		return lb_tell(ctx, pkt, LB_ANSWER_REJECT, LB_REASON_UNKNOWN_RESET);
	pkt->flags &= ~LB_PKT_UNKNOWN;
	return choose(ctx, pkt, table_get(pkt->service));
}

SEC("xdp")
int lb_unknown(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();
	const struct lb_service *service;

	if (!pkt)
		return lb_abort();
	if (pkt->attempt != LB_UNKNOWN_NONE && is_usable(pkt))
		return lb_go_forward(ctx, pkt);
	service = service_get(pkt->service);
	/* A client sends no SYN-ACK to a service: there was no such connection. */
	if (!(pkt->tcp_flags & TCP_SYN)) {
		if (pkt->attempt == LB_UNKNOWN_NONE && is_remembered(pkt, service))
			return lb_go_forward(ctx, pkt);
		ask(ctx, pkt, service);
	}
	return on_unknown(ctx, pkt, service);
}

char _license[] SEC("license") = "GPL";
