// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_aside - a private copy of an instance: it has what the instance has, it mends what was
 * caught half-done, and nothing that is tried on it is seen in the instance.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aside.h"
#include "frame.h"
#include "instance.h"
#include "reason.h"

#define VIP	0x0a010001
#define BACKEND 0x0a020001
#define CLIENT	0x0a000001

static void make_service(void)
{
	struct model_service *s;

	change_begin();
	s = add_service(&to, address4(VIP), 80, IPPROTO_TCP);
	add_backend(s, address4(BACKEND), 1);
	change_end();
}

static struct aside_result try_syn(struct aside *a, __u16 port)
{
	const struct frame f = { .source = address4(CLIENT),
				 .destination = address4(VIP),
				 .protocol = IPPROTO_TCP,
				 .sport = port,
				 .dport = 80,
				 .tcp_flags = 2 };
	__u8 packet[FRAME_MADE_MAX];
	__u32 length = frame_make(&f, packet);
	struct aside_result r;

	assert_int_equal(aside_try(a, packet, length, 0, &r), 0);
	assert_non_null(r.pkt);
	return r;
}

/* It goes to the one backend there is; whether there is a way to it is the host's matter. */
static void assert_chosen(const struct aside_result *r)
{
	assert_int_equal(LB_BACKEND_REF_ID(r->pkt->backend), 1);
	assert_string_not_equal(reason_name(r->pkt->reason), "busy");
	assert_string_not_equal(reason_name(r->pkt->reason), "not-ours");
}

static struct lb_bucket4 *map_flows(void)
{
	size_t size = sizeof(struct lb_bucket4) * state.config->params.flow_buckets;
	int fd = state_map_fd(&state, "lb_flows4");
	void *flows = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(flows, MAP_FAILED);
	close(fd);
	return flows;
}

static size_t flows_size(void)
{
	return sizeof(struct lb_bucket4) * state.config->params.flow_buckets;
}

static void has_what_the_instance_has(void **arg)
{
	struct aside_result r;
	struct aside a;

	(void)arg;
	make_service();
	assert_int_equal(aside_open(&state, &a), 0);
	r = try_syn(&a, 4711);
	assert_chosen(&r);
	assert_int_equal(r.step[0].place.stage, LB_STAGE_PARSE);
	assert_int_equal(r.step[1].place.stage, LB_STAGE_POLICY);
	assert_memory_equal(&a.state.config->params, &state.config->params,
			    sizeof(state.config->params));
	aside_close(&a);
}

static void is_not_seen(void **arg)
{
	struct lb_bucket4 *flows;
	void *before = malloc(flows_size());
	struct aside a;

	(void)arg;
	make_service();
	flows = map_flows();
	memcpy(before, flows, flows_size());
	assert_int_equal(aside_open(&state, &a), 0);
	for (__u16 port = 1; port < 20; port++)
		try_syn(&a, port);
	assert_memory_equal(before, flows, flows_size());
	assert_int_equal(state.switches->trace, 0);
	aside_close(&a);
	free(before);
	munmap(flows, flows_size());
}

/* A writer was inside of each bucket, and in the middle of each flow. */
static void mends_what_was_half_written(void **arg)
{
	struct lb_bucket4 *flows;
	struct aside_result r;
	struct aside a;

	(void)arg;
	make_service();
	flows = map_flows();
	for (__u32 i = 0; i < state.config->params.flow_buckets; i++) {
		flows[i].head.lock = 1;
		for (int way = 0; way < LB_FLOW_WAYS; way++) {
			flows[i].head.tag[way] = 1 + way;
			flows[i].flow[way].flow.version = 3;
		}
	}
	assert_int_equal(aside_open(&state, &a), 0);
	r = try_syn(&a, 4711);
	assert_chosen(&r);
	assert_int_equal(flows[0].head.lock, 1);
	aside_close(&a);
	memset(flows, 0, flows_size());
	munmap(flows, flows_size());
}

/* The last lbctl died when it had written the records, and nothing that follows of them. */
static void repairs_itself_alone(void **arg)
{
	size_t size = sizeof(*state.endpoints4) * LB_ENDPOINT_BUCKETS;
	void *endpoints = malloc(size);
	struct aside_result r;
	struct aside a;

	(void)arg;
	make_service();
	memcpy(endpoints, state.endpoints4, size);
	memset(state.endpoints4, 0, size);
	state.config->dirty = 1;
	assert_int_equal(aside_open(&state, &a), 0);
	r = try_syn(&a, 4711);
	assert_chosen(&r);
	assert_int_equal(state.config->dirty, 1);
	assert_int_equal(state.endpoints4[0].way[0].value, 0);
	aside_close(&a);
	memcpy(state.endpoints4, endpoints, size);
	state.config->dirty = 0;
	free(endpoints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, instance_setup, instance_teardown)
		TEST(has_what_the_instance_has),
		TEST(is_not_seen),
		TEST(mends_what_was_half_written),
		TEST(repairs_itself_alone),
	};

	return cmocka_run_group_tests_name("aside", tests, NULL, NULL);
}
