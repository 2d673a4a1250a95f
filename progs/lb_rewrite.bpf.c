// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_rewrite - other addresses and ports, both ways: full NAT, nat and local.
 *
 * in:   lb_pkt as lb_parse, lb_wide or lb_reply left it; of a new flow (version 0) also the
 *       backend's id, from the policy
 * out:  XDP_TX, or XDP_REDIRECT by another interface; XDP_PASS with a mark for lb_resolve
 *       if the kernel has to find the next hop; plain XDP_PASS of local; to lb_answer if it
 *       does not fit the way to the backend
 * else: XDP_DROP with a reason; a new flow may be there all the same
 */
#include "mtu.bpf.h"
#include "nat_claim.bpf.h"
#include "reply.bpf.h"
#include "send.bpf.h"
#include "translate.bpf.h"
#include "tuple.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_REWRITE;

/* Where the search for a translated port begins: see nat_claim.bpf.h. */
static __always_inline __u32 first_port(struct lb_pkt *pkt, int table)
{
	__u64 h = lb_hash_step(lb_params.seed[0], client_address(pkt)[0], lb_params.seed);

	if (table == 6) {
		h = lb_hash_step(h, pkt->key[0], lb_params.seed);
		h = lb_hash_step(h, pkt->key[1], lb_params.seed);
	}
	return (__u16)(lb_hash_end(h, lb_params.seed) >> 40) +
	       bpf_ntohs(client_port(pkt));
}

static __always_inline __be16 claim_port(struct lb_pkt *pkt, int table,
					 const struct lb_service *service,
					 const struct lb_backend *backend,
					 struct flow_place *p)
{
	/* One load: lbctl may be writing, and half of each range is none. */
	union {
		__u32 word;
		__u16 port[2];
	} range = { READ_ONCE(*(const __u32 *)&service->port_low) };
	union nat_tuple t = {};

	if (table == 4) {
		t.v4.backend = backend->address[0];
		t.v4.address = service->address[0];
		t.v4.backend_port = backend->port;
		t.v4.protocol = pkt->protocol;
	} else {
		__builtin_memcpy(t.v6.backend, backend->address, 16);
		__builtin_memcpy(t.v6.address, pkt->origin, 16);
		t.v6.backend_port = backend_port(pkt, service, backend);
		t.v6.protocol = pkt->protocol;
	}
	return nat_claim(table, &t, first_port(pkt, table), range.port[0], range.port[1],
			 p, pkt->now);
}

/* Global: see change_state(). */
__noinline int commit4(struct lb_pkt *pkt, const struct lb_service *service)
{
	if (!pkt || !service)
		return LB_REASON_ABORTED;
	return commit(pkt, 4, service, claim_port);
}

__noinline int commit6(struct lb_pkt *pkt, const struct lb_service *service)
{
	if (!pkt || !service)
		return LB_REASON_ABORTED;
	return commit(pkt, 6, service, claim_port);
}

/*
 * With persistence none the policy has chosen before a flow was looked for: the client has
 * one with each backend, so that replies find it.
 */
__noinline int find_with_backend(struct lb_pkt *pkt)
{
	const struct lb_service *service = pkt ? service_get(pkt->service) : NULL;
	struct wide_name name = {};
	__u32 chosen;

	if (!service)
		return LB_REASON_ABORTED;
	chosen = pkt->backend;
	name.port = pkt->origin_port;
	name.backend = LB_BACKEND_REF_ID(chosen);
	if (address_names_flow(service->forward))
		__builtin_memcpy(name.address, pkt->origin, sizeof(name.address));
	wide_key(pkt, client_address(pkt), client_port(pkt), &name);
	if (!flow_find(pkt, 6)) {
		pkt->backend = chosen;
		return LB_REASON_NONE;
	}
	if ((pkt->flags & LB_PKT_WIDE) && !wide_agrees(pkt))
		return LB_REASON_NO_PORT;
	return LB_REASON_NONE;
}

/* Without a translated port, only the client's tells whose a reply is. */
static __always_inline bool can_be_told_apart(struct lb_pkt *pkt,
					      const struct lb_service *service)
{
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));

	return service->forward == LB_FORWARD_FULLNAT || !backend ||
	       !reply_is_taken(pkt, backend_port(pkt, service, backend));
}

/* Enter the flow, or follow it. */
static __always_inline enum lb_reason
the_flow(struct lb_pkt *pkt, const struct lb_service *service, enum lb_reason *ret_sent)
{
	enum lb_reason reason = LB_REASON_NONE;

	if (!pkt->version) {
		set_origin(pkt, service);
		if (pkt->flags & LB_PKT_PER_PACKET)
			reason = find_with_backend(pkt);
		if (reason)
			return reason;
	}
	if (pkt->version)
		return follow(pkt, pkt_backend(pkt), ret_sent);
	*ret_sent = sent_first(pkt);
	if (!can_be_told_apart(pkt, service))
		return LB_REASON_NO_PORT;
	return pkt->table == 4 ? commit4(pkt, service) : commit6(pkt, service);
}

static __always_inline int rewrite(struct xdp_md *ctx, struct lb_pkt *pkt, int family)
{
	const struct lb_service *service = service_get(pkt->service);
	bool local = service && service->forward == LB_FORWARD_LOCAL;
	const struct lb_backend *backend;
	enum lb_reason reason, sent;
	struct next_hop hop = {};
	struct tuple to;

	if (!service)
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	if (!local && time_to_live(ctx, pkt, family) <= 1)
		return lb_drop(ctx, pkt, LB_REASON_TTL_EXPIRED);
	reason = the_flow(pkt, service, &sent);
	if (reason)
		return lb_drop(ctx, pkt, reason);
	backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));
	if (!backend)
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);

	if (local)
		reason = LB_REASON_NONE;
	else if (pkt->direction == LB_TO_BACKEND)
		reason = hop_to_backend(ctx, pkt, family, service->address, &hop);
	else
		reason = hop_to_client(ctx, pkt, family, service->address, &hop);
	if (reason)
		return lb_drop(ctx, pkt, reason);

	if (is_too_long(ctx, pkt, &hop))
		return too_long(ctx, pkt, &hop);
	make_tuple(pkt, service, backend, &to);
	if (!translate(ctx, pkt, family, &to))
		return lb_drop(ctx, pkt, LB_REASON_ABORTED);
	if (local)
		return lb_forward(ctx, pkt, sent, XDP_PASS);
	return send(ctx, pkt, &hop, sent);
}

SEC("xdp")
int lb_rewrite(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();

	if (!pkt)
		return lb_abort();
	if (pkt->family == 4)
		return rewrite(ctx, pkt, 4);
	return rewrite(ctx, pkt, 6);
}

char _license[] SEC("license") = "GPL";
