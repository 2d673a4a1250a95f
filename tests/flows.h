/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flows.h - read, write and judge the flow tables of a stage from outside.
 *
 * Reads whole buckets by the bpf() syscall, so it is for times when nothing runs.
 */
#ifndef TEST_FLOWS_H
#define TEST_FLOWS_H

#include "world.h"

/* clang-format off */
/* One flow as it lies in its table. */
struct flow {
	int family;
	__u32 position;
	__u64 key[3];
	struct lb_flow flow;
	__be32 origin[4];	/* of IPv4's own table: 0 */
	__u16 tag;
	__u8 way;		/* LB_WAY */
	__u32 seen;
};

/* clang-format on */

/* Flows of @family into @ret, at most @max; how many there are. */
size_t flows_scan(const struct stage *s, int family, struct flow *ret, size_t max);

/* The flow of that client's end, if there is one; ret->position says where. */
bool flows_find(const struct stage *s, __u32 service, const char *client, __u16 port,
		struct flow *ret);
bool flows_find_key(const struct stage *s, int family, const __u64 *key,
		    struct flow *ret);
/* Its key and hash; the family. */
int flows_key(const char *client, __u16 port, __u32 service, __u64 ret_key[3]);
__u64 flows_hash(const struct stage *s, int family, const __u64 *key);
__u32 flows_service(const struct flow *f);
/* The two buckets of a hash. */
void flows_buckets(const struct stage *s, __u64 hash, __u32 ret[2]);

/* Write @f at its position: tag and key by flow->key, version even.  Also its place in
 * lb_nat and in lb_live. */
void flows_put(const struct stage *s, struct flow *f);
/* Make a flow in the first bucket, way @way. */
struct flow flows_make(const struct stage *s, __u32 service, const char *client,
		       __u16 port, __u32 backend, __u16 nat_port,
		       enum lb_flow_state state, __u32 way, __u32 seen);
/* Overwrite state and last-seen time of a flow that is there. */
void flows_age(const struct stage *s, const struct flow *f, enum lb_flow_state state,
	       __u32 seen);
void flows_clear(const struct stage *s);
/* How many places in lb_nat name a flow, be it there or not. */
size_t flows_nat_used(const struct stage *s, int family);

/*
 * What must hold at any quiet moment, of both families: no lock is held; each flow is
 * whole and where its hash says; no flow is there twice; no two share a translated
 * tuple; at most one half-open flow in a bucket is not timed out; lb_live is the
 * number of flows that are not closed.
 */
void flows_check(const struct stage *s);

#endif /* TEST_FLOWS_H */
