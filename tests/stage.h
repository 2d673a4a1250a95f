/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stage.h - load stages over private maps and run one packet with BPF_PROG_TEST_RUN.
 *
 * Nothing is pinned: the maps belong to the test and die with it.  Objects loaded
 * into the same struct stage share the maps whose names begin with lb_, as lbctl has
 * them share the pinned ones, so one object makes a stage and several make the chain.
 *
 * All functions fail the running test when the kernel refuses.
 */
#ifndef TEST_STAGE_H
#define TEST_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/bpf.h>
#include <lb/abi.h>
#include "packet.h"

#define STAGE_OBJECTS 24

/* clang-format off */
/* What a program that stands in for the next stage returns (stage_stop). */
#define REACHED_REWRITE	1001
#define REACHED_POLICY	1002	/* + the policy's slot */
#define REACHED_STAGE	1100	/* + enum lb_stage */

struct stage {
	struct lb_params params;
	struct bpf_object *obj[STAGE_OBJECTS];
	int n_obj;
	int stop_fd[16];		/* programs of stage_stop */
	int n_stops;
	int clock_fd;			/* program of stage_now */
	__u32 n_services, n_backends;	/* ids given by world.h */
	__u32 n_devices;
};

/* What came out of a run. */
struct run {
	__u32 verdict;			/* XDP_*, or REACHED_* */
	size_t len;			/* of the packet */
	__u8 *pkt;			/* in `out`, behind the metadata */
	size_t n_meta;
	__u8 out[PACKET_MAX + 256];
};

/* clang-format on */

/* Pin to CPU 0, choose sizes; zeros mean 64 flows and 2 * that of translated ports. */
void stage_init(struct stage *s, __u32 flow_buckets, __u32 nat_slots);
void stage_close(struct stage *s);
/* Move this thread to @cpu; stage_scratch reads that CPU's record from now on. */
void stage_pin(int cpu);

/* Load BUILD/@name.bpf.o, e.g. "progs/lb_parse"; return its first program. */
int stage_load(struct stage *s, const char *name);
/* The same, and make it reachable by tail calls. */
void stage_load_rewrite(struct stage *s);
/* Load lb_parse and every stage that there is; return lb_parse. */
int stage_load_all(struct stage *s);
/* What it loads beside lb_parse, and where tail calls find it. */
extern const struct stage_slot {
	const char *name;
	enum lb_stage slot;
} stage_slots[];
extern const size_t n_stage_slots;

void stage_load_policy(struct stage *s, const char *name, __u32 slot);
/* In their place, a program that only returns REACHED_*: one stage is tested alone. */
void stage_stop_rewrite(struct stage *s);
void stage_stop(struct stage *s, enum lb_stage stage);
void stage_stop_policy(struct stage *s, __u32 slot);

int stage_program(const struct stage *s, const char *name);
int stage_map(const struct stage *s, const char *name);
/* -1 if no object loaded so far has it. */
int stage_find_map(const struct stage *s, const char *name);

/* Run @prog on @len bytes that came in on @ifindex (0: lo). */
void stage_run(int prog, const void *pkt, size_t len, __u32 ifindex, struct run *ret);
void stage_run_layers(int prog, const struct layer *in, __u32 ifindex, struct run *ret);
/* Run @prog, a tc program, on a packet of the stack. */
void stage_run_skb(int prog, const struct layer *in, struct run *ret);
/* The run's packet is exactly these layers; says what differs. */
void stage_expect(const struct run *r, const struct layer *want);

/* Jiffies, as the data path reads them. */
__u32 stage_now(const struct stage *s);

struct lb_pkt stage_scratch(const struct stage *s);
void stage_set_scratch(const struct stage *s, const struct lb_pkt *pkt);

/* Sums over all CPUs. */
__u64 stage_reason(const struct stage *s, enum lb_reason reason);
__u64 stage_event(const struct stage *s, enum lb_event event);
struct lb_count stage_service_count(const struct stage *s, __u32 id);
struct lb_count stage_backend_count(const struct stage *s, __u32 id);
const char *stage_reason_name(enum lb_reason reason);
/* Print the reasons counted since the last call or stage_init: for failing tests. */
void stage_print_reasons(const struct stage *s);

#endif /* TEST_STAGE_H */
