// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace.c - the whole chain with tracing switched on.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "trace.h"

struct traced traced;

const struct layer *const syn = PKT(ETH(), IP4(CLIENT, SERVICE), TO(HTTP, SYN));
const struct layer *const ack = PKT(ETH(), IP4(CLIENT, SERVICE), TO(HTTP));
const struct layer *const foreign = PKT(ETH(), IP4(FAR_CLIENT, SERVICE), UDP(PORT, HTTP));

static int take(void *arg, void *data, size_t size)
{
	struct traced *t = arg;
	const struct lb_trace_event *e = data;
	const __u8 *bytes = data + sizeof(*e);

	memset(&t->last, 0, sizeof(t->last));
	t->last.event = *e;
	assert_int_equal(size, sizeof(*e) + e->kept_in + e->kept_out);
	assert_in_range(e->kept_in, 0, LB_TRACE_SNAP);
	assert_in_range(e->kept_out, 0, LB_TRACE_SNAP);
	memcpy(t->last.in, bytes, e->kept_in);
	memcpy(t->last.out, bytes + e->kept_in, e->kept_out);
	t->n++;
	return 0;
}

static void add_service(__u32 id, const struct world_service *service, __u32 policy,
			const char *const *backends, __u16 port)
{
	__u32 n;

	assert_int_equal(world_add(&traced.stage, service), id);
	for (n = 0; backends[n]; n++) {
		__u32 backend = world_add_backend(&traced.stage, id, backends[n], port);

		if (!n)
			traced.backend[id] = backend;
	}
	world_set_uniform(&traced.stage, id, policy, traced.backend[id], n);
}

static void add_services(void)
{
	static const char *const three[] = { BACKEND1, BACKEND2, BACKEND3, NULL };
	static const char *const three6[] = { BACKEND1_6, BACKEND2_6, BACKEND3_6, NULL };
	static const char *const silent[] = { SILENT, NULL }, *const none[] = { NULL };
	struct world_service web = { SERVICE, HTTP, .protocol = IPPROTO_TCP }, web6 = web,
			     lost = web, bare = web, dsr = web, empty = web;

	web6.address = SERVICE6;
	lost.port = NOBODY;
	bare.port = BARE;
	dsr.port = DIRECT;
	dsr.forward = LB_FORWARD_DSR;
	empty.port = EMPTY;
	empty.on_empty = LB_ON_EMPTY_DROP;
	add_service(WEB, &web, CHAIN_POLICY, three, SERVER);
	add_service(WEB6, &web6, CHAIN_POLICY, three6, SERVER);
	add_service(LOST_WEB, &lost, CHAIN_POLICY, silent, SERVER);
	add_service(BARE_WEB, &bare, NO_POLICY, three, SERVER);
	add_service(DSR_WEB, &dsr, CHAIN_POLICY, three, DIRECT);
	add_service(EMPTY_WEB, &empty, CHAIN_POLICY, none, 0);
}

int trace_open(void **state)
{
	struct lb_profile profile;

	(void)state;
	for (int i = 0; i < LB_FLOW_STATES; i++)
		profile.timeout[i] = 1000000;
	hosts_open();
	stage_init(&traced.stage, 16, 256);
	traced.stage.params.hz = 25000; /* next hops are kept longer than a test takes */
	traced.parse = stage_load_all(&traced.stage);
	stage_load_policy(&traced.stage, "round_robin", CHAIN_POLICY);
	world_set_profile(&traced.stage, 0, &profile);
	add_services();
	hosts_add_devices(&traced.stage);
	traced.ring = ring_buffer__new(stage_map(&traced.stage, "lb_trace_ring"), take,
				       &traced, NULL);
	assert_non_null(traced.ring);
	return 0;
}

int trace_close(void **state)
{
	(void)state;
	ring_buffer__free(traced.ring);
	stage_close(&traced.stage);
	return 0;
}

void trace_lease(__u32 until)
{
	struct lb_switches on;

	world_get(&traced.stage, "lb_switches", 0, &on);
	on.trace = until;
	world_put(&traced.stage, "lb_switches", 0, &on);
}

void trace_set(const struct lb_trace_filter *filter)
{
	trace_lease(0);
	if (!filter)
		return;
	world_put(&traced.stage, "lb_trace_filter", 0, filter);
	trace_lease((stage_now(&traced.stage) + traced.stage.params.hz) | 1);
}

size_t trace_take(void)
{
	traced.n = 0;
	assert_return_code(ring_buffer__consume(traced.ring), errno);
	return traced.n;
}

__u64 trace_lost(void)
{
	__u64 of_cpu[libbpf_num_possible_cpus()], sum = 0;
	__u32 zero = 0;

	assert_int_equal(bpf_map_lookup_elem(stage_map(&traced.stage, "lb_trace_lost"),
					     &zero, of_cpu),
			 0);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum += of_cpu[i];
	return sum;
}

int trace_afresh(void **state)
{
	static const struct lb_trace_filter all = { .snap = LB_TRACE_SNAP };
	int probes = stage_map(&traced.stage, "lb_probes");
	__u32 now = stage_now(&traced.stage);
	struct lb_hop none = {};

	(void)state;
	flows_clear(&traced.stage);
	for (__u32 id = 1; id <= traced.stage.n_backends; id++)
		world_put(&traced.stage, "lb_hops", id, &none);
	/* No packet is due to go the kernel's way. */
	for (__u32 i = 0; !bpf_map_update_elem(probes, &i, &now, BPF_EXIST); i++)
		;
	trace_take();
	trace_set(&all);
	return 0;
}

void trace_run(const struct layer *in, __u32 ifindex, struct run *ret)
{
	stage_run_layers(traced.parse, in, ifindex, ret);
}
