// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_checksum.c - checksums that lb_rewrite updates, against ones computed from bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "rewrite.h"

/* A payload that makes the sum of the translated packet all ones. */
static void a_checksum_that_comes_out_as_zero(void **state)
{
	static char word[2];
	const struct layer *in[] = {
		PKT(ETH(), IN4, UDP(PORT, DNS),
		    { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
		PKT(ETH(), IN6, UDP(PORT, DNS),
		    { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
		PKT(ETH(), IN4, TCP(PORT, HTTP),
		    { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
	};
	const struct layer *out[] = {
		PKT(TO_BACKEND, OUT4, UDP(NAT, SERVER),
		    { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
		PKT(TO_BACKEND, OUT6, UDP(NAT, SERVER),
		    { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
		PKT(TO_BACKEND, OUT4, TCP(NAT, SERVER),
		    { .kind = LAYER_DATA, .data = word, .n_data = 2 }),
	};
	static const size_t check_at[] = { 14 + 20 + 6, 14 + 40 + 6, 14 + 20 + 16 };
	static const char *const want[] = { "\xff\xff", "\xff\xff", "\x00\x00" };
	__u8 pkt[PACKET_MAX];
	struct lb_pkt known;
	struct run r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		memset(word, 0, sizeof(word));
		packet_build(pkt, out[i]);
		memcpy(word, pkt + check_at[i], sizeof(word));

		rewrite_afresh();
		known = rewrite_parsed(in[i], NULL, PORT, NAT, false);
		rewrite_run(&known, in[i], hosts_back, &r);
		assert_int_equal(r.verdict, XDP_TX);
		stage_expect(&r, out[i]);
		assert_memory_equal(r.pkt + check_at[i], want[i], 2);
	}
}

/* A packet that was damaged on its way must not be made good. */
static void a_wrong_checksum_stays_wrong(void **state)
{
	static const size_t damaged_at[] = { 14 + 10, 14 + 20 + 16, 14 + 20 + 20 };
	const struct layer *in = PKT(ETH(), IN4, TCP(PORT, HTTP), DATA("payload"));
	const struct layer *out =
		PKT(TO_BACKEND, OUT4, TCP(NAT, SERVER), DATA("payload"));
	__u8 pkt[PACKET_MAX], want[PACKET_MAX];
	struct lb_pkt known;
	struct run r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		size_t len = packet_build(pkt, in);

		rewrite_afresh();
		known = rewrite_parsed(in, NULL, PORT, NAT, false);
		stage_set_scratch(&rewrite_stage, &known);
		pkt[damaged_at[i]] ^= 0x55;
		stage_run(stage_program(&rewrite_stage, "lb_rewrite"), pkt, len,
			  hosts_back, &r);
		assert_int_equal(r.len, packet_build(want, out));
		assert_memory_not_equal(r.pkt, want, len);
		assert_true(packet_sum(r.pkt + 14, 20, 0) != 0xffff ||
			    packet_sum(r.pkt + 34, 27,
				       packet_sum(r.pkt + 26, 8, 6 + 27)) != 0xffff);
	}
}

/* A packet, the same after lb_rewrite, and the flow that it belongs to. */
struct sample {
	char data[1200];
	__u16 port, nat;
	struct layer in[5], out[5];
};

static void sample_make(struct sample *p, unsigned int *seed)
{
	bool six = rand_r(seed) % 2, udp = rand_r(seed) % 2, back = rand_r(seed) % 2;
	__u16 service_port = udp ? DNS : HTTP, ttl = 2 + rand_r(seed) % 254;
	const char *client = six ? CLIENT6 : CLIENT, *service = six ? SERVICE6 : SERVICE;
	const char *backend = six ? BACKEND1_6 : BACKEND1;
	struct layer eth = ETH(),
		     ip = { .kind = six ? LAYER_IP6 : LAYER_IP4, .ttl = ttl };
	struct layer l4 = { .kind = udp ? LAYER_UDP : LAYER_TCP, .seq = rand_r(seed) };
	struct layer data = { .kind = LAYER_DATA, .data = p->data };

	/* Runs of 0xff make carries. */
	data.n_data = rand_r(seed) % sizeof(p->data);
	for (size_t i = 0; i < data.n_data; i++)
		p->data[i] = rand_r(seed) % 3 ? rand_r(seed) : 0xff;
	do
		p->port = rand_r(seed);
	while (p->port == SERVER);
	p->nat = rand_r(seed);

	ip.src = back ? backend : client;
	ip.dst = service;
	l4.sport = back ? SERVER : p->port;
	l4.dport = back ? p->nat : service_port;
	memcpy(p->in, (struct layer[]){ eth, ip, l4, data, {} }, sizeof(p->in));

	eth.src = BACK_MAC;
	eth.dst = back ? CLIENT_MAC : BACKEND1_MAC;
	ip.src = service;
	ip.dst = back ? client : backend;
	ip.ttl--;
	l4.sport = back ? service_port : p->nat;
	l4.dport = back ? p->port : SERVER;
	memcpy(p->out, (struct layer[]){ eth, ip, l4, data, {} }, sizeof(p->out));
}

static void random_packets(void **state)
{
	unsigned int seed = 20261121;
	struct sample sample;

	(void)state;
	print_message("# seed %u\n", seed);
	rewrite_afresh();
	for (int i = 0; i < 2000; i++) {
		struct lb_pkt pkt;
		struct run r;

		sample_make(&sample, &seed);
		flows_clear(&rewrite_stage);
		pkt = rewrite_parsed(sample.in, NULL, sample.port, sample.nat, false);
		rewrite_run(&pkt, sample.in, hosts_back, &r);
		assert_int_equal(r.verdict, XDP_TX);
		stage_expect(&r, sample.out);
	}
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(a_checksum_that_comes_out_as_zero),
		cmocka_unit_test(a_wrong_checksum_stays_wrong),
		cmocka_unit_test(random_packets),
	};
	return cmocka_run_group_tests_name("checksum", units, rewrite_open,
					   rewrite_close);
}
