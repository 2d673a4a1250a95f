// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_control.c - the programs that lbctl runs by hand, and the one that tc runs.
 *
 * That lb_evict ends the right flow and nothing else is in test_ports.c and
 * test_flow_model.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "world.h"

static struct stage stage;

static int open_stage(void **state)
{
	(void)state;
	stage_init(&stage, 0, 0);
	stage_load(&stage, "progs/lb_control");
	stage_load(&stage, "progs/lb_resolve");
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	stage_close(&stage);
	return 0;
}

static void the_clock_tells_the_time(void **state)
{
	__u32 before = stage_now(&stage);
	struct lb_clock clock = {};
	struct timespec now;
	struct run r;

	(void)state;
	stage_run(stage_program(&stage, "lb_clock"), &clock, sizeof(clock), 0, &r);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	assert_int_equal(r.verdict, XDP_PASS);
	assert_int_equal(r.len, sizeof(clock));
	memcpy(&clock, r.pkt, sizeof(clock));
	assert_in_range((__u32)clock.jiffies - before, 0, stage_now(&stage) - before);
	assert_in_range(now.tv_sec - clock.ktime_ns / 1000000000, 0, 10);
}

/* The shortest frame that a test run takes is shorter than the records. */
static void a_short_record_is_refused(void **state)
{
	static const char *const programs[] = { "lb_clock", "lb_evict" };
	__u8 record[14] = {};
	struct run r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		stage_run(stage_program(&stage, programs[i]), record, sizeof(record), 0,
			  &r);
		assert_int_equal(r.verdict, XDP_DROP);
		assert_memory_equal(r.pkt, record, sizeof(record));
	}
}

static void there_is_no_such_flow(void **state)
{
	static const struct lb_evict none[] = {
		{ .family = 4, .position = 5, .version = 2 },
		{ .family = 6, .position = 5, .version = 2 },
		{ .family = 4, .position = 5, .version = 1 },
		{ .family = 4, .position = 1 << 20, .version = 0 },
		{ .family = 6, .position = ~0U, .version = 2 },
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		stage_run(stage_program(&stage, "lb_evict"), &none[i], sizeof(none[i]), 0,
			  &r);
		assert_int_equal(r.verdict, XDP_DROP);
	}
	assert_int_equal(stage_event(&stage, LB_EVENT_EVICTED_BY_HAND), 0);
}

/* Version 0 is that of a way which never had a flow. */
static void a_way_without_a_flow_is_left_alone(void **state)
{
	struct lb_evict empty = { .family = 4, .position = 5 };
	struct run r;

	(void)state;
	stage_run(stage_program(&stage, "lb_evict"), &empty, sizeof(empty), 0, &r);
	assert_int_equal(stage_event(&stage, LB_EVENT_EVICTED_BY_HAND), 0);
}

/* What carries no mark is the next filter's; net/neighbour shows what a marked one does. */
static void an_unmarked_packet_is_not_lb_resolves(void **state)
{
	__u8 pkt[PACKET_MAX], out[PACKET_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = pkt, .data_out = out,
		    .data_size_out = sizeof(out));

	(void)state;
	opts.data_size_in = packet_build(pkt, PKT(ETH(), IP4("192.0.2.7", "10.0.0.10"),
						  TCP(1, 2), DATA("payload")));
	assert_return_code(bpf_prog_test_run_opts(stage_program(&stage, "lb_resolve"),
						  &opts),
			   errno);
	assert_int_equal((int)opts.retval, -1); /* TC_ACT_UNSPEC */
	assert_int_equal(opts.data_size_out, opts.data_size_in);
	assert_memory_equal(out, pkt, opts.data_size_in);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(the_clock_tells_the_time),
		cmocka_unit_test(a_short_record_is_refused),
		cmocka_unit_test(there_is_no_such_flow),
		cmocka_unit_test(a_way_without_a_flow_is_left_alone),
		cmocka_unit_test(an_unmarked_packet_is_not_lb_resolves),
	};
	return cmocka_run_group_tests_name("control", units, open_stage, close_stage);
}
