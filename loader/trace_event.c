// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace_event.c - one traced packet as a line, as JSON, and as packets of a file.
 *
 * Services and backends are looked up in their records when the event is read: what is gone
 * by then has no name.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "output.h"
#include "reason.h"
#include "trace.h"

static __u64 clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void trace_names_init(struct trace_names *n, const struct state *s)
{
	n->state = s;
	n->clock_offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}

__u64 trace_time(const struct trace_names *n, const struct lb_trace_event *e)
{
	return e->ktime_ns + n->clock_offset;
}

char *trace_device(const struct trace_names *n, __u32 ifindex, char *ret)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &n->state->devices[i];

		if (ifindex && dev->ifindex == ifindex) {
			snprintf(ret, TRACE_TEXT_SIZE, "%.*s", (int)sizeof(dev->name),
				 dev->name);
			return ret;
		}
	}
	if (!if_indextoname(ifindex, ret))
		snprintf(ret, TRACE_TEXT_SIZE, "#%u", ifindex);
	return ret;
}

char *trace_service(const struct trace_names *n, const struct lb_trace_event *e,
		    char *ret)
{
	const struct lb_service *s;
	struct service_name name;

	if (e->service >= LB_MAX_SERVICES)
		return NULL;
	s = &n->state->services[e->service];
	if (!s->state)
		return NULL;
	name = (struct service_name){
		.address = address_from_words(s->family, s->address),
		.prefix = s->prefix,
		.protocol = s->protocol,
		.port = ntohs(s->port),
		.port_last = ntohs(s->port_last),
	};
	return service_format(&name, ret);
}

char *trace_backend(const struct trace_names *n, const struct lb_trace_event *e,
		    char *ret)
{
	const struct lb_backend *b;
	struct address address;

	if (!e->backend || e->backend >= LB_MAX_BACKENDS)
		return NULL;
	b = &n->state->backends[e->backend];
	if (!b->ref)
		return NULL;
	address = address_from_words(b->family, b->address);
	return backend_format(&address, ntohs(b->port), ret);
}

const char *trace_verdict(const struct lb_trace_event *e)
{
	static const char *const names[] = { "aborted", "drop", "pass", "tx",
					     "redirect" };

	return e->verdict <= XDP_REDIRECT ? names[e->verdict] : "?";
}

const char *trace_stage(const struct lb_trace_event *e)
{
	static const char *const names[] = {
		[LB_STAGE_REWRITE] = "rewrite",	  [LB_STAGE_ENCAP] = "encap",
		[LB_STAGE_DSR] = "dsr",		  [LB_STAGE_WIDE] = "wide",
		[LB_STAGE_REPLY] = "reply",	  [LB_STAGE_ICMP] = "icmp",
		[LB_STAGE_ICMP_NAT] = "icmp-nat", [LB_STAGE_MSS] = "mss",
		[LB_STAGE_ANSWER] = "answer",	  [LB_STAGE_CAPTURE] = "capture",
		[LB_STAGE_TRACE] = "trace",	  [LB_STAGE_PARSE] = "parse",
		[LB_STAGE_UNKNOWN] = "unknown",	  [LB_STAGE_CLIENT] = "client",
		[LB_STAGE_ADMIT] = "admit",	  [LB_STAGE_POLICY] = "policy",
	};

	return e->stage < sizeof(names) / sizeof(names[0]) && names[e->stage]
		       ? names[e->stage]
		       : "?";
}

/* What is not IP has its type in the Ethernet header, or behind its tags. */
static char *ethertype_text(const struct lb_trace_event *e, char *ret)
{
	const __u8 *bytes = (const __u8 *)(e + 1);
	unsigned int type;

	strcpy(ret, "?");
	if (e->kept_in < ETH_HLEN)
		return ret;
	type = bytes[12] << 8 | bytes[13];
	if (type == ETH_P_ARP)
		strcpy(ret, "arp");
	else
		snprintf(ret, TRACE_TEXT_SIZE, "0x%04x", type);
	return ret;
}

static char *protocol_text(const struct lb_trace_event *e, char *ret)
{
	if (!e->family)
		return ethertype_text(e, ret);
	switch (e->protocol) {
	case IPPROTO_TCP:
		return strcpy(ret, "tcp");
	case IPPROTO_UDP:
		return strcpy(ret, "udp");
	case IPPROTO_ICMP:
		return strcpy(ret, "icmp");
	case IPPROTO_ICMPV6:
		return strcpy(ret, "icmp6");
	}
	snprintf(ret, TRACE_TEXT_SIZE, "ip-%u", e->protocol);
	return ret;
}

static bool has_addresses(const struct lb_trace_event *e)
{
	static const __be32 none[4];

	return e->family && (memcmp(e->ends.source, none, sizeof(none)) ||
			     memcmp(e->ends.destination, none, sizeof(none)));
}

/* The identifier of an echo, which takes the place of a port, is none. */
static bool has_ports(const struct lb_trace_event *e)
{
	return (e->protocol == IPPROTO_TCP || e->protocol == IPPROTO_UDP) &&
	       (e->ends.sport || e->ends.dport);
}

static char *end_text(const struct lb_trace_event *e, const __be32 *word, __be16 port,
		      char *ret)
{
	struct address address = address_from_words(e->family, word);

	if (!has_addresses(e))
		return strcpy(ret, "-");
	if (!has_ports(e))
		return address_format(&address, ret);
	return backend_format(&address, ntohs(port), ret);
}

static char *time_text(__u64 ns, char *ret)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;
	size_t n = 0;

	if (localtime_r(&seconds, &tm))
		n = strftime(ret, TRACE_TEXT_SIZE, "%H:%M:%S", &tm);
	snprintf(ret + n, TRACE_TEXT_SIZE - n, ".%06u",
		 (unsigned int)(ns % 1000000000 / 1000));
	return ret;
}

#define LINE "%-15s  %-8s  %-21s  %-21s  %-6s  %-8s  %-8s  %-15s  %-20s  %s\n"

void trace_print_heads(void)
{
	printf(LINE, "TIME", "DEV", "SOURCE", "DESTINATION", "PROTO", "STAGE", "VERDICT",
	       "REASON", "SERVICE", "BACKEND");
}

void trace_print(const struct trace_names *n, const struct lb_trace_event *e)
{
	char time[TRACE_TEXT_SIZE], dev[TRACE_TEXT_SIZE], from[TRACE_TEXT_SIZE],
		to[TRACE_TEXT_SIZE], protocol[TRACE_TEXT_SIZE], service[TRACE_TEXT_SIZE],
		backend[TRACE_TEXT_SIZE];

	printf(LINE, time_text(trace_time(n, e), time), trace_device(n, e->ifindex, dev),
	       end_text(e, e->ends.source, e->ends.sport, from),
	       end_text(e, e->ends.destination, e->ends.dport, to),
	       protocol_text(e, protocol), trace_stage(e), trace_verdict(e),
	       reason_name(e->reason), trace_service(n, e, service) ?: "-",
	       trace_backend(n, e, backend) ?: "-");
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *address_json(const struct lb_trace_event *e, const __be32 *word)
{
	struct address address = address_from_words(e->family, word);
	char text[ADDRESS_TEXT_SIZE];

	return has_addresses(e) ? json_string(address_format(&address, text))
				: json_null();
}

static json_t *port_json(const struct lb_trace_event *e, __be16 port)
{
	return has_ports(e) ? json_integer(ntohs(port)) : json_null();
}

static void add_flow(json_t *row, const struct trace_names *n,
		     const struct lb_trace_event *e)
{
	const char *flow = e->flow == LB_TRACE_NEW_FLOW	    ? "new"
			   : e->flow == LB_TRACE_KNOWN_FLOW ? "known"
							    : NULL,
		   *direction = e->direction == LB_TO_CLIENT ? "to-client" : "to-backend";
	char text[TRACE_TEXT_SIZE];

	json_object_set_new(row, "service", text_or_null(trace_service(n, e, text)));
	json_object_set_new(row, "backend", text_or_null(trace_backend(n, e, text)));
	json_object_set_new(row, "flow", text_or_null(flow));
	json_object_set_new(row, "direction", text_or_null(flow ? direction : NULL));
}

json_t *trace_row(const struct trace_names *n, const struct lb_trace_event *e)
{
	char dev[TRACE_TEXT_SIZE], protocol[TRACE_TEXT_SIZE];
	json_t *row;

	row = json_pack("{s:i, s:I, s:s, s:s, s:o, s:o, s:o, s:o}", "abi", LB_ABI_VERSION,
			"time_unix_ns", (json_int_t)trace_time(n, e), "device",
			trace_device(n, e->ifindex, dev), "protocol",
			protocol_text(e, protocol), "source",
			address_json(e, e->ends.source), "source_port",
			port_json(e, e->ends.sport), "destination",
			address_json(e, e->ends.destination), "destination_port",
			port_json(e, e->ends.dport));
	json_object_set_new(row, "tcp_flags",
			    e->protocol == IPPROTO_TCP && has_ports(e)
				    ? json_integer(e->tcp_flags)
				    : json_null());
	json_object_set_new(row, "stage", json_string(trace_stage(e)));
	json_object_set_new(row, "verdict", json_string(trace_verdict(e)));
	json_object_set_new(row, "reason", json_string(reason_name(e->reason)));
	add_flow(row, n, e);
	json_object_set_new(row, "length_in", json_integer(e->length_in));
	json_object_set_new(row, "length_out",
			    e->length_out ? json_integer(e->length_out) : json_null());
	return row;
}
