// SPDX-License-Identifier: GPL-2.0-only
/*
 * parse.c - the services and flows that the rows of parse_rows.c are about.
 */
#include <netinet/in.h>

#include "parse.h"

struct stage parse_stage;

/* Backend ids, in the order in which add_services() gives them. */
enum { BACKEND_OF_HTTP = 1, BACKEND_GONE, BACKEND_OF_DNS, BACKEND_DOWN };

static void add_flows(const char *client, __u32 http, __u32 dns, __u32 first)
{
	__u32 now = stage_now(&parse_stage);

	flows_make(&parse_stage, http, client, KNOWN, first, NAT, LB_FLOW_ESTABLISHED, 3,
		   now);
	flows_make(&parse_stage, dns, client, KNOWN, first + 2, NAT, LB_FLOW_DATAGRAM, 7,
		   now);
}

static __u32 add_services(const char *address, const char *backend1, const char *backend2)
{
	__u32 http = world_add_service(&parse_stage, address, HTTP, IPPROTO_TCP);
	__u32 dns = world_add_service(&parse_stage, address, DNS, IPPROTO_UDP);
	__u32 first = world_add_backend(&parse_stage, http, backend1, HTTP);

	world_add_backend(&parse_stage, http, backend2, HTTP);
	world_add_backend(&parse_stage, dns, backend1, DNS);
	world_add_backend(&parse_stage, dns, backend2, DNS);
	world_set_uniform(&parse_stage, http, POLICY, first, 2);
	world_set_uniform(&parse_stage, dns, POLICY, first + 2, 2);
	return http;
}

static void add_odd_services(void)
{
	__u32 empty = world_add_service(&parse_stage, SERVICE, EMPTY, IPPROTO_TCP), lost,
	      far;

	world_set_uniform(&parse_stage, empty, POLICY, 0, 0);
	world_add_service(&parse_stage, SERVICE, BARE, IPPROTO_TCP);
	lost = world_add_service(&parse_stage, SERVICE, LOST, IPPROTO_TCP);
	world_set_uniform(&parse_stage, lost, POLICY + 1, 1, 2);
	far = world_add_service(&parse_stage, SERVICE, FAR, IPPROTO_TCP);
	world_set_uniform(&parse_stage, far, FAR_POLICY, 1, 2);
}

static void add_odd_flows(__u32 http, __u32 dns)
{
	__u32 now = stage_now(&parse_stage);

	flows_make(&parse_stage, http, CLIENT, OLD, BACKEND_OF_HTTP, NAT + OLD,
		   LB_FLOW_ESTABLISHED, 0, now - 1001);
	flows_make(&parse_stage, http, CLIENT, ENDED, BACKEND_OF_HTTP, NAT + ENDED,
		   LB_FLOW_CLOSED, 1, now);
	flows_make(&parse_stage, http, CLIENT, GONE, BACKEND_GONE, NAT + GONE,
		   LB_FLOW_ESTABLISHED, 2, now);
	flows_make(&parse_stage, dns, CLIENT, DOWN, BACKEND_DOWN, NAT + DOWN,
		   LB_FLOW_DATAGRAM, 4, now);
	world_set_incarnation(&parse_stage, BACKEND_GONE, 2);
	world_set_backend(&parse_stage, BACKEND_DOWN, LB_BACKEND_DOWN, 1);
}

int parse_open(void **state)
{
	static const struct lb_profile profile = {
		.timeout = { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 },
	};
	__u32 http, http6;

	(void)state;
	stage_init(&parse_stage, 64, 1 << 16);
	stage_load(&parse_stage, "progs/lb_parse");
	stage_stop_rewrite(&parse_stage);
	stage_stop_policy(&parse_stage, POLICY);
	stage_stop_policy(&parse_stage, FAR_POLICY);
	stage_stop(&parse_stage, LB_STAGE_ICMP);
	stage_stop(&parse_stage, LB_STAGE_UNKNOWN);
	world_set_profile(&parse_stage, 0, &profile);

	http = add_services(SERVICE, BACKEND1, BACKEND2);
	http6 = add_services(SERVICE6, BACKEND1_6, BACKEND2_6);
	add_odd_services();
	add_odd_flows(http, http + 1);
	add_flows(CLIENT, http, http + 1, 1);
	add_flows(CLIENT6, http6, http6 + 1, 5);
	return 0;
}

int parse_close(void **state)
{
	(void)state;
	stage_close(&parse_stage);
	return 0;
}
