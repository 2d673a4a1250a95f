/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate_world.h - where policies are asked: services with their backends, flows, one run.
 *
 * The kernel waits for a grace period at both ends of a test run that repeats.  So the
 * services, one of each set for each kind of table, are made once, and all that a policy is
 * asked for is planned and then asked in one run.
 */
#ifndef LB_GATE_WORLD_H
#define LB_GATE_WORLD_H

#include <bpf/libbpf.h>
#include <lb/trial.h>

#include "gate.h"

/* Backends of a service, with these weights in turn. */
struct gate_set {
	__u32 n;
	__u32 weight[10]; /* ends before the first 0 */
	__u32 gone;	  /* this one, from 1, is not usable; 0: all are */
	__u32 standby;	  /* so many of the last are of the second priority */
};

enum gate_set_name {
	SET_ONE,
	SET_TWO,
	SET_TEN,
	SET_FIFTY,
	SET_MANY, /* 200 */
	SET_WEIGHTS,
	SET_STEPS, /* of weight */
	SET_GIANT,
	SET_STANDBY,
	SET_TEN_LESS, /* SET_TEN when one has gone */
	SET_FIFTY_LESS,
	GATE_SETS
};
extern const struct gate_set gate_sets[GATE_SETS];

/* Where the flows are; the odd ones are fragments, packets of their own, second attempts. */
#define FLOWS_ALL     8192 /* from 0 on */
#define FLOWS_ODD     8192
#define FLOWS_MOVED   12288 /* of the first clients, from other ports */
#define N_FLOWS_ODD   1024
#define N_FLOWS_MOVED 2048

struct gate_service {
	struct lb_table *table; /* its header, and the slots behind it; mapped */
	__u32 first;		/* backend id */
};

/* What was asked in one part. */
struct gate_part {
	enum lb_table_kind kind;
	enum gate_set_name set;
	__u32 n;
	__u32 flow, step;
	const __u32 *answer;
	__u32 ns; /* each took */
};

struct gate {
	const struct state *state;
	const char *path; /* of the policy that is asked */
	struct lb_policy_meta meta;
	struct bpf_object *world, *policy;	    /* the policy's copy; NULL: none */
	struct lb_tunable tunable[LB_MAX_TUNABLES]; /* of the policy */
	__u32 n_tunables;
	int ask, hear, policies; /* lb_ask, lb_hear; the map lb_policies */

	/* Mapped. */
	struct lb_trial *trial;
	struct lb_records *records;

	struct gate_service service[LB_TABLE_KIND_MAX][GATE_SETS];
	__u16 quota[LB_TRIAL_BACKENDS]; /* slots of each backend */
	__u32 n_ids;

	struct gate_part part[LB_TRIAL_PARTS];
	__u32 n_parts, n_answers;

	__u32 base_ns;	      /* of asking nobody */
	__u32 base_single_ns; /* the same, one by one */
	__u32 cost_ns;
	char *why; /* the law that is broken, or "" */
	int err;   /* a run that failed; nothing counts after it */
};

/* Another policy's copy, or this one's once more with its maps empty; reports. */
int gate_load(struct gate *g);

enum gate_tuning { TUNED_INITIAL, TUNED_LOW, TUNED_HIGH };
/* Set all of the policy's tunables, for all services. */
void gate_tune(struct gate *g, enum gate_tuning how);

/* Make all services, and the flows: as different as may be, the same each time. */
int gate_make_services(struct gate *g);
void gate_make_flows(struct gate *g);
void gate_free_services(struct gate *g);

/* Forget what was planned. */
void gate_plan(struct gate *g);
/* Ask for @n flows from @flow on, by @step; the part in which the answers will be. */
const struct gate_part *gate_plan_part(struct gate *g, enum lb_table_kind kind,
				       enum gate_set_name set, __u32 flow, __u32 step,
				       __u32 n);
/* Ask all that was planned, or one flow after another (which is slow, but waits for
 * nobody): the ns of the fastest. */
void gate_run(struct gate *g);
__u32 gate_run_singly(struct gate *g);
/* Whatever was answered must be a backend, or a drop: else false, and why. */
bool gate_answers(struct gate *g);

/* What is wrong, at most once; false. */
bool gate_fail(struct gate *g, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
#define GATE_FLOW_TEXT_SIZE 96
/* The flow of the part's @i-th answer. */
char *gate_flow_text(const struct gate *g, const struct gate_part *part, __u32 i,
		     char *ret);
/* Which of its set's backends it was, from 1; 0: none. */
__u32 gate_chosen(const struct gate *g, const struct gate_part *part, __u32 i);

/* Does it keep what it promises?  If not, g->why or g->err says so (gate_laws.c). */
bool gate_judge(struct gate *g);

#endif /* LB_GATE_WORLD_H */
