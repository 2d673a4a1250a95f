// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy.c - one policy alone, asked for flow after flow.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

struct stage policy_stage;
__u8 policy_flags, policy_attempt;
static const char *loaded;

void policy_use(const char *name)
{
	if (loaded)
		stage_close(&policy_stage);
	stage_init(&policy_stage, 0, 0);
	stage_load_policy(&policy_stage, name, SELF);
	stage_stop_rewrite(&policy_stage);
	stage_stop_policy(&policy_stage, OTHER);
	loaded = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
}

int policy_close(void **state)
{
	(void)state;
	stage_close(&policy_stage);
	return 0;
}

struct policy_service *policy_service_make(size_t n)
{
	struct policy_service *s = calloc(1, sizeof(*s));

	s->model = (struct model_service){
		.port = 80,
		.protocol = IPPROTO_TCP,
		.n_backends = n,
		.backends = s->backend,
		.address = { .family = 4, .word = { htonl(0x0a00000a) } },
	};
	for (size_t i = 0; i < n; i++)
		s->backend[i] = (struct model_backend){
			.id = i + 1,
			.address = { .family = 4, .word = { htonl(0x0a010001 + i) } },
			.port = 8080,
			.weight = 1,
			.state = LB_BACKEND_ACTIVE,
		};
	return s;
}

/* For policies that look at more than the table. */
static void put_backends(const struct policy_service *s)
{
	for (size_t i = 0; i < s->model.n_backends; i++) {
		const struct model_backend *b = &s->backend[i];
		struct lb_backend record = {
			.ref = LB_BACKEND_REF(b->id, 1),
			.service = SERVICE_ID,
			.state = b->state,
			.weight = b->weight,
			.family = 4,
			.port = htons(b->port),
		};

		world_put(&policy_stage, "lb_backends", b->id, &record);
	}
}

void policy_install(const struct policy_service *s, enum lb_table_kind kind)
{
	struct lb_table head = { .policy = SELF,
				 .kind = kind,
				 .seed = table_seed(&s->model) };
	struct table t;

	put_backends(s);
	assert_int_equal(table_build(&s->model, kind, &t), 0);
	head.n_backends = t.n_backends;
	world_set_table(&policy_stage, SERVICE_ID, &head, t.slot, t.n_slots);
	table_free(&t);
}

static __u32 run_client(__u32 client, __u16 port, int family)
{
	struct lb_flow_key4 key4 = { .client = htonl(client),
				     .service = SERVICE_ID,
				     .port = htons(port) };
	struct lb_flow_key6 key6 = { .client = { htonl(0x20010db8), 0, 0, key4.client },
				     .port = key4.port,
				     .service = SERVICE_ID };
	struct lb_pkt pkt = { .service = SERVICE_ID,
			      .family = family,
			      .table = family,
			      .protocol = IPPROTO_TCP,
			      .tcp_flags = TH_SYN,
			      .flags = policy_flags,
			      .attempt = policy_attempt,
			      .l3 = 14,
			      .l4 = 34,
			      .length = 64 };
	static const __u8 frame[64];
	struct run r;

	memcpy(pkt.key, family == 4 ? (void *)&key4 : (void *)&key6,
	       family == 4 ? sizeof(key4) : sizeof(key6));
	stage_set_scratch(&policy_stage, &pkt);
	stage_run(stage_program(&policy_stage, loaded), frame, sizeof(frame), 0, &r);
	return r.verdict;
}

__u32 policy_run(__u32 flow, int family)
{
	return run_client(0xc0000000 + flow / 7, 1024 + flow % 60000, family);
}

__u32 policy_choose_for(__u32 client, __u16 port, int family)
{
	__u32 verdict = run_client(client, port, family);

	if (verdict != REACHED_REWRITE)
		stage_print_reasons(&policy_stage);
	assert_int_equal(verdict, REACHED_REWRITE);
	return stage_scratch(&policy_stage).backend;
}

__u32 policy_choose(__u32 flow, int family)
{
	return policy_choose_for(0xc0000000 + flow / 7, 1024 + flow % 60000, family);
}

void policy_count(__u32 *count, __u32 first, __u32 n, int family)
{
	for (__u32 flow = first; flow < first + n; flow++)
		count[policy_choose(flow, family)]++;
}
