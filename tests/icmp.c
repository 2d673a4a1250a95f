// SPDX-License-Identifier: GPL-2.0-only
/*
 * icmp.c - the world that ICMP errors are about.
 */
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <string.h>

#include "icmp.h"

struct stage icmp_stage;

static const struct {
	enum lb_forward forward;
	const char *address[2];
} modes[] = {
	[FULLNAT] = { LB_FORWARD_FULLNAT, { "10.0.0.10", "2001:db8::10" } },
	[VIA] = { LB_FORWARD_NAT, { "10.0.0.11", "2001:db8::11" } },
	[LOCAL] = { LB_FORWARD_LOCAL, { "10.0.0.12", "2001:db8::12" } },
	[DIRECT] = { LB_FORWARD_DSR, { "10.0.0.13", "2001:db8::13" } },
	[TUNNEL] = { LB_FORWARD_IPIP, { "10.0.0.14", "2001:db8::14" } },
};

static const __u16 ports[] = { [OF_TCP] = HTTP, [OF_UDP] = DNS, [OF_ICMP] = 0 };

__u32 icmp_service(const struct about *a)
{
	return (a->mode * 2 + (a->family == 6)) * N_PROTOCOLS + a->protocol;
}

const char *icmp_service_address(const struct about *a)
{
	return modes[a->mode].address[a->family == 6];
}

__u16 icmp_service_port(const struct about *a)
{
	return ports[a->protocol];
}

static bool ports_change(const struct about *a)
{
	return a->mode != DIRECT && a->mode != TUNNEL && a->protocol != OF_ICMP;
}

static void add(const struct about *a)
{
	const __u8 protocols[] = {
		[OF_TCP] = IPPROTO_TCP,
		[OF_UDP] = IPPROTO_UDP,
		[OF_ICMP] = a->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
	};
	const struct world_service service = {
		.address = icmp_service_address(a),
		.port = icmp_service_port(a),
		.protocol = protocols[a->protocol],
		.forward = modes[a->mode].forward,
	};
	__u32 id = world_add(&icmp_stage, &service);

	assert_int_equal(id, icmp_service(a));
	world_add_backend(&icmp_stage, id, a->family == 4 ? BACKEND1 : BACKEND1_6,
			  ports_change(a) ? SERVER : icmp_service_port(a));
}

static void add_source(__u32 index, const char *address)
{
	struct lb_source source = {};

	source.family = world_address(address, source.address);
	source.prefix = source.family == 4 ? 32 : 128;
	world_put(&icmp_stage, "lb_sources", index, &source);
}

/* Tunnels come from the balancer's own addresses. */
static void set_sources(void)
{
	add_source(1, SERVICE);
	add_source(2, SERVICE6);
	for (__u32 id = 1; id <= icmp_stage.n_backends; id++) {
		struct lb_backend backend = world_backend(&icmp_stage, id);

		backend.source = backend.family == 4 ? 1 : 2;
		world_put(&icmp_stage, "lb_backends", id, &backend);
	}
}

int icmp_open(void **state)
{
	static const struct lb_profile profile = {
		.timeout = { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 },
	};

	(void)state;
	hosts_open();
	stage_init(&icmp_stage, 16, 256);
	icmp_stage.params.hz = 25000; /* next hops are kept longer than a test takes */
	stage_load_all(&icmp_stage);
	stage_load_policy(&icmp_stage, "round_robin", 0);
	world_set_profile(&icmp_stage, 0, &profile);
	for (int mode = 0; mode < N_MODES; mode++)
		for (int family = 4; family <= 6; family += 2)
			for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
				add(&(struct about){ mode, family, protocol });
	set_sources();
	hosts_add_devices(&icmp_stage);
	return 0;
}

int icmp_close(void **state)
{
	(void)state;
	stage_close(&icmp_stage);
	return 0;
}

void icmp_afresh(void)
{
	int probes = stage_map(&icmp_stage, "lb_probes");
	__u32 now = stage_now(&icmp_stage);
	struct lb_hop none = {};

	flows_clear(&icmp_stage);
	for (__u32 id = 1; id <= icmp_stage.n_backends; id++) {
		world_put(&icmp_stage, "lb_hops", id, &none);
		world_set_backend(&icmp_stage, id, LB_BACKEND_ACTIVE, 1);
	}
	for (__u32 i = 0; !bpf_map_update_elem(probes, &i, &now, BPF_EXIST); i++)
		;
}

struct flow icmp_flow(const struct about *a)
{
	__u32 service = icmp_service(a);

	icmp_afresh();
	return flows_make(&icmp_stage, service, a->family == 4 ? CLIENT : CLIENT6, PORT,
			  service + 1, a->mode == FULLNAT ? NAT : PORT,
			  a->protocol == OF_TCP ? LB_FLOW_ESTABLISHED : LB_FLOW_ANSWERED,
			  3, stage_now(&icmp_stage) - SEEN);
}

void icmp_expect_flow(const struct about *a, const struct flow *was)
{
	struct flow now;

	assert_true(flows_find(&icmp_stage, icmp_service(a),
			       a->family == 4 ? CLIENT : CLIENT6, PORT, &now));
	assert_int_equal(now.seen, was->seen);
	assert_int_equal(now.way, was->way);
	assert_int_equal(now.flow.version, was->flow.version);
}

void icmp_expect(const char *what, const struct layer *in, const struct layer *out,
		 __u32 verdict, enum lb_reason reason)
{
	__u64 count = stage_reason(&icmp_stage, reason);
	struct run r;

	stage_run_layers(stage_program(&icmp_stage, "lb_parse"), in, hosts_back, &r);
	if (r.verdict != verdict || stage_reason(&icmp_stage, reason) != count + 1) {
		print_error("%s: verdict %u\n", what, r.verdict);
		stage_print_reasons(&icmp_stage);
	}
	assert_int_equal(r.verdict, verdict);
	assert_int_equal(stage_reason(&icmp_stage, reason), count + 1);
	if (verdict == XDP_DROP)
		return;
	assert_int_equal(r.n_meta, 0);
	stage_expect(&r, out);
}
