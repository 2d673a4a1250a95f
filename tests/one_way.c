// SPDX-License-Identifier: GPL-2.0-only
/*
 * one_way.c - the chain with services in dsr, ipip and gue, and rows of packets through it.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <string.h>

#include "one_way.h"

#define PROTOCOLS 3

struct stage one_way_stage;
int one_way_parse;

static const struct {
	enum lb_forward forward;
	const char *backend4, *backend6; /* of the services of each family */
	const char *at4, *at6;
} ways[N_WAYS] = {
	[DSR] = { LB_FORWARD_DSR, BACKEND1, BACKEND1_6, AT_DSR, AT_DSR_6 },
	[IPIP4] = { LB_FORWARD_IPIP, BACKEND1, BACKEND1, AT_IPIP4, AT_IPIP4_6 },
	[IPIP6] = { LB_FORWARD_IPIP, BACKEND1_6, BACKEND1_6, AT_IPIP6, AT_IPIP6_6 },
	[GUE4] = { LB_FORWARD_GUE, BACKEND1, BACKEND1, AT_GUE4, AT_GUE4_6 },
	[GUE6] = { LB_FORWARD_GUE, BACKEND1_6, BACKEND1_6, AT_GUE6, AT_GUE6_6 },
};

/* ---- the world --------------------------------------------------------------------- */

/* Ids: way by way, IPv4 first, TCP, UDP and ICMP of each. */
enum way one_way_of(__u32 service)
{
	return service / (2 * PROTOCOLS);
}

static bool is_ip6(__u32 service)
{
	return service / PROTOCOLS % 2;
}

static const char *backend_of(__u32 service)
{
	enum way way = one_way_of(service);

	return is_ip6(service) ? ways[way].backend6 : ways[way].backend4;
}

void one_way_set_backend(__u32 service, const char *address, __u32 source)
{
	struct lb_backend backend = world_backend(&one_way_stage, service + 1);

	memset(backend.address, 0, sizeof(backend.address));
	backend.family = world_address(address, backend.address);
	backend.source = one_way_of(service) == DSR ? 0 : source;
	world_put(&one_way_stage, "lb_backends", service + 1, &backend);
}

static void reset_backend(__u32 service)
{
	const char *address = backend_of(service);

	one_way_set_backend(service, address, strchr(address, ':') ? SOURCE6 : SOURCE4);
	world_set_backend(&one_way_stage, service + 1, LB_BACKEND_ACTIVE, 1);
}

static void add_service(enum way way, bool ip6, int which)
{
	const struct world_service service = {
		.address = ip6 ? ways[way].at6 : ways[way].at4,
		.port = which == 0   ? HTTP
			: which == 1 ? DNS
				     : 0,
		.protocol = which == 0	 ? IPPROTO_TCP
			    : which == 1 ? IPPROTO_UDP
			    : ip6	 ? IPPROTO_ICMPV6
					 : IPPROTO_ICMP,
		.forward = ways[way].forward,
	};
	__u32 id = world_add(&one_way_stage, &service), backend;

	backend = world_add_backend(&one_way_stage, id, backend_of(id), service.port);
	assert_int_equal(backend, id + 1);
	world_set_uniform(&one_way_stage, id, 0, backend, 1);
	reset_backend(id);
}

static void add_source(__u32 index, const char *address, __u32 prefix)
{
	struct lb_source source = { .prefix = prefix };

	source.family = world_address(address, source.address);
	world_put(&one_way_stage, "lb_sources", index, &source);
}

int one_way_open(void **state)
{
	static const struct lb_profile profile = {
		.timeout = { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 },
	};

	(void)state;
	hosts_open();
	stage_init(&one_way_stage, 16, 256);
	one_way_stage.params.hz = 25000; /* next hops are kept longer than a test takes */
	one_way_parse = stage_load_all(&one_way_stage);
	stage_load_policy(&one_way_stage, "round_robin", 0);
	stage_stop(&one_way_stage, LB_STAGE_ANSWER);
	world_set_profile(&one_way_stage, 0, &profile);
	for (int way = 0; way < N_WAYS; way++)
		for (int i = 0; i < 2 * PROTOCOLS; i++)
			add_service(way, i / PROTOCOLS, i % PROTOCOLS);
	add_source(SOURCE4, TUNNEL4, 32);
	add_source(SOURCE6, TUNNEL6, 128);
	add_source(SPREAD4, "172.16.0.0", 16);
	add_source(SPREAD6, "2001:db8:5:6::", 64);
	hosts_add_devices(&one_way_stage);
	return 0;
}

int one_way_close(void **state)
{
	(void)state;
	stage_close(&one_way_stage);
	return 0;
}

static void set_device(__u32 slot, const struct lb_tag *tag, __u32 out, __u32 flags)
{
	struct lb_device dev;

	world_get(&one_way_stage, "lb_devices", slot, &dev);
	memcpy(dev.tag, tag, sizeof(dev.tag));
	dev.out = out;
	dev.flags = flags;
	world_put(&one_way_stage, "lb_devices", slot, &dev);
}

void one_way_afresh(void)
{
	static const struct lb_tag none[LB_TAGS];
	static const struct lb_hop unknown;
	int probes = stage_map(&one_way_stage, "lb_probes");
	__u32 now = stage_now(&one_way_stage);

	flows_clear(&one_way_stage);
	for (__u32 id = 0; id < one_way_stage.n_services; id++) {
		world_put(&one_way_stage, "lb_hops", id + 1, &unknown);
		reset_backend(id);
	}
	for (__u32 i = 0; !bpf_map_update_elem(probes, &i, &now, BPF_EXIST); i++)
		;
	set_device(0, none, hosts_front, 0);
	set_device(1, none, hosts_back, 0);
}

/* ---- packets -------------------------------------------------------------------------- */

static const struct layer *find_layer(const struct layer *l, enum layer_kind a,
				      enum layer_kind b)
{
	while (l->kind != a && l->kind != b && l->kind != LAYER_END)
		l++;
	return l;
}

__u32 one_way_service(const struct layer *in)
{
	const struct layer *ip = find_layer(in, LAYER_IP4, LAYER_IP6), *l4 = ip;
	int way;

	while (l4->kind != LAYER_TCP && l4->kind != LAYER_UDP && l4->kind != LAYER_ICMP)
		l4++;
	for (way = 0; way < N_WAYS - 1; way++)
		if (!strcmp(ip->dst, ways[way].at4) || !strcmp(ip->dst, ways[way].at6))
			break;
	return 2 * PROTOCOLS * way + (ip->kind == LAYER_IP6 ? PROTOCOLS : 0) +
	       (l4->kind == LAYER_TCP	? 0
		: l4->kind == LAYER_UDP ? 1
					: 2);
}

__u64 one_way_hash(const struct layer *in)
{
	const struct layer *ip = find_layer(in, LAYER_IP4, LAYER_IP6);
	__u64 key[3];
	int family = flows_key(ip->src, PORT, one_way_service(in), key);

	return flows_hash(&one_way_stage, family, key);
}

void one_way_fill(const struct layer *in, const struct layer *want, const struct run *r,
		  struct layer ret[16])
{
	__u64 hash = one_way_hash(in);
	size_t i, at = 0;

	for (i = 0; want[i].kind != LAYER_END; i++)
		ret[i] = want[i];
	ret[i] = want[i];
	for (i = 0; ret[i].kind == LAYER_ETH || ret[i].kind == LAYER_VLAN; i++)
		at += ret[i].kind == LAYER_ETH ? 14 : 4;
	if (ret[i].kind == LAYER_IP4 && ret[i].plain && !(ret[i].frag & 0x4000) &&
	    r->len >= at + 6)
		ret[i].id = r->pkt[at + 4] << 8 | r->pkt[at + 5];
	if (ret[i].kind == LAYER_IP6 && ret[i].plain)
		ret[i].label = hash >> 44;
	if (ret[i + 1].kind == LAYER_UDP && ret[i + 1].dport == 6080)
		ret[i + 1].sport = 0xc000 | (hash >> 32 & 0x3fff);
}

/* ---- rows -------------------------------------------------------------------------- */

/* The first packet of the flow that @in is of. */
static void begin_flow(const struct layer *in, __u32 ifindex)
{
	struct layer first[8];
	struct run r;
	size_t n = 0;

	for (const struct layer *l = in; l->kind != LAYER_END; l++) {
		first[n] = *l;
		if (l->kind == LAYER_TCP)
			first[n].flags = TH_SYN;
		if (l->kind != LAYER_DATA && l->kind != LAYER_PAD)
			n++;
	}
	first[n] = (struct layer){ .kind = LAYER_END };
	stage_run_layers(one_way_parse, first, ifindex, &r);
}

static void prepare(const struct row *row, __u32 service)
{
	__u32 source = strchr(backend_of(service), ':') ? SOURCE6 : SOURCE4;

	one_way_afresh();
	if (row->backend || row->source || row->no_source)
		one_way_set_backend(service, row->backend ?: backend_of(service),
				    row->no_source ? NO_SOURCE : row->source ?: source);
	set_device(0, (struct lb_tag[LB_TAGS]){}, hosts_front, row->flags);
	set_device(1, row->tag, row->below ? hosts_front : hosts_back, row->flags);
	if (row->known)
		begin_flow(row->in, row->from_front ? hosts_front : hosts_back);
	if (row->state)
		world_set_backend(&one_way_stage, service + 1, row->state, 1);
}

static void check_mark(const struct row *row, __u32 service, const struct run *r)
{
	struct lb_mark mark;

	assert_int_equal(r->n_meta, row->verdict == XDP_PASS ? sizeof(mark) : 0);
	if (row->verdict != XDP_PASS)
		return;
	memcpy(&mark, r->out, sizeof(mark));
	assert_int_equal(mark.magic, LB_MARK_MAGIC);
	assert_int_equal(mark.ifindex, hosts_back);
	assert_memory_equal(&mark.tag, &row->marked, sizeof(mark.tag));
	assert_int_equal(mark.backend, one_way_of(service) == DSR ? service + 1 : 0);
}

/* A packet that leaves is counted with all its bytes, the new ones too. */
static void check_counts(const struct lb_count *before, const struct lb_count *after,
			 bool sent, size_t len, enum lb_reason reason)
{
	assert_int_equal(after->packets - before->packets, sent);
	assert_int_equal(after->bytes - before->bytes, sent ? len : 0);
	assert_int_equal(after->drops - before->drops, !sent);
	if (!sent)
		assert_int_equal(after->drop_reason, reason);
}

void one_way_run_row(void **state)
{
	const struct row *row = *state;
	__u32 service = one_way_service(row->in);
	enum lb_reason reason = row->reason
					?: row->known ? LB_REASON_KNOWN_FLOW
						      : LB_REASON_NEW_FLOW;
	struct lb_count before, after;
	struct layer want[16];
	struct run r;
	__u64 count;

	prepare(row, service);
	count = stage_reason(&one_way_stage, reason);
	before = stage_service_count(&one_way_stage, service);
	stage_run_layers(one_way_parse, row->in,
			 row->from_front ? hosts_front : hosts_back, &r);
	if (stage_reason(&one_way_stage, reason) != count + 1)
		stage_print_reasons(&one_way_stage);
	assert_int_equal(stage_reason(&one_way_stage, reason), count + 1);
	assert_int_equal(r.verdict, row->verdict ?: XDP_TX);

	one_way_fill(row->in, row->out ?: row->in, &r, want);
	stage_expect(&r, want);
	check_mark(row, service, &r);
	after = stage_service_count(&one_way_stage, service);
	check_counts(&before, &after, row->out, r.len, reason);
	flows_check(&one_way_stage);
}

int one_way_run_rows(const char *name, const struct row *rows, size_t n_rows,
		     const struct CMUnitTest *more, size_t n_more)
{
	struct CMUnitTest units[n_rows + n_more];

	for (size_t i = 0; i < n_rows; i++)
		units[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = one_way_run_row,
			.initial_state = (void *)&rows[i],
		};
	memcpy(units + n_rows, more, n_more * sizeof(*more));
	(void)name;
	return _cmocka_run_group_tests(name, units, n_rows + n_more, one_way_open,
				       one_way_close);
}
