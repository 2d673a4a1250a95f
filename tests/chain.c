// SPDX-License-Identifier: GPL-2.0-only
/*
 * chain.c - all stages and policies together.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "chain.h"

static const char *const backends4[] = { BACKEND1, BACKEND2, BACKEND3 };
static const char *const backends6[] = { BACKEND1_6, BACKEND2_6, BACKEND3_6 };

static bool is_ip6(enum chain_service service)
{
	return service >= WEB6;
}

bool chain_is_udp(enum chain_service service)
{
	return service == RESOLVER || service == RESOLVER6;
}

__u32 chain_first_backend(enum chain_service service)
{
	return 1 + service * CHAIN_BACKENDS;
}

static void add_service(struct chain *c, enum chain_service service)
{
	bool udp = chain_is_udp(service), ip6 = is_ip6(service);
	__u32 id = world_add_service(&c->stage, ip6 ? SERVICE6 : SERVICE,
				     udp ? DNS : HTTP, udp ? IPPROTO_UDP : IPPROTO_TCP);

	assert_int_equal(id, service);
	for (int i = 0; i < CHAIN_BACKENDS; i++)
		world_add_backend(&c->stage, id, (ip6 ? backends6 : backends4)[i],
				  SERVER);
	chain_set_policy(c, service, ROUND_ROBIN);
}

void chain_open(struct chain *c, __u32 flow_buckets, __u32 nat_slots)
{
	hosts_open();
	stage_init(&c->stage, flow_buckets, nat_slots);
	c->parse = stage_load(&c->stage, "progs/lb_parse");
	stage_load_rewrite(&c->stage);
	stage_load_policy(&c->stage, "round_robin", ROUND_ROBIN);
	stage_load_policy(&c->stage, "hash", HASH);
	stage_load_policy(&c->stage, "weighted", WEIGHTED);
	stage_load(&c->stage, "progs/lb_control");
	for (enum chain_service i = 0; i < CHAIN_SERVICES; i++)
		add_service(c, i);
	chain_set_timeout(c, 60 * 250);
	hosts_add_devices(&c->stage);
}

void chain_close(struct chain *c)
{
	stage_close(&c->stage);
}

void chain_set_policy(struct chain *c, enum chain_service service,
		      enum chain_policy policy)
{
	static const __u32 kinds[] = {
		[ROUND_ROBIN] = LB_TABLE_UNIFORM,
		[HASH] = LB_TABLE_MAGLEV,
		[WEIGHTED] = LB_TABLE_WEIGHTED,
	};
	struct lb_table head = { .policy = policy,
				 .kind = kinds[policy],
				 .seed = 0x5eed };
	__u16 slots[CHAIN_BACKENDS];
	__u32 n = 0;

	for (__u32 i = 0; i < CHAIN_BACKENDS; i++) {
		__u32 id = chain_first_backend(service) + i;
		struct lb_backend backend = world_backend(&c->stage, id);

		if (backend.ref && backend.state == LB_BACKEND_ACTIVE)
			slots[n++] = id;
	}
	head.n_backends = n;
	world_set_table(&c->stage, service, &head, slots, n);
}

void chain_set_timeout(struct chain *c, __u32 jiffies)
{
	struct lb_profile profile;

	for (int i = 0; i < LB_FLOW_STATES; i++)
		profile.timeout[i] = jiffies;
	world_set_profile(&c->stage, 0, &profile);
}

void delivery_decode(struct delivery *ret, __u32 verdict, const __u8 *out, size_t len,
		     size_t n_meta)
{
	bool ip6 = len > n_meta + 13 && out[n_meta + 12] == 0x86;
	const __u8 *ip = out + n_meta + ETH_HLEN, *l4 = ip + (ip6 ? 40 : 20);

	*ret = (struct delivery){
		.verdict = verdict,
		.sent = verdict == XDP_TX || verdict == XDP_REDIRECT ||
			(verdict == XDP_PASS && n_meta == sizeof(struct lb_mark)),
		.sport = l4[0] << 8 | l4[1],
		.dport = l4[2] << 8 | l4[3],
	};
	memcpy(ret->source, ip + (ip6 ? 8 : 12), ip6 ? 16 : 4);
	memcpy(ret->destination, ip + (ip6 ? 24 : 16), ip6 ? 16 : 4);
}

static void send_between(struct chain *c, enum chain_service service, const char *from,
			 __u16 sport, __u16 dport, __u8 flags, struct delivery *ret)
{
	bool ip6 = is_ip6(service);
	const struct layer in[] = {
		ETH(),
		{ .kind = ip6 ? LAYER_IP6 : LAYER_IP4,
		  .src = from,
		  .dst = ip6 ? SERVICE6 : SERVICE },
		{ .kind = chain_is_udp(service) ? LAYER_UDP : LAYER_TCP,
		  .sport = sport,
		  .dport = dport,
		  .flags = flags },
		DATA("payload"),
		{ .kind = LAYER_END },
	};
	struct run r;

	stage_run_layers(c->parse, in, hosts_back, &r);
	delivery_decode(ret, r.verdict, r.out, r.len + r.n_meta, r.n_meta);
	if (!ret->sent)
		stage_expect(&r, in);
}

void chain_client(struct chain *c, enum chain_service service, const char *client,
		  __u16 port, __u8 flags, struct delivery *ret)
{
	send_between(c, service, client, port, chain_is_udp(service) ? DNS : HTTP, flags,
		     ret);
}

void chain_reply(struct chain *c, __u32 backend, __u16 nat, __u8 flags,
		 struct delivery *ret)
{
	enum chain_service service = (backend - 1) / CHAIN_BACKENDS;
	const char *const *names = is_ip6(service) ? backends6 : backends4;

	send_between(c, service, names[(backend - 1) % CHAIN_BACKENDS], SERVER, nat,
		     flags, ret);
}

__u32 chain_backend(const struct chain *c, enum chain_service service,
		    const struct delivery *d)
{
	__u32 first = chain_first_backend(service);

	for (__u32 id = first; id < first + CHAIN_BACKENDS; id++) {
		struct lb_backend backend = world_backend(&c->stage, id);

		if (!memcmp(backend.address, d->destination, sizeof(d->destination)) &&
		    backend.port == htons(d->dport))
			return id;
	}
	fail_msg("sent to no backend of service %d", service);
	return 0;
}
