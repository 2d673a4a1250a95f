/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy.h - one policy alone, asked for flow after flow.
 *
 * What a policy may know of a flow lies in the record, and a program that only says
 * "reached" stands for lb_rewrite.  The tables are made by lbctl's code, so that a law
 * holds for what is really installed.
 */
#ifndef TEST_POLICY_H
#define TEST_POLICY_H

#include "table.h"
#include "world.h"

/* clang-format off */
#define MAX_BACKENDS	1000
#define SELF		2	/* slot of the policy under test */
#define OTHER		5	/* of another one */
#define SERVICE_ID	7
struct policy_service {
	struct model_service model;
	struct model_backend backend[MAX_BACKENDS];
};
/* clang-format on */

extern struct stage policy_stage;
/* LB_PKT_* of the packets that are asked for. */
extern __u8 policy_flags;
/* How often an answer for the flow could not be had. */
extern __u8 policy_attempt;

/* Load the policy of that name, or at that path from build/policies, alone. */
void policy_use(const char *name);
int policy_close(void **state);

/* @n backends 10.1.x.y with ids 1..n, all of weight 1; to be freed. */
struct policy_service *policy_service_make(size_t n);
/* Give the service the table that lbctl would. */
void policy_install(const struct policy_service *s, enum lb_table_kind kind);

/* Ask for one of many different flows: the verdict. */
__u32 policy_run(__u32 flow, int family);
/* The same, which must succeed: the id of the backend. */
__u32 policy_choose(__u32 flow, int family);
__u32 policy_choose_for(__u32 client, __u16 port, int family);
/* Ask for @n flows, and count by backend id. */
void policy_count(__u32 *count, __u32 first, __u32 n, int family);

#endif /* TEST_POLICY_H */
