// SPDX-License-Identifier: GPL-2.0-only
/*
 * admit.c - one service whose new flows are admitted.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "admit.h"

struct stage admit_stage;

static struct model_backend backends[ADMIT_BACKENDS];
static struct model_service model = {
	.port = 80,
	.protocol = IPPROTO_TCP,
	.backends = backends,
};
static struct lb_table head;

static const struct {
	const char *name;
	enum lb_table_kind kind;
} policies[] = {
	[BY_TURN] = { "round_robin", LB_TABLE_UNIFORM },
	[BY_WEIGHT] = { "weighted", LB_TABLE_WEIGHTED },
	[BY_FLOW] = { "hash", LB_TABLE_MAGLEV },
	[BY_ADDRESS] = { "source_hash", LB_TABLE_MAGLEV },
};

int admit_open(void **state)
{
	(void)state;
	model.address = (struct address){ .family = 4, .word = { htonl(0x0a00000a) } };
	stage_init(&admit_stage, 2048, 0);
	stage_load_all(&admit_stage);
	stage_load(&admit_stage, "progs/lb_control");
	for (int i = 0; i < ADMIT_POLICIES; i++)
		stage_load_policy(&admit_stage, policies[i].name, i);
	stage_stop_rewrite(&admit_stage);
	stage_stop(&admit_stage, LB_STAGE_ANSWER);
	return 0;
}

int admit_close(void **state)
{
	(void)state;
	stage_close(&admit_stage);
	return 0;
}

/* ---- the service ----------------------------------------------------------------------- */

static __u64 jiffies(void)
{
	struct lb_clock clock = {};
	struct run r;

	stage_run(stage_program(&admit_stage, "lb_clock"), &clock, sizeof(clock), 0, &r);
	memcpy(&clock, r.pkt, sizeof(clock));
	return clock.jiffies;
}

static void put_backend(__u32 id)
{
	const struct lb_backend backend = {
		.service = ADMIT_SERVICE,
		.ref = LB_BACKEND_REF(id, 1),
		.incarnation = 1,
		.family = 4,
		.state = backends[id - 1].state,
		.weight = backends[id - 1].weight,
	};

	world_put(&admit_stage, "lb_backends", id, &backend);
}

static void forget_clients(void)
{
	int fd = stage_map(&admit_stage, "lb_clients");
	struct lb_client_key key;

	while (!bpf_map_get_next_key(fd, NULL, &key))
		assert_return_code(bpf_map_delete_elem(fd, &key), errno);
}

void admit_begin(size_t n)
{
	const struct lb_admission none = {};

	model.n_backends = n;
	head.promises = 0;
	for (size_t i = 0; i < n; i++) {
		backends[i] = (struct model_backend){
			.id = i + 1,
			.address = { .family = 4, .word = { htonl(0x0a010001 + i) } },
			.port = 8080,
			.weight = 1,
			.state = LB_BACKEND_ACTIVE,
		};
		put_backend(i + 1);
		admit_set_live(i + 1, 0);
		world_put(&admit_stage, "lb_admissions", i + 1, &none);
	}
	admit_set_service(0, 0, LB_ON_EMPTY_REJECT);
	forget_clients();
}

void admit_use(enum admit_policy policy)
{
	struct table t;

	head.policy = policy;
	head.kind = policies[policy].kind;
	head.seed = table_seed(&model);
	head.flags = LB_TABLE_F_ADMIT;
	assert_int_equal(table_build(&model, head.kind, &t), 0);
	head.n_backends = t.n_backends;
	world_set_table(&admit_stage, ADMIT_SERVICE, &head, t.slot, t.n_slots);
	table_free(&t);
}

void admit_set_promises(__u32 promises)
{
	head.promises = promises;
	admit_use(head.policy);
}

void admit_set_weight(__u32 id, __u32 weight)
{
	backends[id - 1].weight = weight;
	put_backend(id);
}

void admit_set_state(__u32 id, enum lb_backend_state state)
{
	backends[id - 1].state = state;
	put_backend(id);
}

void admit_set_live(__u32 id, __u64 live)
{
	world_put(&admit_stage, "lb_live", id, &live);
}

void admit_set_limit(__u32 id, __u32 max_flows)
{
	struct lb_admission a;

	world_get(&admit_stage, "lb_admissions", id, &a);
	a.max_flows = max_flows;
	world_put(&admit_stage, "lb_admissions", id, &a);
}

void admit_set_age(__u32 id, __u64 age)
{
	struct lb_admission a;

	world_get(&admit_stage, "lb_admissions", id, &a);
	a.joined = jiffies() - age;
	world_put(&admit_stage, "lb_admissions", id, &a);
}

void admit_set_service(__u32 slow_start, __u32 affinity, enum lb_on_empty on_empty)
{
	const struct lb_service service = {
		.state = 1,
		.family = 4,
		.forward = LB_FORWARD_FULLNAT,
		.slow_start = slow_start,
		.affinity = affinity,
		.on_empty = on_empty,
	};

	world_put(&admit_stage, "lb_services", ADMIT_SERVICE, &service);
}

/* ---- its packets ----------------------------------------------------------------------- */

struct asking admit_flow(__u32 number)
{
	return (struct asking){ .client = 0xc0000000 + number / 7,
				.port = 1024 + number % 60000,
				.family = number % 2 ? 4 : 6 };
}

static void make_key(struct lb_pkt *pkt, const struct asking *a)
{
	struct lb_flow_key4 key4 = { .client = htonl(a->client),
				     .service = pkt->service,
				     .port = htons(a->port) };
	struct lb_flow_key6 key6 = { .port = key4.port, .service = pkt->service };

	if (a->family == 4)
		key6.client[0] = key4.client;
	else
		memcpy(key6.client,
		       (__be32[]){ htonl(0x20010db8), 0, htonl(1), key4.client }, 16);
	memcpy(pkt->key, pkt->table == 4 ? (void *)&key4 : (void *)&key6,
	       pkt->table == 4 ? sizeof(key4) : sizeof(key6));
	pkt->hash = flows_hash(&admit_stage, pkt->table, pkt->key);
}

__u32 admit_run(const struct asking *a)
{
	struct lb_pkt pkt = { .service = a->service ?: ADMIT_SERVICE,
			      .family = a->family,
			      .table = a->table ?: a->family,
			      .protocol = IPPROTO_TCP,
			      .tcp_flags = TH_SYN,
			      .flags = a->flags,
			      .stage = LB_STAGE_REWRITE,
			      .now = a->now,
			      .l3 = 14,
			      .l4 = 34,
			      .length = 64 };
	static const __u8 frame[64];
	struct run r;

	make_key(&pkt, a);
	stage_set_scratch(&admit_stage, &pkt);
	stage_run(stage_program(&admit_stage,
				a->by_client ? "lb_client" : policies[head.policy].name),
		  frame, sizeof(frame), 0, &r);
	return r.verdict;
}

__u32 admit_choose(const struct asking *a)
{
	__u32 verdict = admit_run(a);

	if (verdict != REACHED_REWRITE)
		stage_print_reasons(&admit_stage);
	assert_int_equal(verdict, REACHED_REWRITE);
	return stage_scratch(&admit_stage).backend;
}

void admit_count(__u32 *count, __u32 n)
{
	for (__u32 i = 0; i < n; i++) {
		struct asking a = admit_flow(i);

		count[admit_choose(&a)]++;
	}
}

__u64 admit_decisions(void)
{
	struct lb_policy_count all[libbpf_num_possible_cpus()];
	int fd = stage_map(&admit_stage, "lb_policy_counts");
	__u64 sum = 0;

	for (__u32 slot = 0; slot < ADMIT_POLICIES; slot++) {
		assert_return_code(bpf_map_lookup_elem(fd, &slot, all), errno);
		for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
			sum += all[cpu].decisions;
	}
	return sum;
}
