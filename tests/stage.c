// SPDX-License-Identifier: GPL-2.0-only
/*
 * stage.c - load stages over private maps and run them.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object.h"
#include "stage.h"

/* Fixed, so that a failure repeats: tests that want another seed say so. */
static const __u64 seed[] = { 0x5eed5eed5eed5eed, 0x9e3779b97f4a7c15,
			      0xc2b2ae3d27d4eb4f };

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static int this_cpu;

void stage_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_return_code(sched_setaffinity(0, sizeof(set), &set), errno);
	this_cpu = cpu;
}

static int load_small(const struct bpf_insn *insns, size_t n)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "test", "GPL", insns, n, NULL);

	if (fd < 0)
		fail_msg("cannot load a program: %s; run as root", strerror(errno));
	return fd;
}

void stage_init(struct stage *s, __u32 flow_buckets, __u32 nat_slots)
{
	static const struct bpf_insn clock[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	/* Per-CPU state is where the next stage looks for it only on one CPU. */
	stage_pin(0);
	libbpf_set_print(quiet);

	*s = (struct stage){};
	memcpy(s->params.seed, seed, sizeof(seed));
	s->params.flow_buckets = flow_buckets ?: 8;
	s->params.nat_slots = nat_slots ?: 2 * LB_FLOW_WAYS * s->params.flow_buckets;
	s->params.hz = 250;
	s->clock_fd = load_small(clock, 2);
}

void stage_close(struct stage *s)
{
	for (int i = 0; i < s->n_obj; i++)
		bpf_object__close(s->obj[i]);
	for (int i = 0; i < s->n_stops; i++)
		close(s->stop_fd[i]);
	close(s->clock_fd);
	s->n_obj = 0;
	s->n_stops = 0;
}

static void map_set_size(const struct stage *s, struct bpf_map *map)
{
	const char *name = bpf_map__name(map);
	__u32 size = 0;

	if (!strncmp(name, "lb_flows", 8))
		size = s->params.flow_buckets;
	else if (!strncmp(name, "lb_nat", 6))
		size = s->params.nat_slots / LB_NAT_PLACES;
	if (size)
		assert_int_equal(bpf_map__set_max_entries(map, size), 0);
}

/* Copy @size bytes over the start of what the map named @name begins with. */
static void map_set_initial(struct bpf_object *obj, const char *name, size_t offset,
			    const void *value, size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	size_t have = 0;
	char *initial;

	if (!map)
		return;
	initial = (void *)bpf_map__initial_value(map, &have);
	assert_non_null(initial);
	assert_true(have >= offset + size);
	memcpy(initial + offset, value, size);
}

static struct bpf_object *load_object(struct stage *s, const char *name, __u32 slot)
{
	const char *build = getenv("BUILD") ?: "build";
	struct bpf_program *prog;
	struct bpf_object *obj;
	struct bpf_map *map;
	char path[256];
	int fd;

	assert_true(s->n_obj < STAGE_OBJECTS);
	snprintf(path, sizeof(path), "%s/%s.bpf.o", build, name);
	obj = bpf_object__open(path);
	if (!obj)
		fail_msg("%s: %s; run make first", path, strerror(errno));

	map_set_initial(obj, ".rodata.params", 0, &s->params, sizeof(s->params));
	map_set_initial(obj, ".rodata.policy", offsetof(struct lb_policy_meta, slot),
			&slot, sizeof(slot));
	/* As the loader must: programs of one PROG_ARRAY agree in it. */
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_expected_attach_type(prog, 0);
	bpf_object__for_each_map(map, obj) {
		bpf_map__set_pin_path(map, NULL);
		map_set_size(s, map);
		fd = object_map_name(map) ? stage_find_map(s, object_map_name(map)) : -1;
		if (fd >= 0)
			assert_int_equal(bpf_map__reuse_fd(map, fd), 0);
	}
	if (bpf_object__load(obj))
		fail_msg("%s: cannot load: %s", path, strerror(errno));
	s->obj[s->n_obj++] = obj;
	return obj;
}

int stage_load(struct stage *s, const char *name)
{
	struct bpf_object *obj = load_object(s, name, 0);

	return bpf_program__fd(bpf_object__next_program(obj, NULL));
}

static void put_program(const struct stage *s, const char *map, __u32 slot, int prog)
{
	int fd = stage_find_map(s, map);

	/* A stage that calls nobody has no such map. */
	if (fd >= 0)
		assert_int_equal(bpf_map_update_elem(fd, &slot, &prog, 0), 0);
}

void stage_load_rewrite(struct stage *s)
{
	put_program(s, "lb_stages", LB_STAGE_REWRITE, stage_load(s, "progs/lb_rewrite"));
}

/* clang-format off */
const struct stage_slot stage_slots[] = {
	{ "lb_rewrite", LB_STAGE_REWRITE },
	{ "lb_dsr", LB_STAGE_DSR },
	{ "lb_encap", LB_STAGE_ENCAP },
	{ "lb_wide", LB_STAGE_WIDE },
	{ "lb_reply", LB_STAGE_REPLY },
	{ "lb_icmp", LB_STAGE_ICMP },
	{ "lb_icmp_nat", LB_STAGE_ICMP_NAT },
	{ "lb_mss", LB_STAGE_MSS },
	{ "lb_client", LB_STAGE_CLIENT },
	{ "lb_admit", LB_STAGE_ADMIT },
	{ "lb_unknown", LB_STAGE_UNKNOWN },
	{ "lb_answer", LB_STAGE_ANSWER },
	{ "lb_capture", LB_STAGE_CAPTURE },
	{ "lb_trace", LB_STAGE_TRACE },
};
/* clang-format on */
const size_t n_stage_slots = sizeof(stage_slots) / sizeof(stage_slots[0]);

int stage_load_all(struct stage *s)
{
	int parse = stage_load(s, "progs/lb_parse");
	char name[64];

	put_program(s, "lb_stages", LB_STAGE_PARSE, parse);
	for (size_t i = 0; i < n_stage_slots; i++) {
		snprintf(name, sizeof(name), "progs/%s", stage_slots[i].name);
		put_program(s, "lb_stages", stage_slots[i].slot, stage_load(s, name));
	}
	return parse;
}

void stage_load_policy(struct stage *s, const char *name, __u32 slot)
{
	struct bpf_object *obj;
	char path[64];

	snprintf(path, sizeof(path), "policies/%s", name);
	obj = load_object(s, path, slot);
	put_program(s, "lb_policies", slot,
		    bpf_program__fd(bpf_object__next_program(obj, NULL)));
}

static int load_stop(struct stage *s, int answer)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_0,
		  .imm = answer },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = load_small(insns, 2);

	assert_true(s->n_stops < 16);
	s->stop_fd[s->n_stops++] = fd;
	return fd;
}

void stage_stop_rewrite(struct stage *s)
{
	put_program(s, "lb_stages", LB_STAGE_REWRITE, load_stop(s, REACHED_REWRITE));
}

void stage_stop(struct stage *s, enum lb_stage stage)
{
	put_program(s, "lb_stages", stage, load_stop(s, REACHED_STAGE + stage));
}

void stage_stop_policy(struct stage *s, __u32 slot)
{
	put_program(s, "lb_policies", slot, load_stop(s, REACHED_POLICY + slot));
}

int stage_program(const struct stage *s, const char *name)
{
	struct bpf_program *prog;

	for (int i = 0; i < s->n_obj; i++) {
		prog = bpf_object__find_program_by_name(s->obj[i], name);
		if (prog)
			return bpf_program__fd(prog);
	}
	fail_msg("no program '%s' is loaded", name);
	return -1;
}

int stage_find_map(const struct stage *s, const char *name)
{
	for (int i = 0; i < s->n_obj; i++) {
		const struct bpf_map *map = object_find_map(s->obj[i], name);

		if (!map) /* not the instance's: an object's own */
			map = bpf_object__find_map_by_name(s->obj[i], name);
		if (map)
			return bpf_map__fd(map);
	}
	return -1;
}

int stage_map(const struct stage *s, const char *name)
{
	int fd = stage_find_map(s, name);

	if (fd < 0)
		fail_msg("no object loaded has map '%s'", name);
	return fd;
}

void stage_run(int prog, const void *pkt, size_t len, __u32 ifindex, struct run *ret)
{
	struct xdp_md in = { .data_end = len, .ingress_ifindex = ifindex }, out = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = pkt, .data_size_in = len,
		    .data_out = ret->out, .data_size_out = sizeof(ret->out),
		    .ctx_in = &in, .ctx_size_in = sizeof(in), .ctx_out = &out,
		    .ctx_size_out = sizeof(out));

	assert_return_code(bpf_prog_test_run_opts(prog, &opts), errno);
	ret->verdict = opts.retval;
	ret->n_meta = out.data;
	ret->pkt = ret->out + out.data;
	ret->len = opts.data_size_out - out.data;
}

void stage_run_layers(int prog, const struct layer *in, __u32 ifindex, struct run *ret)
{
	__u8 pkt[PACKET_MAX];
	size_t len = packet_build(pkt, in);

	stage_run(prog, pkt, len, ifindex, ret);
}

void stage_run_skb(int prog, const struct layer *in, struct run *ret)
{
	__u8 pkt[PACKET_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = pkt,
		    .data_size_in = packet_build(pkt, in), .data_out = ret->out,
		    .data_size_out = sizeof(ret->out));

	assert_return_code(bpf_prog_test_run_opts(prog, &opts), errno);
	ret->verdict = opts.retval;
	ret->n_meta = 0;
	ret->pkt = ret->out;
	ret->len = opts.data_size_out;
}

void stage_expect(const struct run *r, const struct layer *layers)
{
	__u8 want[PACKET_MAX];
	size_t len = packet_build(want, layers);

	if (r->len == len && !memcmp(r->pkt, want, len))
		return;
	packet_print("wanted", want, len);
	packet_print("got", r->pkt, r->len);
	assert_int_equal(r->len, len);
	assert_memory_equal(r->pkt, want, len);
}

__u32 stage_now(const struct stage *s)
{
	__u8 frame[64] = {};
	struct run r;

	stage_run(s->clock_fd, frame, sizeof(frame), 0, &r);
	return r.verdict;
}

struct lb_pkt stage_scratch(const struct stage *s)
{
	struct lb_pkt all[libbpf_num_possible_cpus()];
	__u32 zero = 0;

	assert_return_code(bpf_map_lookup_elem(stage_map(s, "lb_scratch"), &zero, all),
			   errno);
	return all[this_cpu];
}

void stage_set_scratch(const struct stage *s, const struct lb_pkt *pkt)
{
	struct lb_pkt all[libbpf_num_possible_cpus()];
	__u32 zero = 0;

	memset(all, 0, sizeof(all));
	all[this_cpu] = *pkt;
	assert_return_code(bpf_map_update_elem(stage_map(s, "lb_scratch"), &zero, all, 0),
			   errno);
}
