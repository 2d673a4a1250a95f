// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_icmp.c - every ICMP error about every kind of flow, each way, byte for byte.
 *
 * The error and what it must become are both put together here from what each end of the
 * flow sends and sees; the builder computes all checksums, the quoted ones too.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "icmp.h"

/* clang-format off */
struct type {
	__u8 type, code;
	__u16 mtu;
};

static const struct type types4[] = {
	{ 3, 0, 0 }, { 3, 1, 0 },	/* network, host, */
	{ 3, 2, 0 }, { 3, 3, 0 },	/* protocol, port unreachable */
	{ 3, 4, 1400 }, { 3, 13, 0 },	/* fragmentation needed, prohibited */
	{ 11, 0, 0 }, { 11, 1, 0 },	/* time exceeded, on the way, in reassembly */
	{ 12, 0, 0 },			/* parameter problem */
};

static const struct type types6[] = {
	{ 1, 0, 0 }, { 1, 1, 0 },	/* no route, prohibited, */
	{ 1, 3, 0 }, { 1, 4, 0 },	/* address, port unreachable */
	{ 2, 0, 1400 },			/* packet too big */
	{ 3, 0, 0 }, { 3, 1, 0 },	/* time exceeded */
	{ 4, 1, 6 },			/* parameter problem */
};

/* How the quote looks. */
static const struct shape {
	bool options, no_check;
	const char *data;
	size_t kept;			/* bytes behind the quoted IP header; 0: all */
	int tags;
} shapes[] = {
	{ .data = "GET / HTTP/1.0" },
	{ .data = "odd" },
	{ .data = "" , .tags = 1 },
	{ .data = "longer than it is kept", .kept = 8 },
	{ .data = "longer than it is kept", .kept = 16 }, /* without TCP's checksum */
	{ .data = "longer than it is kept", .kept = 18 },
	{ .data = "longer than it is kept", .kept = 21, .tags = 2 },
	{ .data = "with options", .options = true },
	{ .data = "with options, cut", .options = true, .kept = 8 },
	{ .data = "not checked", .no_check = true },
};
/* clang-format on */

#define N(array) (sizeof(array) / sizeof(array[0]))

/* One of the flow's packets, as it is on one side of the balancer. */
struct side {
	const char *source, *destination;
	__u16 sport, dport; /* or one identifier, in both */
	bool request;
};

static struct side from_client(const struct about *a)
{
	return (struct side){
		.source = a->family == 4 ? CLIENT : CLIENT6,
		.destination = icmp_service_address(a),
		.sport = PORT,
		.dport = a->protocol == OF_ICMP ? PORT : icmp_service_port(a),
		.request = true,
	};
}

static struct side to_backend(const struct about *a)
{
	struct side s = from_client(a);

	s.destination = a->family == 4 ? BACKEND1 : BACKEND1_6;
	s.dport = SERVER;
	if (a->mode == FULLNAT) {
		s.source = icmp_service_address(a);
		s.sport = NAT;
	}
	if (a->protocol == OF_ICMP)
		s.dport = s.sport;
	return s;
}

static struct side reverse(struct side s)
{
	return (struct side){ s.destination, s.source, s.dport, s.sport, !s.request };
}

/* An error: who sends it to whom, and what it quotes. */
struct error {
	struct layer eth;
	const char *source, *destination;
	__u8 ttl;
	struct side quote;
};

struct packet {
	struct layer layer[16]; /* what is behind the last is LAYER_END */
	int n;
};

static void add(struct packet *p, struct layer layer)
{
	p->layer[p->n++] = layer;
}

static void add_ip(struct packet *p, int family, const char *source,
		   const char *destination, __u8 ttl)
{
	if (family == 4)
		add(p, (struct layer)IP4(source, destination, .ttl = ttl));
	else
		add(p, (struct layer)IP6(source, destination, .ttl = ttl));
}

static void add_l4(struct packet *p, const struct about *a, const struct side *s,
		   const struct shape *shape)
{
	__u8 echo = a->family == 4 ? (s->request ? 8 : 0) : s->request ? 128 : 129;

	if (a->protocol == OF_TCP)
		add(p, (struct layer)TCP(s->sport, s->dport, .seq = 7, .ack = 9));
	else if (a->protocol == OF_UDP)
		add(p, (struct layer)UDP(s->sport, s->dport,
					 .no_check = shape->no_check && a->family == 4));
	else
		add(p, (struct layer)ICMP(echo, .sport = s->sport, .dport = 5));
}

static void add_quote(struct packet *p, const struct about *a, const struct side *s,
		      const struct shape *shape)
{
	static const size_t heads[] = { [OF_TCP] = 20, [OF_UDP] = 8, [OF_ICMP] = 8 };
	size_t len = heads[a->protocol] + strlen(shape->data);

	add_ip(p, a->family, s->source, s->destination, 61);
	if (shape->options && a->family == 4) {
		p->layer[p->n - 1].data = "\x94\x04\x00\x00\x01\x01\x01\x00";
		p->layer[p->n - 1].n_data = 8;
	} else if (shape->options) {
		add(p, (struct layer)EXT(IPPROTO_HOPOPTS));
		add(p, (struct layer)EXT(IPPROTO_DSTOPTS, BYTES("\x01\x06\0\0\0\0\0\0")));
	}
	add_l4(p, a, s, shape);
	add(p, (struct layer){ .kind = LAYER_DATA,
			       .data = shape->data,
			       .n_data = strlen(shape->data) });
	if (shape->kept && shape->kept < len)
		add(p, (struct layer)CUT(len - shape->kept));
}

static struct packet error_packet(const struct about *a, const struct error *e,
				  const struct type *type, const struct shape *shape)
{
	struct packet p = {};

	add(&p, e->eth);
	for (int i = 0; i < shape->tags; i++)
		add(&p, (struct layer)VLAN(42 + i));
	add_ip(&p, a->family, e->source, e->destination, e->ttl);
	add(&p, (struct layer)ICMP(type->type, .code = type->code, .dport = type->mtu));
	add_quote(&p, a, &e->quote, shape);
	return p;
}

/* What arrives, and what it must become. */
struct change {
	struct about about;
	struct error in, out;
	__u32 verdict;
};

/* A client's side complains about what the backend, or we in its place, have sent. */
static struct change towards_backend(const struct about *a, bool by_router)
{
	struct side client = from_client(a), backend = to_backend(a);
	const char *router = a->family == 4 ? ROUTER : ROUTER_6;
	struct change c = {
		.about = *a,
		.in = { ETH(), by_router ? router : client.source, client.destination, 64,
			reverse(client) },
		.out = { ETH(.dst = BACKEND1_MAC, .src = BACK_MAC), NULL,
			 backend.destination, 63, reverse(backend) },
		.verdict = XDP_TX,
	};

	c.out.source = a->mode == FULLNAT ? icmp_service_address(a) : c.in.source;
	return c;
}

/* A backend's side complains about what the client, or we in its place, have sent. */
static struct change towards_client(const struct about *a, bool by_router)
{
	struct side client = from_client(a), backend = to_backend(a);
	const char *router = a->family == 4 ? ROUTER : ROUTER_6;

	return (struct change){
		.about = *a,
		.in = { ETH(), by_router ? router : backend.destination, backend.source,
			64, backend },
		.out = { ETH(.dst = CLIENT_MAC, .src = BACK_MAC), client.destination,
			 client.source, 63, client },
		.verdict = XDP_TX,
	};
}

/* The same up the stack: nothing is sent. */
static void stay(struct change *c)
{
	c->out.eth = c->in.eth;
	c->out.ttl = c->in.ttl;
	c->verdict = XDP_PASS;
}

/* One change, with every type of error and every shape of quote. */
static void try_all(const struct change *c)
{
	const struct about *a = &c->about;
	const struct type *types = a->family == 4 ? types4 : types6;
	size_t n_types = a->family == 4 ? N(types4) : N(types6);
	struct flow flow = icmp_flow(a);
	char what[64];

	for (size_t t = 0; t < n_types; t++) {
		for (size_t s = 0; s < N(shapes); s++) {
			struct packet in = error_packet(a, &c->in, &types[t], &shapes[s]);
			struct packet out =
				error_packet(a, &c->out, &types[t], &shapes[s]);

			snprintf(what, sizeof(what), "protocol %d, type %d/%d, shape %zu",
				 a->protocol, types[t].type, types[t].code, s);
			icmp_expect(what, in.layer, out.layer, c->verdict,
				    LB_REASON_ICMP_ERROR);
		}
	}
	icmp_expect_flow(a, &flow);
	flows_check(&icmp_stage);
}

typedef struct change change_fn(const struct about *a, bool by_router);

static void try_mode(int mode, int family, change_fn *change)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		struct about a = { mode, family, protocol };

		for (int by_router = 0; by_router < 2; by_router++) {
			struct change c = change(&a, by_router);

			if (mode == LOCAL)
				stay(&c);
			try_all(&c);
		}
	}
}

/* clang-format off */
static const struct row {
	const char *name;
	int mode, family;
	change_fn *change;
} rows[] = {
	{ "fullnat, to the backend", FULLNAT, 4, towards_backend },
	{ "fullnat, to the backend, IPv6", FULLNAT, 6, towards_backend },
	{ "fullnat, to the client", FULLNAT, 4, towards_client },
	{ "fullnat, to the client, IPv6", FULLNAT, 6, towards_client },
	{ "nat, to the backend", VIA, 4, towards_backend },
	{ "nat, to the backend, IPv6", VIA, 6, towards_backend },
	{ "nat, to the client", VIA, 4, towards_client },
	{ "nat, to the client, IPv6", VIA, 6, towards_client },
	{ "local, to the backend", LOCAL, 4, towards_backend },
	{ "local, to the backend, IPv6", LOCAL, 6, towards_backend },
	{ "local, to the client", LOCAL, 4, towards_client },
	{ "local, to the client, IPv6", LOCAL, 6, towards_client },
};
/* clang-format on */

static void run_row(void **state)
{
	const struct row *row = *state;

	try_mode(row->mode, row->family, row->change);
}

/* To the backend that has the service's address: all but the frame is as it was. */
static struct change as_it_is(const struct about *a, bool by_router)
{
	struct change c = towards_backend(a, by_router);
	struct layer eth = c.out.eth;

	c.out = c.in;
	c.out.eth = eth;
	return c;
}

static void dsr(void **state)
{
	(void)state;
	try_mode(DIRECT, 4, as_it_is);
	try_mode(DIRECT, 6, as_it_is);
}

/* Is the ICMP checksum of what came out right? */
static bool sums_up(const struct about *a, const struct run *r)
{
	size_t l4 = a->family == 4 ? 34 : 54, len = r->len - l4;
	__u32 pseudo = a->family == 4 ? 0 : packet_sum(r->pkt + 22, 32, 58 + len);

	return packet_sum(r->pkt + l4, len, pseudo) == 0xffff;
}

/* A quote that ends @kept bytes behind its IP header: translated if it has the ports. */
static void try_length(const struct change *c, size_t kept)
{
	const struct about *a = &c->about;
	const struct type *type = a->family == 4 ? types4 : types6;
	const struct shape shape = { .data = "up to here", .kept = kept };
	struct packet in = error_packet(a, &c->in, type, &shape),
		      out = error_packet(a, &c->out, type, &shape);
	bool half = kept == 17 && a->protocol == OF_TCP; /* of the checksum */
	const char *what = "cut short";
	struct run r;

	if (kept < 8) {
		icmp_expect(what, in.layer, in.layer, XDP_PASS, LB_REASON_NOT_OURS);
	} else if (!half) {
		icmp_expect(what, in.layer, out.layer, c->verdict, LB_REASON_ICMP_ERROR);
	} else {
		stage_run_layers(stage_program(&icmp_stage, "lb_parse"), in.layer,
				 hosts_back, &r);
		assert_int_equal(r.verdict, c->verdict);
		assert_true(sums_up(a, &r));
	}
}

static void truncated_at_every_length(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * N_PROTOCOLS; i++) {
		struct about a = { FULLNAT, i % 2 ? 6 : 4, i / 2 };
		struct change back = towards_backend(&a, true),
			      there = towards_client(&a, true);

		icmp_flow(&a);
		for (size_t kept = 1; kept <= 30; kept++) {
			try_length(&back, kept);
			try_length(&there, kept);
		}
	}
}

/* In a tunnel: what is inside of the outer header is as it was. */
static void ipip(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * N_PROTOCOLS; i++) {
		struct about a = { TUNNEL, i % 2 ? 6 : 4, i / 2 };
		struct change c = towards_backend(&a, true);
		const struct type *type = a.family == 4 ? types4 : types6;
		struct packet in = error_packet(&a, &c.in, type, &shapes[7]);
		struct flow flow = icmp_flow(&a);
		__u8 bytes[PACKET_MAX];
		size_t outer = a.family == 4 ? 20 : 40,
		       len = packet_build(bytes, in.layer);
		struct run r;

		stage_run(stage_program(&icmp_stage, "lb_parse"), bytes, len, hosts_back,
			  &r);
		assert_int_equal(r.verdict, XDP_TX);
		assert_int_equal(r.len, len + outer);
		assert_memory_equal(r.pkt + 14 + outer, bytes + 14, len - 14);
		icmp_expect_flow(&a, &flow);
	}
}

int main(void)
{
	struct CMUnitTest units[N(rows) + 3];

	for (size_t i = 0; i < N(rows); i++)
		units[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = run_row,
			.initial_state = (void *)&rows[i],
		};
	units[N(rows)] = (struct CMUnitTest)cmocka_unit_test(dsr);
	units[N(rows) + 1] = (struct CMUnitTest)cmocka_unit_test(ipip);
	units[N(rows) + 2] =
		(struct CMUnitTest)cmocka_unit_test(truncated_at_every_length);
	return cmocka_run_group_tests_name("icmp", units, icmp_open, icmp_close);
}
