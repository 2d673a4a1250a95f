// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_row.c - all that is said of one packet, for programs and for people.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "explain.h"
#include "generation.h"
#include "output.h"
#include "reason.h"
#include "trace.h"

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static void add_frame(json_t *row, const struct frame *f)
{
	char address[ADDRESS_TEXT_SIZE], flags[FLAGS_TEXT_SIZE];
	bool is_ip = f->source.family;

	json_object_set_new(row, "source",
			    text_or_null(is_ip ? address_format(&f->source, address)
					       : NULL));
	json_object_set_new(row, "source_port",
			    f->has_ports ? json_integer(f->sport) : json_null());
	json_object_set_new(row, "destination",
			    text_or_null(is_ip ? address_format(&f->destination, address)
					       : NULL));
	json_object_set_new(row, "destination_port",
			    f->has_ports ? json_integer(f->dport) : json_null());
	json_object_set_new(row, "ip_protocol",
			    is_ip ? json_integer(f->protocol) : json_null());
	json_object_set_new(row, "tcp_flags",
			    f->has_ports && f->protocol == 6
				    ? json_string(tcp_flags_text(f->tcp_flags, flags))
				    : json_null());
}

static bool leaves(const struct aside_result *r)
{
	return r->verdict == XDP_PASS || r->verdict == XDP_TX ||
	       r->verdict == XDP_REDIRECT;
}

/* What it is when it leaves, if it is another one. */
static json_t *rewrite(const struct explained *x)
{
	const struct aside_result *r = &x->result;
	struct frame out;
	json_t *row;

	if (!leaves(r) ||
	    (r->length == x->length && !memcmp(r->packet, x->packet, x->length)))
		return json_null();
	frame_read(r->packet, r->length, &out);
	row = json_pack("{s:I}", "length", (json_int_t)r->length);
	if (row)
		add_frame(row, &out);
	return row;
}

/* ---- where it leaves ---------------------------------------------------------------- */

/* A frame that XDP sends has the MAC address of the interface by which it leaves. */
static __u32 device_of(const struct explained *x, const struct frame *out)
{
	int i;

	if (x->result.verdict == XDP_TX)
		return x->ifindex;
	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *d = &x->state->devices[i];

		if (d->ifindex && !memcmp(d->mac, out->from, sizeof(d->mac)))
			return d->ifindex;
	}
	return 0;
}

static json_t *next_hop(const struct explained *x)
{
	const struct trace_names names = { .state = x->state };
	const struct aside_result *r = &x->result;
	char mac[FRAME_TEXT_SIZE], dev[TRACE_TEXT_SIZE];
	struct frame out;
	__u32 ifindex;

	if (r->mark && r->verdict == XDP_PASS)
		return json_pack("{s:n, s:s}", "mac", "device",
				 trace_device(&names, r->mark->ifindex, dev));
	if (r->verdict != XDP_TX && r->verdict != XDP_REDIRECT)
		return json_null();
	frame_read(r->packet, r->length, &out);
	ifindex = device_of(x, &out);
	return json_pack("{s:s, s:o}", "mac", mac_text(out.to, mac), "device",
			 ifindex ? json_string(trace_device(&names, ifindex, dev))
				 : json_null());
}

/* ---- whose it is -------------------------------------------------------------------- */

static const struct lb_step *find_step(const struct explained *x, enum lb_stage stage)
{
	__u32 i = x->result.n_steps;

	while (i-- > 0)
		if (x->result.step[i].place.stage == stage)
			return &x->result.step[i];
	return NULL;
}

static bool was_asked_for(const struct explained *x)
{
	return find_step(x, LB_STAGE_POLICY) || find_step(x, LB_STAGE_CLIENT) ||
	       find_step(x, LB_STAGE_UNKNOWN);
}

static const char *flow_word(const struct explained *x, const struct lb_pkt *pkt)
{
	if (!pkt || pkt->service >= LB_MAX_SERVICES)
		return NULL;
	if (pkt->version && (pkt->flags & LB_PKT_NEW_FLOW))
		return "new";
	return pkt->version && !was_asked_for(x) ? "known" : "none";
}

static void add_choice(json_t *row, const struct explained *x)
{
	const struct lb_step *asked = find_step(x, LB_STAGE_POLICY);
	struct generations all;
	struct generation g;

	if (!asked) {
		json_object_set_new(row, "policy", json_null());
		json_object_set_new(row, "generation", json_null());
		return;
	}
	generations_open(x->state, &all);
	g = generation_of(&all, asked->pkt.service % LB_MAX_SERVICES);
	json_object_set_new(row, "policy",
			    json_string(x->state->policies[asked->place.slot].meta.name));
	json_object_set_new(row, "generation", json_integer(g.table.generation));
}

static void add_owner(json_t *row, const struct explained *x)
{
	const struct trace_names names = { .state = x->state };
	const struct lb_pkt *pkt = x->result.pkt;
	struct lb_trace_event e = { .service = LB_NO_SERVICE };
	char text[TRACE_TEXT_SIZE];
	const char *flow = flow_word(x, pkt);

	if (pkt)
		e.service = pkt->service;
	if (pkt && e.service < LB_MAX_SERVICES)
		e.backend = LB_BACKEND_REF_ID(pkt->backend);
	json_object_set_new(row, "service",
			    text_or_null(trace_service(&names, &e, text)));
	json_object_set_new(row, "backend",
			    text_or_null(trace_backend(&names, &e, text)));
	json_object_set_new(row, "flow", text_or_null(flow));
	json_object_set_new(row, "direction",
			    !flow ? json_null()
				  : json_string(pkt->direction == LB_TO_CLIENT
							? "to-client"
							: "to-backend"));
	add_choice(row, x);
}

static json_t *stages(const struct explained *x)
{
	char says[EXPLAIN_TEXT_SIZE];
	json_t *rows = json_array();
	__u32 i;

	for (i = 0; i < x->result.n_steps; i++) {
		const struct lb_trace_event e = { .stage =
							  x->result.step[i].place.stage };

		json_array_append_new(rows,
				      json_pack("{s:s, s:s}", "stage", trace_stage(&e),
						"says", explain_stage(x, i, says)));
	}
	return rows;
}

json_t *explain_row(const struct explained *x)
{
	const struct trace_names names = { .state = x->state };
	const struct aside_result *r = &x->result;
	const struct lb_trace_event e = { .verdict = r->verdict };
	__u32 reason = r->pkt ? r->pkt->reason : LB_REASON_NONE;
	char dev[TRACE_TEXT_SIZE], text[FRAME_TEXT_SIZE];
	struct frame in;
	json_t *row;

	frame_read(x->packet, x->length, &in);
	row = json_pack("{s:s, s:I, s:o}", "packet", frame_text(&in, text), "length",
			(json_int_t)x->length, "device",
			x->ifindex ? json_string(trace_device(&names, x->ifindex, dev))
				   : json_null());
	if (!row)
		return NULL;
	add_frame(row, &in);
	add_owner(row, x);
	json_object_set_new(row, "stages", stages(x));
	json_object_set_new(row, "rewrite", rewrite(x));
	json_object_set_new(row, "next_hop", next_hop(x));
	json_object_set_new(row, "verdict", json_string(trace_verdict(&e)));
	json_object_set_new(row, "reason",
			    text_or_null(reason ? reason_name(reason) : NULL));
	json_object_set_new(row, "means",
			    text_or_null(reason && reason < LB_REASON_MAX
						 ? reason_info[reason].means
						 : NULL));
	return row;
}

/* ---- for people --------------------------------------------------------------------- */

static const char *get_text(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

void explain_print(const json_t *row)
{
	const json_t *hop = json_object_get(row, "next_hop"), *stage;
	const char *dev = get_text(row, "device"), *reason = get_text(row, "reason");
	size_t i;

	printf("%-9s %s, %lld bytes%s%s\n", "packet", get_text(row, "packet"),
	       (long long)json_integer_value(json_object_get(row, "length")),
	       dev ? ", by " : "", dev ?: "");
	json_array_foreach(json_object_get(row, "stages"), i, stage)
		printf("%-9s %s\n", get_text(stage, "stage"), get_text(stage, "says"));
	if (json_is_object(hop))
		printf("%-9s %s by %s\n", "next hop",
		       get_text(hop, "mac") ?: "the kernel finds it,",
		       get_text(hop, "device") ?: "another interface");
	printf("%-9s %s%s%s%s%s\n", "verdict", get_text(row, "verdict"),
	       reason ? ", " : "", reason ?: "", reason ? ": " : "",
	       reason ? get_text(row, "means") : "");
}
