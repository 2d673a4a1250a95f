// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_parse - read the headers once, find the service and the flow.
 *
 * in:   an Ethernet frame
 * out:  lb_pkt holds everything but the backend of a new flow (version 0).  A known flow
 *       or a reply goes to lb_rewrite, a new flow to the policy its service's table names
 * else: XDP_PASS for what is not for a service, untouched; XDP_DROP with a reason for what
 *       is, but cannot be served
 */
#include "headers.bpf.h"
#include "endpoints.bpf.h"
#include "nat.bpf.h"
#include "services.bpf.h"

static __always_inline void copy_address(__be32 *to, const __be32 *from, int family)
{
	to[0] = from[0];
	if (family == 4)
		return;
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

static __always_inline bool address_equal(const __be32 *a, const __be32 *b, int family)
{
	if (family == 4)
		return a[0] == b[0];
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

static __always_inline __u32 find_endpoint(int family, const __be32 *address, __be16 port,
					   __u8 protocol, enum lb_endpoint_kind kind)
{
	union endpoint_key key = {};

	if (family == 4)
		key.v4 = (struct lb_endpoint_key4){
			.port = port,
			.protocol = protocol,
			.kind = kind,
		};
	else
		key.v6 = (struct lb_endpoint_key6){
			.port = port,
			.protocol = protocol,
			.kind = kind,
		};
	copy_address(family == 4 ? &key.v4.address : key.v6.address, address, family);
	return endpoint_find(family, &key);
}

static __always_inline void make_key(struct lb_pkt *pkt, const struct headers *h,
				     int family)
{
	if (family == 4) {
		struct lb_flow_key4 *key = (void *)pkt->key;

		key->client = h->source[0];
		key->port = h->sport;
		key->service = pkt->service;
	} else {
		struct lb_flow_key6 *key = (void *)pkt->key;

		copy_address(key->client, h->source, 6);
		key->port = h->sport;
		key->service = pkt->service;
		key->pad = 0;
	}
	pkt->hash = lb_hash(pkt->key, key_words(family), lb_params.seed);
}

/* Constant indices are direct jumps once compiled, so the first policies have some. */
static __always_inline void go_policy(struct xdp_md *ctx, __u32 slot)
{
	if (slot == 0)
		bpf_tail_call_static(ctx, &lb_policies, 0);
	else if (slot == 1)
		bpf_tail_call_static(ctx, &lb_policies, 1);
	else if (slot == 2)
		bpf_tail_call_static(ctx, &lb_policies, 2);
	else
		bpf_tail_call(ctx, &lb_policies, slot);
}

static __always_inline int new_flow(struct xdp_md *ctx, struct lb_pkt *pkt)
{
	__u32 zero = 0, service = pkt->service;
	const struct lb_table *table;
	void *map;

	if (pkt->protocol == IPPROTO_TCP && !tcp_is_syn(pkt->tcp_flags))
		return lb_drop(pkt, LB_REASON_UNKNOWN_FLOW);

	map = bpf_map_lookup_elem(&lb_tables, &service);
	if (!map)
		return lb_drop(pkt, LB_REASON_NO_BACKEND);
	table = bpf_map_lookup_elem(map, &zero);
	if (!table || !table->n_slots)
		return lb_drop(pkt, LB_REASON_NO_BACKEND);

	go_policy(ctx, table->policy);
	return lb_drop(pkt, LB_REASON_NO_STAGE);
}

/* Is the flow that nat_find() copied really the one that this reply belongs to? */
static __always_inline bool reply_agrees(struct lb_pkt *pkt, const struct headers *h,
					 int family)
{
	__u32 id = family == 4 ? ((struct lb_flow_key4 *)pkt->key)->service
			       : ((struct lb_flow_key6 *)pkt->key)->service;
	const struct lb_backend *backend = backend_get(LB_BACKEND_REF_ID(pkt->backend));
	const struct lb_service *service = service_get(id);

	if (!backend || !service)
		return false;

	pkt->service = id;
	return READ_ONCE(backend->ref) == pkt->backend && pkt->nat_port == h->dport &&
	       backend->port == h->sport && service->protocol == pkt->protocol &&
	       address_equal(backend->address, h->source, family) &&
	       address_equal(service->address, h->destination, family);
}

/* From a backend's port: is it a reply, of a flow that has the translated tuple? */
static __always_inline bool find_reply(struct lb_pkt *pkt, const struct headers *h,
				       int family)
{
	union nat_tuple t = {};

	if (family == 4) {
		t.v4 = (struct lb_tuple4){
			.backend = h->source[0],
			.address = h->destination[0],
			.backend_port = h->sport,
			.nat_port = h->dport,
			.protocol = pkt->protocol,
		};
	} else {
		copy_address(t.v6.backend, h->source, 6);
		copy_address(t.v6.address, h->destination, 6);
		t.v6.backend_port = h->sport;
		t.v6.nat_port = h->dport;
		t.v6.protocol = pkt->protocol;
	}
	pkt->direction = LB_TO_CLIENT;
	if (!nat_find(pkt, family, &t) || !reply_agrees(pkt, h, family))
		return false;

	nat_touch(pkt, family);
	return true;
}

/*
 * From a backend's port, but no reply.  To a translated port it is dropped: the kernel
 * would answer with a reset, in the name of our address.
 */
static __always_inline int stray_reply(const struct headers *h, int family)
{
	__u32 ports = find_endpoint(family, h->destination, 0, 0, LB_ENDPOINT_ADDRESS);
	__u32 dport = bpf_ntohs(h->dport);

	if (!ports || dport < (ports & 0xffff) || dport > ports >> 16)
		return lb_leave(LB_REASON_NOT_OURS, XDP_PASS);
	return lb_leave(h->fragment ? LB_REASON_FRAGMENT : LB_REASON_UNKNOWN_REPLY,
			XDP_DROP);
}

static __always_inline bool from_backend(const struct lb_pkt *pkt,
					 const struct headers *h, int family)
{
	return find_endpoint(family, h->source, h->sport, pkt->protocol,
			     LB_ENDPOINT_BACKEND);
}

/*
 * A translated port may be a service's port too, so a packet for a service that has no
 * flow is tried as a reply before it makes one.
 */
static __always_inline int find_flow(struct xdp_md *ctx, struct lb_pkt *pkt,
				     const struct headers *h, int family)
{
	__u32 service = find_endpoint(family, h->destination, h->dport, pkt->protocol,
				      LB_ENDPOINT_SERVICE);

	pkt->now = bpf_jiffies64();
	if (service) {
		pkt->service = service - 1;
		pkt->direction = LB_TO_BACKEND;
		pkt->backend = LB_NO_BACKEND;
		if (h->fragment)
			return lb_drop(pkt, LB_REASON_FRAGMENT);
		make_key(pkt, h, family);
		if (flow_find(pkt, family))
			return lb_go_rewrite(ctx, pkt);
		if (!from_backend(pkt, h, family))
			return new_flow(ctx, pkt);
	} else if (!from_backend(pkt, h, family)) {
		return lb_leave(LB_REASON_NOT_OURS, XDP_PASS);
	}

	if (!h->fragment && find_reply(pkt, h, family))
		return lb_go_rewrite(ctx, pkt);
	if (!service)
		return stray_reply(h, family);

	/* The search for a reply has left its traces. */
	pkt->service = service - 1;
	pkt->version = 0;
	pkt->direction = LB_TO_BACKEND;
	pkt->backend = LB_NO_BACKEND;
	make_key(pkt, h, family);
	return new_flow(ctx, pkt);
}

SEC("xdp")
int lb_parse(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();
	struct headers h = {};
	enum lb_reason reason;

	if (!pkt)
		return lb_leave(LB_REASON_ABORTED, XDP_ABORTED);

	reason = parse_headers(ctx, &h, pkt);
	if (reason)
		return lb_leave(reason, XDP_PASS);
	if (pkt->family == 4)
		return find_flow(ctx, pkt, &h, 4);
	return find_flow(ctx, pkt, &h, 6);
}

char _license[] SEC("license") = "GPL";
