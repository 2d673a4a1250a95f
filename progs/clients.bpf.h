/* SPDX-License-Identifier: GPL-2.0-only */
/* clients.bpf.h - where a client of a service with persistence client went last. */
#ifndef LB_CLIENTS_BPF_H
#define LB_CLIENTS_BPF_H

#include "chain.bpf.h"

/* Client and service -> backend.  Written by lb_admit; lb_client notes when it was used. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LB_MAX_CLIENTS);
	__type(key, struct lb_client_key);
	__type(value, struct lb_client);
} lb_clients SEC(".maps");

/* The client of @pkt, whose key begins with it. */
static __always_inline void client_key(const struct lb_pkt *pkt,
				       struct lb_client_key *ret)
{
	const __be32 *address = (const __be32 *)pkt->key;

	*ret = (struct lb_client_key){ .client[0] = address[0], .service = pkt->service };
	if (pkt->table == 6) {
		ret->client[1] = address[1];
		ret->client[2] = address[2];
		ret->client[3] = address[3];
	}
}

#endif /* LB_CLIENTS_BPF_H */
