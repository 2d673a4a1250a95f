// SPDX-License-Identifier: GPL-2.0-only
/*
 * rewrite.c - lb_rewrite alone.
 */
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <string.h>

#include "rewrite.h"

struct stage rewrite_stage;

int rewrite_open(void **state)
{
	static const struct lb_profile profile = {
		.timeout = { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 },
	};

	(void)state;
	hosts_open();
	stage_init(&rewrite_stage, 16, 256);
	rewrite_stage.params.hz = 25000; /* next hops are kept longer than a test takes */
	stage_load(&rewrite_stage, "progs/lb_rewrite");
	world_set_profile(&rewrite_stage, 0, &profile);
	world_add_service(&rewrite_stage, SERVICE, HTTP, IPPROTO_TCP);
	world_add_service(&rewrite_stage, SERVICE, DNS, IPPROTO_UDP);
	world_add_service(&rewrite_stage, SERVICE6, HTTP, IPPROTO_TCP);
	world_add_service(&rewrite_stage, SERVICE6, DNS, IPPROTO_UDP);
	/* One translated port: so it is known which. */
	for (__u32 id = WEB; id < N_SERVICES; id++) {
		world_add_backend(&rewrite_stage, id, id < WEB6 ? BACKEND1 : BACKEND1_6,
				  SERVER);
		world_set_ports(&rewrite_stage, id, NAT, NAT);
	}
	hosts_add_devices(&rewrite_stage);
	return 0;
}

int rewrite_close(void **state)
{
	(void)state;
	stage_close(&rewrite_stage);
	return 0;
}

void rewrite_afresh(void)
{
	int probes = stage_map(&rewrite_stage, "lb_probes");
	__u32 now = stage_now(&rewrite_stage);
	struct lb_hop none = {};

	flows_clear(&rewrite_stage);
	for (__u32 id = 1; id <= rewrite_stage.n_backends; id++) {
		world_put(&rewrite_stage, "lb_hops", id, &none);
		world_set_backend(&rewrite_stage, id, LB_BACKEND_ACTIVE, 1);
	}
	for (__u32 i = 0; !bpf_map_update_elem(probes, &i, &now, BPF_EXIST); i++)
		;
}

static size_t layer_offset(const struct layer *layers, enum layer_kind a,
			   enum layer_kind b, const struct layer **ret)
{
	struct layer head[16] = {};
	__u8 scratch[PACKET_MAX];
	size_t n;

	for (n = 0; layers[n].kind != a && layers[n].kind != b; n++)
		head[n] = layers[n];
	*ret = &layers[n];
	return packet_build(scratch, head);
}

struct lb_pkt rewrite_parsed(const struct layer *in, const char *client,
			     __u16 client_port, __u16 nat_port, bool fresh)
{
	struct lb_pkt pkt = { .now = stage_now(&rewrite_stage) };
	const struct layer *ip, *l4;
	__u8 bytes[PACKET_MAX];
	__u32 service;
	struct flow f;

	pkt.length = packet_build(bytes, in);
	pkt.l3 = layer_offset(in, LAYER_IP4, LAYER_IP6, &ip);
	pkt.l4 = layer_offset(in, LAYER_TCP, LAYER_UDP, &l4);
	pkt.family = ip->kind == LAYER_IP4 ? 4 : 6;
	pkt.protocol = l4->kind == LAYER_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	pkt.tcp_flags = l4->kind == LAYER_TCP ? l4->flags ?: TH_ACK : 0;
	pkt.direction = l4->sport == SERVER ? LB_TO_CLIENT : LB_TO_BACKEND;
	service = (pkt.family == 4 ? WEB : WEB6) + (l4->kind == LAYER_UDP);
	client = client ?: pkt.family == 4 ? CLIENT : CLIENT6;
	pkt.service = service;
	pkt.backend = service + 1; /* each service has one */
	flows_key(client, client_port, service, pkt.key);
	pkt.table = pkt.family;
	pkt.hash = flows_hash(&rewrite_stage, pkt.family, pkt.key);
	if (fresh)
		return pkt;

	f = flows_make(&rewrite_stage, service, client, client_port, service + 1,
		       nat_port,
		       pkt.protocol == IPPROTO_TCP ? LB_FLOW_ESTABLISHED : LB_FLOW_STREAM,
		       5, pkt.now);
	pkt.backend = f.flow.backend;
	pkt.position = f.position;
	pkt.version = f.flow.version;
	pkt.nat_port = f.flow.nat_port;
	pkt.way = f.way;
	return pkt;
}

void rewrite_run(const struct lb_pkt *pkt, const struct layer *in, __u32 ifindex,
		 struct run *ret)
{
	stage_set_scratch(&rewrite_stage, pkt);
	stage_run_layers(stage_program(&rewrite_stage, "lb_rewrite"), in, ifindex, ret);
}

void rewrite_expect_mark(const struct run *r, bool marked)
{
	struct lb_mark mark;

	assert_int_equal(r->n_meta, marked ? sizeof(mark) : 0);
	if (!marked)
		return;
	memcpy(&mark, r->out, sizeof(mark));
	assert_int_equal(mark.magic, LB_MARK_MAGIC);
	assert_int_equal(mark.ifindex, hosts_back);
}
