/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * admit.h - one service whose new flows are admitted: policy, lb_admit and lb_client alone.
 *
 * What a packet was found to be lies in the record, and a program that only says "reached"
 * stands for what forwards it and for lb_answer.  So no flow is made; how many each backend
 * has is what the test says.
 */
#ifndef TEST_ADMIT_H
#define TEST_ADMIT_H

#include "flows.h"
#include "table.h"

/* clang-format off */
#define ADMIT_SERVICE	7
#define ADMIT_BACKENDS	1000

enum admit_policy { BY_TURN, BY_WEIGHT, BY_FLOW, BY_ADDRESS, ADMIT_POLICIES };	/* slots */

/* A packet without a flow. */
struct asking {
	__u32 client;		/* its last 32 bits */
	__u16 port;
	int family;
	int table;		/* 0: that of its family */
	__u32 service;		/* 0: ADMIT_SERVICE */
	__u8 flags;		/* LB_PKT_* */
	__u32 now;
	bool by_client;		/* lb_client is asked first */
};
/* clang-format on */

extern struct stage admit_stage;

/* One of many flows. */
struct asking admit_flow(__u32 number);
/* What the first stage comes to; who it was meant for is in the record (stage_scratch). */
__u32 admit_run(const struct asking *a);
/* The same, which must succeed: the id of the backend. */
__u32 admit_choose(const struct asking *a);
/* Ask for @n flows, and count by backend id. */
void admit_count(__u32 *count, __u32 n);

int admit_open(void **state);
int admit_close(void **state);

/* Afresh: @n backends from id 1 on, all of weight 1, without flows, limits or age. */
void admit_begin(size_t n);
/* The table that lbctl would make of them for @policy. */
void admit_use(enum admit_policy policy);
void admit_set_promises(__u32 promises);
void admit_set_weight(__u32 id, __u32 weight);
void admit_set_state(__u32 id, enum lb_backend_state state);
void admit_set_live(__u32 id, __u64 live);
void admit_set_limit(__u32 id, __u32 max_flows);
/* It joined so many jiffies ago. */
void admit_set_age(__u32 id, __u64 age);
void admit_set_service(__u32 slow_start, __u32 affinity, enum lb_on_empty on_empty);
/* How often a policy was asked. */
__u64 admit_decisions(void);

#endif /* TEST_ADMIT_H */
