// SPDX-License-Identifier: GPL-2.0-only
/*
 * chain_show.c - `lbctl chain show`: what runs on an interface, in which order.
 *
 * All XDP programs there are shown, ours with a star: what another program drops before
 * us never comes here, and what we send never comes to those after us.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "chain.h"
#include "devices.h"
#include "dispatcher.h"
#include "report.h"
#include "snapshot.h"
#include "stages.h"

static json_t *tag_text(const unsigned char tag[BPF_TAG_SIZE])
{
	char text[2 * BPF_TAG_SIZE + 1];
	int i;

	for (i = 0; i < BPF_TAG_SIZE; i++)
		sprintf(text + 2 * i, "%02x", tag[i]);
	return json_string(text);
}

/*
 * How often it ran and for how long: null unless kernel.bpf_stats_enabled counts.  And the
 * kernel counts only the program that it calls itself, not what that one calls.
 */
static void add_runs(json_t *row, int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	bool counted = !bpf_obj_get_info_by_fd(fd, &info, &size) && info.run_cnt;

	json_object_set_new(row, "runs",
			    counted ? json_integer(info.run_cnt) : json_null());
	json_object_set_new(row, "run_time_ns",
			    counted ? json_integer(info.run_time_ns) : json_null());
}

/* The actions after which the dispatcher goes on with the next program. */
static json_t *goes_on_at(const struct xdp_program *program)
{
	static const struct {
		enum xdp_action action;
		const char *name;
	} actions[] = { { XDP_ABORTED, "ABORTED" },
			{ XDP_DROP, "DROP" },
			{ XDP_PASS, "PASS" },
			{ XDP_TX, "TX" },
			{ XDP_REDIRECT, "REDIRECT" } };
	char text[64] = "";
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (!xdp_program__chain_call_enabled(program, actions[i].action))
			continue;
		if (text[0])
			strcat(text, ",");
		strcat(text, actions[i].name);
	}
	return json_string(text);
}

static json_t *program_row(const struct lb_device *dev, const char *name,
			   const struct xdp_program *program, int order)
{
	bool is_ours = dev && xdp_program__id(program) == dev->program;
	json_t *row;

	row = json_pack("{s:s, s:i, s:s, s:i, s:o, s:b, s:b}", "device", name, "order",
			order, "program", xdp_program__name(program), "id",
			(int)xdp_program__id(program), "tag",
			tag_text(xdp_program__tag(program)), "frags",
			xdp_program__xdp_frags_support(program), "ours", is_ours);
	add_runs(row, xdp_program__fd(program));
	if (!order)
		return row;
	json_object_set_new(row, "priority",
			    json_integer(xdp_program__run_prio(program)));
	json_object_set_new(row, "goes_on_at", goes_on_at(program));
	return row;
}

static void add_programs(json_t *rows, const struct lb_device *dev, const char *name,
			 int ifindex)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *program = NULL;
	bool alone;
	json_t *row;
	int order = 0;

	if (libxdp_get_error(all))
		return;

	alone = xdp_multiprog__is_legacy(all);
	row = program_row(dev, name, xdp_multiprog__main_prog(all), 0);
	json_object_set_new(row, "how", json_string(alone ? "alone" : "dispatcher"));
	if (!alone) {
		json_object_set_new(row, "frags",
				    json_boolean(xdp_multiprog__xdp_frags_support(all)));
		json_object_set_new(row, "dispatcher",
				    json_string(dispatcher_is_ours(all) ? "lbctl"
									: "libxdp"));
	}
	json_object_set_new(row, "mode",
			    json_string(xdp_multiprog__attach_mode(all) == XDP_MODE_SKB
						? "skb"
						: "native"));
	if (alone && dev)
		json_object_set_new(row, "priority", json_integer(dev->priority));
	json_array_append_new(rows, row);

	while (!alone && (program = xdp_multiprog__next_prog(program, all)))
		json_array_append_new(rows, program_row(dev, name, program, ++order));
	xdp_multiprog__close(all);
}

static const char *program_text(const json_t *row, char *ret)
{
	snprintf(ret, OUTPUT_CELL_SIZE, "%s%s",
		 json_string_value(json_object_get(row, "program")),
		 json_is_true(json_object_get(row, "ours")) ? " *" : "");
	return ret;
}

static const char *order_text(const json_t *row, char *ret)
{
	json_int_t order = json_integer_value(json_object_get(row, "order"));

	if (!order)
		return "-";
	snprintf(ret, OUTPUT_CELL_SIZE, "%lld", order);
	return ret;
}

static const char *how_text(const json_t *row, char *ret)
{
	const char *how = json_string_value(json_object_get(row, "how"));
	const char *whose = json_string_value(json_object_get(row, "dispatcher"));

	snprintf(ret, OUTPUT_CELL_SIZE, "%s%s", how ?: "",
		 whose && !strcmp(whose, "lbctl") ? " (lbctl's)" : "");
	return ret;
}

static const char *cost_text(const json_t *row, char *ret)
{
	json_int_t runs = json_integer_value(json_object_get(row, "runs"));
	json_int_t ns = json_integer_value(json_object_get(row, "run_time_ns"));

	if (!runs)
		return "-";
	snprintf(ret, OUTPUT_CELL_SIZE, "%lld ns", ns / runs);
	return ret;
}

/* clang-format off */
static const struct column columns[] = {
	{ .title = "DEV", .key = "device" },
	{ .title = "MODE", .key = "mode" },
	{ .title = "HOW", .text = how_text },
	{ .title = "ORDER", .text = order_text },
	{ .title = "PRIO", .key = "priority", .format = COLUMN_NUMBER },
	{ .title = "PROGRAM", .text = program_text },
	{ .title = "ID", .key = "id", .format = COLUMN_NUMBER },
	{ .title = "TAG", .key = "tag" },
	{ .title = "FRAGS", .key = "frags" },
	{ .title = "GOES ON AT", .key = "goes_on_at" },
	{ .title = "RUNS", .key = "runs", .format = COLUMN_COUNT },
	{ .title = "COST", .text = cost_text },
};
/* clang-format on */

static __u32 slot_program(const struct state *s, const char *map, __u32 slot)
{
	int fd = state_map_fd(s, map);
	__u32 id = 0;

	if (fd < 0)
		return 0;
	if (bpf_map_lookup_elem(fd, &slot, &id))
		id = 0;
	close(fd);
	return id;
}

static json_t *stages_row(const struct state *s)
{
	json_t *row = json_object();
	const char *name;
	__u32 program;
	size_t i;

	for (i = 0; (name = stages_get(s, i, &program)); i++)
		json_object_set_new(row, name,
				    program ? json_integer(program) : json_null());
	return row;
}

static json_t *stage_program_row(const char *name, __u32 id)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	json_t *row;

	if (fd < 0)
		return NULL;
	row = json_pack("{s:s, s:i}", "stage", name, "id", (int)id);
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		json_object_set_new(row, "tag", tag_text(info.tag));
	add_runs(row, fd);
	close(fd);
	return row;
}

static json_t *stage_program_rows(const struct state *s)
{
	json_t *rows = json_array(), *row;
	const char *name;
	__u32 program;
	size_t i;

	for (i = 0; (name = stages_get(s, i, &program)); i++) {
		row = program ? stage_program_row(name, program) : NULL;
		if (row)
			json_array_append_new(rows, row);
	}
	return rows;
}

/* What comes behind us sees what we passed, which its owner may not expect. */
static void print_hidden(const json_t *rows)
{
	const json_t *row, *device = NULL, *now;
	size_t i;

	json_array_foreach(rows, i, row) {
		now = json_object_get(row, "device");
		if (json_is_true(json_object_get(row, "ours")))
			device = now;
		else if (device && json_equal(device, now))
			printf("! %s: '%s' runs after lb_entry and sees only what was passed\n",
			       json_string_value(now),
			       json_string_value(json_object_get(row, "program")));
	}
}

static void print_stages(const struct state *s)
{
	const char *between = "stages: ", *name;
	__u32 program;
	int i;

	for (i = 0; (name = stages_get(s, i, &program)); i++) {
		printf("%s%s %u", between, name, program);
		between = ", ";
	}
	between = " - policies: ";
	for (i = 0; i < LB_MAX_POLICIES; i++) {
		if (!s->policies[i].meta.magic)
			continue;
		printf("%s%s %u", between, s->policies[i].meta.name,
		       slot_program(s, "lb_policies", i));
		between = ", ";
	}
	printf(" - version %s, abi %u\n", s->config->version, s->config->abi);
}

/* ---- ways out by VLAN devices and bridges ------------------------------------------- */

static json_t *tags_row(const struct lb_device *dev)
{
	json_t *tags = json_array();
	int i;

	for (i = 0; i < LB_TAGS && dev->tag[i].type; i++)
		json_array_append_new(tags,
				      json_pack("{s:s, s:i}", "type",
						ntohs(dev->tag[i].type) == ETH_P_8021AD
							? "802.1ad"
							: "802.1Q",
						"id", ntohs(dev->tag[i].id)));
	return tags;
}

static json_t *way_rows(const struct state *s)
{
	json_t *rows = json_array();
	char by[IF_NAMESIZE], name[IF_NAMESIZE];
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &s->devices[i];

		if (!dev->ifindex || device_is_attached(dev))
			continue;
		json_array_append_new(rows, json_pack("{s:s, s:i, s:s?, s:o}", "device",
						      device_name(s, dev, name),
						      "ifindex", (int)dev->ifindex, "by",
						      if_indextoname(dev->out, by),
						      "tags", tags_row(dev)));
	}
	return rows;
}

static void print_ways(const struct state *s)
{
	json_t *rows = way_rows(s), *row, *tag;
	size_t i, j;

	json_array_foreach(rows, i, row) {
		printf("%s leaves by %s",
		       json_string_value(json_object_get(row, "device")),
		       json_string_value(json_object_get(row, "by")) ?: "?");
		json_array_foreach(json_object_get(row, "tags"), j, tag)
			printf("%s %s VLAN %d", j ? "," : ", with",
			       json_string_value(json_object_get(tag, "type")),
			       (int)json_integer_value(json_object_get(tag, "id")));
		putchar('\n');
	}
	json_decref(rows);
}

static enum outcome show(const struct lbctl *l, struct state *s, const char *only)
{
	json_t *root, *rows = json_array();
	char name[IF_NAMESIZE];
	enum outcome outcome;
	int i;

	if (only)
		add_programs(rows, device_find(s, only), only, if_nametoindex(only));
	for (i = 0; !only && i < LB_MAX_DEVICES; i++)
		if (device_is_attached(&s->devices[i]))
			add_programs(rows, &s->devices[i],
				     device_name(s, &s->devices[i], name),
				     s->devices[i].ifindex);

	if (l->json) {
		root = output_object();
		json_object_set_new(root, "devices", device_rows(s));
		json_object_set_new(root, "programs", rows);
		json_object_set_new(root, "ways", way_rows(s));
		json_object_set_new(root, "stages", stages_row(s));
		json_object_set_new(root, "stage_programs", stage_program_rows(s));
		return output_json(l, root);
	}

	outcome = output_table(rows, columns, sizeof(columns) / sizeof(columns[0]), NULL);
	if (!outcome) {
		print_ways(s);
		print_stages(s);
		print_hidden(rows);
	}
	json_decref(rows);
	return outcome;
}

enum outcome chain_show(const struct lbctl *l, struct words *w)
{
	const char *only = words_next(w);
	enum outcome outcome = words_end(w);
	struct state state;

	if (outcome)
		return outcome;
	if (only && !if_nametoindex(only)) {
		report("%s: no such interface (see 'ip link')", only);
		return REFUSED;
	}
	if (state_open(&state, &l->where, STATE_READ))
		return REFUSED;

	outcome = show(l, &state, only);
	state_close(&state);
	return outcome;
}
