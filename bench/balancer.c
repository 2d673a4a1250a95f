// SPDX-License-Identifier: GPL-2.0-only
/*
 * balancer.c - load the shipped stages and give them a service.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "balancer.h"
#include "match.h"
#include "table.h"

#define LONG_TIME 1000000 /* jiffies: no flow ends while one measures */

void balancer_open_hosts(void)
{
	hosts_open();
	/* A frame of 1,500 bytes fits in a tunnel. */
	hosts_run("ip link set back-end mtu 9000");
	hosts_run("ip link set back mtu 9000");
}

static __u32 n_backends(const struct balancer_service *service)
{
	return service->mode == LB_FORWARD_FULLNAT ? BALANCER_MANY : BALANCER_BACKENDS;
}

static const char *backend_address(const struct balancer_service *service, __u32 i)
{
	static const char *const v4[] = { BACKEND1, BACKEND2, BACKEND3 };
	static const char *const v6[] = { BACKEND1_6, BACKEND2_6, BACKEND3_6 };

	if (service->mode == LB_FORWARD_LOCAL) /* the host itself */
		return service->family == 4 ? "10.0.0.10" : "2001:db8::10";
	return service->family == 4 ? v4[i % 3] : v6[i % 3];
}

/* As lbctl's model has them: what tables are made of. */
static struct model_service model_of(struct balancer *b, struct model_backend *backends,
				     const struct balancer_service *from)
{
	struct model_service model = { .id = b->service,
				       .port = BALANCER_PORT,
				       .protocol = from->protocol,
				       .backends = backends,
				       .n_backends = n_backends(from) };

	model.address.family = 4;
	for (__u32 i = 0; i < model.n_backends; i++)
		backends[i] = (struct model_backend){
			.id = i + 1,
			.address = { .family = 4, .word = { htonl(0x0a000002 + i % 3) } },
			.port = 8000 + i,
			.weight = 1,
			.state = LB_BACKEND_ACTIVE,
		};
	return model;
}

/* What the policy loaded last says of itself. */
static struct lb_policy_meta policy_meta(const struct stage *s)
{
	struct bpf_map *map =
		bpf_object__find_map_by_name(s->obj[s->n_obj - 1], ".rodata.policy");
	struct lb_policy_meta meta;
	__u32 zero = 0;

	assert_non_null(map);
	assert_return_code(bpf_map_lookup_elem(bpf_map__fd(map), &zero, &meta), errno);
	return meta;
}

static void install_table(struct balancer *b, const struct balancer_service *from)
{
	static struct model_backend backends[BALANCER_MANY];
	struct model_service model = model_of(b, backends, from);
	struct lb_policy_meta meta = policy_meta(&b->stage);
	struct lb_table head = {
		.policy = BALANCER_POLICY,
		.kind = meta.kind,
		.promises = meta.promises,
		.generation = 1,
		.seed = table_seed(&model),
	};
	struct table t;

	assert_int_equal(table_build(&model, meta.kind, &t), 0);
	head.n_backends = t.n_backends;
	world_set_table(&b->stage, b->service, &head, t.slot, t.n_slots);
	table_free(&t);
}

/* For the policy match: all datagrams to the first backend, by two bytes of theirs. */
static void install_rules(struct balancer *b)
{
	static const struct lb_match_rules rules = {
		.n = 2,
		.rule = { RULE(0, ANY, 0, "no", 2), RULE(0, ANY, 0, "xx", 1) },
	};
	int fd = stage_find_map(&b->stage, "lb_match_rules");

	if (fd >= 0)
		assert_return_code(bpf_map_update_elem(fd, &b->service, &rules, 0),
				   errno);
}

static void add_service(struct balancer *b, const struct balancer_service *from)
{
	const struct world_service service = {
		.address = from->family == 4 ? SERVICE : SERVICE6,
		.port = BALANCER_PORT,
		.protocol = from->protocol,
		.forward = from->mode,
		.flags = from->per_packet ? LB_SERVICE_F_PER_PACKET : 0,
	};

	b->service = world_add(&b->stage, &service);
	for (__u32 i = 0; i < n_backends(from); i++)
		world_add_backend(&b->stage, b->service, backend_address(from, i),
				  8000 + i);
	install_table(b, from);
	install_rules(b);
}

static bool is_needed(enum lb_stage stage, enum lb_forward mode)
{
	switch (stage) {
	case LB_STAGE_ENCAP:
		return mode == LB_FORWARD_IPIP || mode == LB_FORWARD_GUE;
	case LB_STAGE_DSR:
		return mode == LB_FORWARD_DSR;
	case LB_STAGE_REWRITE:
		return LB_FORWARD_IS_NAT(mode);
	default:
		return stage == LB_STAGE_REPLY && LB_FORWARD_IS_NAT(mode);
	}
}

/* Those that packets here come to.  The verifier takes a second for all of them. */
static int load_stages(struct stage *s, enum lb_forward mode)
{
	int parse = stage_load(s, "progs/lb_parse"), prog;
	char name[64];

	for (size_t i = 0; i < n_stage_slots; i++) {
		__u32 slot = stage_slots[i].slot;

		if (!is_needed(slot, mode))
			continue;
		snprintf(name, sizeof(name), "progs/%s", stage_slots[i].name);
		prog = stage_load(s, name);
		world_put(s, "lb_stages", slot, &prog);
	}
	return parse;
}

void balancer_open(struct balancer *b, const struct balancer_service *service,
		   __u32 slots)
{
	struct lb_profile profile;

	for (int i = 0; i < LB_FLOW_STATES; i++)
		profile.timeout[i] = LONG_TIME;
	stage_init(&b->stage, slots / LB_FLOW_WAYS, 2 * slots);
	b->parse = load_stages(&b->stage, service->mode);
	stage_load_policy(&b->stage, service->policy, BALANCER_POLICY);
	hosts_add_devices(&b->stage);
	world_set_profile(&b->stage, 0, &profile);
	add_service(b, service);
}

void balancer_close(struct balancer *b)
{
	stage_close(&b->stage);
}
