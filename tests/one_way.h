/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * one_way.h - services in modes whose replies go past us: dsr, ipip and gue.
 *
 * Each mode and family of backends has an address of its own, in both families, with one
 * TCP, one UDP and one ICMP service there; each service has one backend.  Packets go through
 * the whole chain, from lb_parse on, so a known flow is one that was begun before.  Next
 * hops resolve in the namespace of hosts.h.
 */
#ifndef TEST_ONE_WAY_H
#define TEST_ONE_WAY_H

#include "flows.h"
#include "hosts.h"

/* clang-format off */
#define HTTP	8000
#define DNS	53
#define PORT	31337	/* the client's; of an echo, its identifier */

enum way { DSR, IPIP4, IPIP6, GUE4, GUE6, N_WAYS };

#define AT_DSR		"10.9.0.1"
#define AT_IPIP4	"10.9.0.2"	/* backends have IPv4 addresses */
#define AT_IPIP6	"10.9.0.3"	/* IPv6 */
#define AT_GUE4		"10.9.0.4"
#define AT_GUE6		"10.9.0.5"
#define AT_DSR_6	"2001:db8:9::1"
#define AT_IPIP4_6	"2001:db8:9::2"
#define AT_IPIP6_6	"2001:db8:9::3"
#define AT_GUE4_6	"2001:db8:9::4"
#define AT_GUE6_6	"2001:db8:9::5"

#define TUNNEL4		"172.16.5.9"	/* where tunnels come from */
#define TUNNEL6		"2001:db8:5::9"
enum { NO_SOURCE, SOURCE4, SOURCE6, SPREAD4, SPREAD6 };	/* indices of lb_sources */

#define TO_BACKEND	ETH(.dst = BACKEND1_MAC, .src = BACK_MAC)
#define DF		.frag = 0x4000
#define SYN		.flags = TH_SYN, BYTES("\x02\x04\x05\xb4")
#define EIGHT		"12345678"
#define ECHO4		8
#define ECHO6		128
#define QTAG		{ .type = 0x0081, .id = 0x2a00 }	/* 802.1Q, 42; in network order */
#define STAG		{ .type = 0xa888, .id = 0x0700 }	/* 802.1ad, 7 */

/* What goes around a packet; what the flow's hash decides is filled in (one_way_fill). */
#define OUTER4(...)	IP4(TUNNEL4, BACKEND1, .plain = true, __VA_ARGS__)
#define OUTER6(...)	IP6(TUNNEL6, BACKEND1_6, .plain = true, __VA_ARGS__)
#define GUE_UDP		{ .kind = LAYER_UDP, .dport = 6080 }
#define GUE_UDP0	{ .kind = LAYER_UDP, .dport = 6080, .no_check = true }

struct row {
	const char *name;
	const struct layer *in, *out;
	bool known;			/* its flow was begun before */
	bool from_front;		/* came in there */
	__u32 verdict;			/* 0: XDP_TX */
	enum lb_reason reason;		/* 0: known-flow or new-flow */
	enum lb_backend_state state;	/* of the backend once the flow is known, 0: active */
	const char *backend;		/* its address; NULL: BACKEND1 or BACKEND1_6 */
	__u32 source;			/* index in lb_sources; 0: SOURCE4 or SOURCE6 */
	bool no_source;
	struct lb_tag tag[LB_TAGS];	/* of the device `back` */
	bool below;			/* whose frames leave by `front` */
	__u32 flags;			/* of both devices, LB_DEVICE_F_* */
	struct lb_tag marked;		/* the tag in the mark */
};

#define DROP(why)	.verdict = XDP_DROP, .reason = LB_REASON_##why
#define MARK		.verdict = XDP_PASS, .reason = LB_REASON_RESOLVING
/* clang-format on */

extern struct stage one_way_stage;
extern int one_way_parse; /* the program */

int one_way_open(void **state);
int one_way_close(void **state);

/* Forget all flows and next hops, undo what rows changed; no next hop is due for a packet
 * the kernel's way. */
void one_way_afresh(void);

/* The service of the packet that @in is, and its way; the id of its backend is one more. */
__u32 one_way_service(const struct layer *in);
enum way one_way_of(__u32 service);
/* Give the one backend of @service that address, and that source of tunnels. */
void one_way_set_backend(__u32 service, const char *address, __u32 source);
/* The hash of the flow that @in is of. */
__u64 one_way_hash(const struct layer *in);

/* Fill in the outer headers of @want, in @ret, what is known only when it is made: flow label
 * and source port by the flow's hash, the identification as @r has it. */
void one_way_fill(const struct layer *in, const struct layer *want, const struct run *r,
		  struct layer ret[16]);

/* Run one row: what cmocka calls. */
void one_way_run_row(void **state);
int one_way_run_rows(const char *name, const struct row *rows, size_t n_rows,
		     const struct CMUnitTest *more, size_t n_more);

#endif /* TEST_ONE_WAY_H */
