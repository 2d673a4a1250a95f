// SPDX-License-Identifier: GPL-2.0-only
/*
 * lb_dsr - another destination MAC, and nothing else (direct server return).
 *
 * The backend is on a network that the host is connected to, has the service's address
 * itself, and answers the client directly.  The packet stays on its link, so its TTL does.
 *
 * in:   lb_pkt as lb_parse or lb_wide left it; of a new flow (version 0) also the backend's
 *       id, from the policy
 * out:  XDP_TX or XDP_REDIRECT; XDP_PASS with a mark for lb_resolve if the kernel has to
 *       find the next hop; to lb_answer if it does not fit the link there
 * else: XDP_DROP with a reason; a new flow may be there all the same
 */
#include "mtu.bpf.h"
#include "one_way.bpf.h"
#include "send.bpf.h"

static const __u8 lb_this_stage = LB_STAGE_DSR;

SEC("xdp")
int lb_dsr(struct xdp_md *ctx)
{
	struct lb_pkt *pkt = lb_pkt();
	const struct lb_service *service;
	enum lb_reason reason, sent;
	struct next_hop hop = {};

	if (!pkt)
		return lb_abort();
	service = service_get(pkt->service);
	reason = one_way(pkt, service, &sent);
	if (reason)
		return lb_drop(ctx, pkt, reason);

	reason = hop_to_backend(ctx, pkt, pkt->family, service->address, &hop);
	if (!reason && hop.gateway)
		reason = LB_REASON_NOT_CONNECTED;
	if (reason)
		return lb_drop(ctx, pkt, reason);
	if (is_too_long(ctx, pkt, &hop))
		return too_long(ctx, pkt, &hop);
	hop.via = LB_BACKEND_REF_ID(pkt->backend);
	return send(ctx, pkt, &hop, sent);
}

char _license[] SEC("license") = "GPL";
