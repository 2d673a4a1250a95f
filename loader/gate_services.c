// SPDX-License-Identifier: GPL-2.0-only
/*
 * gate_services.c - the services and the flows that are made for policies to choose from.
 *
 * All services have the same address, and so the same seed: to a policy they are one
 * service at different times, or on different balancers; so their generations differ.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate_world.h"
#include "table.h"

const struct gate_set gate_sets[GATE_SETS] = {
	[SET_ONE] = { 1, { 1 }, 0, 0 },
	[SET_TWO] = { 2, { 1 }, 0, 0 },
	[SET_TEN] = { 10, { 1 }, 0, 0 },
	[SET_FIFTY] = { 50, { 1 }, 0, 0 },
	[SET_MANY] = { 200, { 1 }, 0, 0 },
	[SET_WEIGHTS] = { 3, { 1, 2, 3 }, 0, 0 },
	[SET_STEPS] = { 10, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 0, 0 },
	[SET_GIANT] = { 5, { 100, 1, 1, 1, 1 }, 0, 0 },
	[SET_STANDBY] = { 6, { 1, 2 }, 0, 2 },
	[SET_TEN_LESS] = { 10, { 1 }, 6, 0 },
	[SET_FIFTY_LESS] = { 50, { 1 }, 26, 0 },
};

/* ---- services ------------------------------------------------------------------------- */

#define BACKENDS_MAX 200

struct made {
	struct model_service service;
	struct model_backend backend[BACKENDS_MAX];
};

static void make_model(const struct gate_set *set, __u32 first, struct made *ret)
{
	__u32 i, weights = 1;

	while (weights < sizeof(set->weight) / sizeof(set->weight[0]) &&
	       set->weight[weights])
		weights++;
	memset(ret, 0, sizeof(*ret));
	ret->service.address =
		(struct address){ .family = 4, .word = { htonl(0x0a00000a) } };
	ret->service.port = ret->service.port_last = 80;
	ret->service.protocol = IPPROTO_TCP;
	ret->service.n_backends = set->n;
	ret->service.backends = ret->backend;
	for (i = 0; i < set->n; i++)
		ret->backend[i] = (struct model_backend){
			.id = first + i,
			.address = { .family = 4, .word = { htonl(0x0a010001 + i) } },
			.port = 80,
			.weight = set->weight[i % weights],
			.priority = i + set->standby >= set->n,
			.state = i + 1 == set->gone ? LB_BACKEND_DRAIN
						    : LB_BACKEND_ACTIVE,
		};
}

static void write_backends(struct gate *g, const struct made *m, __u32 service)
{
	size_t i;

	for (i = 0; i < m->service.n_backends; i++) {
		const struct model_backend *b = &m->backend[i];
		struct lb_backend *record = &g->records->backends[b->id];

		record->address[0] = b->address.word[0];
		record->family = b->address.family;
		record->port = htons(b->port);
		record->service = service;
		record->weight = b->weight;
		record->state = b->state;
		record->ref = LB_BACKEND_REF(b->id, 1);
	}
}

static size_t table_size(__u32 n_slots)
{
	return (1 + (n_slots + LB_TABLE_CHUNK - 1) / LB_TABLE_CHUNK) *
	       sizeof(struct lb_table);
}

/* Map what is in the table, and fill it; an fd or -errno. */
static int make_map(struct gate *g, struct lb_table **ret, const struct table *t,
		    __u64 seed, __u64 generation)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	size_t size = table_size(t->n_slots);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_table", sizeof(__u32),
				sizeof(**ret), size / sizeof(**ret), &opts);
	struct lb_table_slots *chunk;
	__u32 i;

	if (fd < 0)
		return -errno;
	*ret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*ret == MAP_FAILED) {
		*ret = NULL;
		close(fd);
		return -ENOMEM;
	}
	**ret = (struct lb_table){ .kind = t->kind,
				   .n_slots = t->n_slots,
				   .generation = generation,
				   .n_backends = t->n_backends,
				   .seed = seed };
	chunk = (void *)(*ret + 1);
	for (i = 0; i < t->n_slots; i++) {
		chunk[i / LB_TABLE_CHUNK].id[i % LB_TABLE_CHUNK] = t->slot[i];
		g->quota[t->slot[i]]++;
	}
	return fd;
}

static int make_service(struct gate *g, enum lb_table_kind kind, enum gate_set_name set)
{
	struct gate_service *service = &g->service[kind][set];
	struct made made;
	struct table t;
	int fd;

	service->first = 1 + g->n_ids;
	g->n_ids += gate_sets[set].n;
	make_model(&gate_sets[set], service->first, &made);
	write_backends(g, &made, kind * GATE_SETS + set);
	if (table_build(&made.service, kind, &t))
		return -ENOMEM;
	fd = make_map(g, &service->table, &t, table_seed(&made.service), 1 + set);
	table_free(&t);
	return fd;
}

/* In one batch, for which the kernel waits only once. */
static int put_tables(const struct gate *g, const __u32 *id, const int *fd, __u32 n)
{
	int tables = bpf_object__find_map_fd_by_name(g->world, "lb_tables");
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 i, done = n;

	if (!bpf_map_update_batch(tables, id, fd, &done, &opts))
		return 0;
	/* Kernels before 5.14 have no batches for maps of maps. */
	for (i = 0; i < n; i++)
		if (bpf_map_update_elem(tables, &id[i], &fd[i], 0))
			return -errno;
	return 0;
}

int gate_make_services(struct gate *g)
{
	__u32 id[LB_TABLE_KIND_MAX * GATE_SETS], made = 0;
	int fd[LB_TABLE_KIND_MAX * GATE_SETS], err = 0;

	while (made < LB_TABLE_KIND_MAX * GATE_SETS && !err) {
		id[made] = made;
		fd[made] = make_service(g, made / GATE_SETS, made % GATE_SETS);
		if (fd[made] < 0)
			err = fd[made];
		else
			made++;
	}
	if (!err)
		err = put_tables(g, id, fd, made);
	while (made)
		close(fd[--made]);
	return err;
}

void gate_free_services(struct gate *g)
{
	struct gate_service *service = &g->service[0][0];
	size_t i;

	for (i = 0; i < LB_TABLE_KIND_MAX * GATE_SETS; i++)
		if (service[i].table)
			munmap(service[i].table, table_size(service[i].table->n_slots));
}

/* ---- flows ---------------------------------------------------------------------------- */

/* splitmix64: a sequence without structure that a hash could fall in step with. */
static __u64 random_next(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void make_odd(struct lb_trial_flow *flow, __u32 i)
{
	flow->attempt = i % 8;
	if (i % 5 == 1) {
		flow->flags = LB_PKT_PER_PACKET;
	} else if (i % 5 == 2) {
		flow->flags = LB_PKT_NO_PORTS;
		flow->port = 0;
	} else if (i % 5 == 3) {
		flow->protocol = flow->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	}
}

/* The same client once more: another port, another protocol, or a fragment. */
static void make_moved(struct lb_trial_flow *flow, __u32 i)
{
	flow->port = i % 3 ? ~flow->port : 0;
	flow->flags = i % 3 ? 0 : LB_PKT_NO_PORTS;
	if (i % 2)
		flow->protocol = flow->protocol == IPPROTO_TCP ? IPPROTO_UDP
							       : IPPROTO_TCP;
}

void gate_make_flows(struct gate *g)
{
	struct lb_trial_flow *flow = g->trial->flow;
	__u64 state = 0x5377697463687961;
	__u32 i;

	for (i = 0; i < LB_TRIAL_FLOWS; i++) {
		__u64 a = random_next(&state), b = random_next(&state);

		flow[i] = (struct lb_trial_flow){
			.family = i % 2 ? 6 : 4,
			.protocol = i % 3 ? IPPROTO_TCP : IPPROTO_UDP,
			.port = htons(1024 + (a >> 32) % 64512),
		};
		if (flow[i].family == 4) {
			flow[i].client[0] = htonl(0x01000000 + (__u32)a % 0x7e000000);
		} else {
			flow[i].client[0] = htonl(0x20010db8);
			flow[i].client[1] = a;
			flow[i].client[2] = b >> 32;
			flow[i].client[3] = b;
		}
	}
	for (i = 0; i < N_FLOWS_ODD; i++)
		make_odd(&flow[FLOWS_ODD + i], i);
	for (i = 0; i < N_FLOWS_MOVED; i++) {
		flow[FLOWS_MOVED + i] = flow[i];
		make_moved(&flow[FLOWS_MOVED + i], i);
	}
}
