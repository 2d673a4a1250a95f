// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_client - persistence client: a client that comes back goes where it was before.
 *
 * The policy is asked only for clients that are not known, or whose backend takes no new
 * flows: it is gone, drains, is down, has weight 0 or its max-flows.
 *
 * in:   lb_pkt of a packet without a flow, of a service with persistence client
 * out:  with the backend's id to what forwards the packet; else to the policy
 * else: as on-empty says, if there is no backend left; XDP_ABORTED
 */
#include "admission.bpf.h"
#include "choose.bpf.h"
#include "clients.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_CLIENT;

/*
 * May the client have @id once more?  The map may show another client's value for a moment
 * (its elements are used again under their readers), so its service is looked at, too.
 */
static __always_inline bool takes_flows(const struct lb_pkt *pkt, __u32 ref)
{
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(ref));

	if (READ_ONCE(backend->ref) != ref || backend->service != pkt->service ||
	    READ_ONCE(backend->state) != LB_BACKEND_ACTIVE || !READ_ONCE(backend->weight))
		return false;
	return !backend_is_full(pkt, LB_BACKEND_REF_ID(ref));
}

/* The reference of the client's backend, or LB_NO_BACKEND. */
static __always_inline __u32 client_backend(const struct lb_pkt *pkt, __u32 affinity)
{
	struct lb_client_key key;
	struct lb_client *client;
	__u32 ref;

	client_key(pkt, &key);
	client = bpf_map_lookup_elem(&lb_clients, &key);
	if (!client)
		return LB_NO_BACKEND;
	ref = READ_ONCE(client->backend);
	/* Signed: another CPU may have seen the client after we took the time. */
	if ((__s32)(pkt->now - READ_ONCE(client->seen)) >= (__s32)affinity ||
	    !takes_flows(pkt, ref))
		return LB_NO_BACKEND;
	WRITE_ONCE(client->seen, pkt->now);
	return ref;
}

SEC("xdp")
int lb_client(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();
	const struct lb_service *service;
	const struct lb_table *table;

	if (!pkt)
		return lb_abort();
	service = service_get(pkt->service);
	pkt->backend = LB_BACKEND_REF_ID(client_backend(pkt, service->affinity));
	if (pkt->backend)
		return lb_go_forward(ctx, pkt);

	table = table_get(pkt->service);
	if (!table)
		return no_backend(ctx, pkt);
	go_policy(ctx, table->policy);
	return lb_drop(ctx, pkt, LB_REASON_NO_STAGE);
}

char _license[] SEC("license") = "GPL";
