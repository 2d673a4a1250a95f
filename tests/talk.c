// SPDX-License-Identifier: GPL-2.0-only
/*
 * talk.c - run a conversation through the whole chain.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "talk.h"

struct stage talk_stage;
int talk_parse;

enum { HASH, MATCH }; /* slots of the policies */

int talk_open(void **state)
{
	static const struct lb_profile profile = {
		.timeout = { 9000, 9000, 9000, 9000, 9000, 9000, 9000, 9000 },
	};

	(void)state;
	hosts_open();
	stage_init(&talk_stage, 64, 1024);
	talk_stage.params.hz = 25000; /* next hops are kept longer than a test takes */
	talk_parse = stage_load_all(&talk_stage);
	stage_load(&talk_stage, "progs/lb_local");
	stage_load(&talk_stage, "progs/lb_control");
	stage_load_policy(&talk_stage, "hash", HASH);
	stage_load_policy(&talk_stage, "match", MATCH);
	world_set_profile(&talk_stage, 0, &profile);
	hosts_add_devices(&talk_stage);
	return 0;
}

int talk_close(void **state)
{
	(void)state;
	stage_close(&talk_stage);
	return 0;
}

/* ---- the world of a row ------------------------------------------------------------ */

/* Zeros for all elements of an array. */
static void clear_array(const char *map, size_t size, __u32 n)
{
	int fd = stage_map(&talk_stage, map);
	void *none = calloc(1, size);

	for (__u32 i = 0; i < n; i++)
		assert_return_code(bpf_map_update_elem(fd, &i, none, 0), errno);
	free(none);
}

static void clear_prefixes(const char *map)
{
	int fd = stage_map(&talk_stage, map);
	struct lb_prefix_key6 key;

	while (!bpf_map_get_next_key(fd, NULL, &key))
		assert_return_code(bpf_map_delete_elem(fd, &key), errno);
}

static void clear_probes(void)
{
	int probes = stage_map(&talk_stage, "lb_probes");
	__u32 now = stage_now(&talk_stage);

	for (__u32 i = 0; !bpf_map_update_elem(probes, &i, &now, BPF_EXIST); i++)
		;
}

static void clear_previous(void)
{
	for (__u32 i = 0; i < TALK_SERVICES; i++)
		bpf_map_delete_elem(stage_map(&talk_stage, "lb_previous"), &i);
}

static void clear_clients(void)
{
	int fd = stage_map(&talk_stage, "lb_clients");
	struct lb_client_key key;

	while (!bpf_map_get_next_key(fd, NULL, &key))
		assert_return_code(bpf_map_delete_elem(fd, &key), errno);
}

static void clear_reasons(void)
{
	struct lb_reason_count none[libbpf_num_possible_cpus()];
	int fd = stage_map(&talk_stage, "lb_reasons");

	memset(none, 0, sizeof(none));
	for (__u32 i = 0; i < LB_REASON_MAX; i++)
		assert_return_code(bpf_map_update_elem(fd, &i, none, 0), errno);
}

static void clear_world(void)
{
	flows_clear(&talk_stage);
	world_clear(&talk_stage, "lb_endpoints4");
	world_clear(&talk_stage, "lb_endpoints6");
	world_clear(&talk_stage, "lb_hops");
	clear_array("lb_switches", sizeof(struct lb_switches), 1);
	clear_array("lb_answers", sizeof(__u64), TALK_SERVICES);
	clear_prefixes("lb_prefixes4");
	clear_prefixes("lb_prefixes6");
	clear_previous();
	clear_probes();
	clear_clients();
	clear_reasons();
	talk_stage.n_services = 0;
	talk_stage.n_backends = 0;
}

/* The tables of the services: headers, and the one slot of each. */
static struct {
	struct lb_table head;
	__u16 backend;
} tables[TALK_SERVICES];

static void write_table(__u32 service)
{
	world_set_table(&talk_stage, service, &tables[service].head,
			&tables[service].backend, tables[service].backend ? 1 : 0);
}

static void choose(__u32 service, __u16 backend, const struct talk_service *s)
{
	tables[service].head = (struct lb_table){ .policy = s->rules ? MATCH : HASH,
						  .kind = LB_TABLE_MAGLEV,
						  .n_backends = backend ? 1 : 0,
						  .promises = s->promises,
						  .flags = s->flags };
	tables[service].backend = backend;
	if (s->rules)
		assert_return_code(
			bpf_map_update_elem(stage_map(&talk_stage, "lb_match_rules"),
					    &service, s->rules, 0),
			errno);
	write_table(service);
}

__u64 talk_jiffies(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct lb_clock clock = {};

	run.data_in = run.data_out = &clock;
	run.data_size_in = run.data_size_out = sizeof(clock);
	assert_return_code(bpf_prog_test_run_opts(stage_program(&talk_stage, "lb_clock"),
						  &run),
			   errno);
	return clock.jiffies;
}

/* As lbctl does it: the table becomes the previous one first. */
static void flip(__u32 service, const struct talk_step *step)
{
	world_set_previous(&talk_stage, service, &tables[service].head,
			   &tables[service].backend, tables[service].backend ? 1 : 0);
	tables[service].head.promises = step->flip_promises;
	tables[service].head.flipped_at = talk_jiffies() - step->age;
	tables[service].head.generation++;
	tables[service].backend = step->flip;
	write_table(service);
}

/* What lb_admit and lb_client go by. */
static void limit(__u32 id, __u32 first, const struct talk_service *s)
{
	const struct lb_admission a = { .max_flows = s->max_flows };
	struct lb_service service = world_service(&talk_stage, id);

	for (__u32 backend = first; backend && backend <= talk_stage.n_backends;
	     backend++)
		world_put(&talk_stage, "lb_admissions", backend, &a);
	service.affinity = s->affinity;
	world_put(&talk_stage, "lb_services", id, &service);
}

void talk_begin(const struct talk *t)
{
	clear_world();
	for (int i = 0; i < TALK_SERVICES && t->services[i].service.address; i++) {
		const struct talk_service *s = &t->services[i];
		__u32 id = world_add(&talk_stage, &s->service), first = 0, backend;

		for (int j = 0; j < TALK_BACKENDS && s->backend[j].address; j++) {
			backend = world_add_backend(&talk_stage, id,
						    s->backend[j].address,
						    s->backend[j].port);
			first = first ?: backend;
		}
		if (s->nat)
			world_set_ports(&talk_stage, id, s->nat, s->nat);
		limit(id, first, s);
		choose(id, first, s);
	}
}

/* ---- a conversation ------------------------------------------------------------------ */

static void prepare(const struct talk *t, const struct talk_step *step)
{
	if (step->pick) {
		__u32 service = world_backend(&talk_stage, step->pick).service;

		choose(service, step->pick, &t->services[service]);
	}
	if (step->flip)
		flip(world_backend(&talk_stage, step->flip).service, step);
	if (step->down)
		world_set_backend(&talk_stage, step->down, LB_BACKEND_DOWN, 1);
	if (step->drain)
		world_set_backend(&talk_stage, step->drain, LB_BACKEND_DRAIN, 1);
	if (step->gone)
		world_set_incarnation(&talk_stage, step->gone, 0);
	if (step->reborn)
		world_set_incarnation(&talk_stage, step->reborn, 2);
	if (step->forget)
		flows_clear(&talk_stage);
	if (step->pause_ms)
		usleep(step->pause_ms * 1000);
}

static void check_mark(const struct run *r, bool marked)
{
	struct lb_mark mark;

	assert_int_equal(r->n_meta, marked ? sizeof(mark) : 0);
	if (!marked)
		return;
	memcpy(&mark, r->out, sizeof(mark));
	assert_int_equal(mark.magic, LB_MARK_MAGIC);
}

static __u32 run(const struct talk_step *step, struct run *r)
{
	if (step->egress) {
		stage_run_skb(stage_program(&talk_stage, "lb_local"), step->in, r);
		return TC_ACT_UNSPEC;
	}
	stage_run_layers(talk_parse, step->in, step->front ? hosts_front : hosts_back, r);
	check_mark(r, step->mark);
	return XDP_TX;
}

static void run_step(const struct talk *t, const struct talk_step *step)
{
	__u32 verdict;
	struct run r;
	__u64 count;

	prepare(t, step);
	count = stage_reason(&talk_stage, step->reason);
	verdict = run(step, &r);
	if (step->reason && stage_reason(&talk_stage, step->reason) != count + 1)
		fail_msg("it was not counted as %s", stage_reason_name(step->reason));
	assert_int_equal(r.verdict, step->verdict ?: verdict);
	stage_expect(&r, step->out ?: step->in);
}

static void check_flows(int want)
{
	size_t n =
		flows_scan(&talk_stage, 4, NULL, 0) + flows_scan(&talk_stage, 6, NULL, 0);

	if (want)
		assert_int_equal(n, want == NO_FLOWS ? 0 : want);
	flows_check(&talk_stage);
}

static int packet; /* in hand; 0: none */

void talk_run(void **state)
{
	const struct talk *t = *state;

	talk_begin(t);
	for (int i = 0; i < TALK_STEPS && t->steps[i].in; i++) {
		packet = i + 1;
		run_step(t, &t->steps[i]);
	}
	packet = 0;
	check_flows(t->flows);
}

/* Where it failed, and what became of the packets so far. */
static int explain(void **state)
{
	(void)state;
	if (packet) {
		print_message("# at packet %d; so far:\n", packet);
		stage_print_reasons(&talk_stage);
	}
	packet = 0;
	return 0;
}

int talk_main(const char *name, const struct talk *rows, size_t n)
{
	struct CMUnitTest units[n];

	for (size_t i = 0; i < n; i++)
		units[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = talk_run,
			.teardown_func = explain,
			.initial_state = (void *)&rows[i],
		};
	return _cmocka_run_group_tests(name, units, n, talk_open, talk_close);
}
