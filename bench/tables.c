// SPDX-License-Identifier: GPL-2.0-only
/*
 * tables.c - what lbctl takes to build a table, of each kind and size.
 *
 * The kernel has no part in it: a table is built aside, and copied into its map after that.
 * Prints a JSON object a line.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "table.h"

#define ROUNDS 11

static const struct {
	const char *name;
	enum lb_table_kind kind;
} kinds[] = {
	{ "uniform", LB_TABLE_UNIFORM },
	{ "weighted", LB_TABLE_WEIGHTED },
	{ "maglev", LB_TABLE_MAGLEV },
};

/* In Maglev tables of 16,381, 32,749 and 65,537 slots; the last is as many as there can be. */
static const __u32 sizes[] = { 16, 100, 1000, LB_MAX_BACKENDS - 1 };

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static struct model_service make_service(__u32 n)
{
	struct model_service s;
	__u32 i;

	model_init_service(&s);
	s.address = (struct address){ 4, { htonl(0x0a200001) } };
	s.port = s.port_last = 80;
	s.protocol = IPPROTO_TCP;
	s.backends = calloc(n, sizeof(*s.backends));
	if (!s.backends)
		exit(1);
	for (i = 0; i < n; i++) {
		model_init_backend(&s.backends[i]);
		s.backends[i].id = i + 1;
		s.backends[i].address = (struct address){ 4, { htonl(0x0a400002 + i) } };
		s.backends[i].port = 8080;
		s.backends[i].weight = 1 + i % 3;
	}
	s.n_backends = n;
	return s;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int compare_ms(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const struct model_service *s, size_t kind)
{
	double ms[ROUNDS];
	__u32 slots = 0;
	struct table t;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		double begin = now_ms();

		if (table_build(s, kinds[kind].kind, &t))
			exit(1);
		ms[i] = now_ms() - begin;
		slots = t.n_slots;
		table_free(&t);
	}
	qsort(ms, ROUNDS, sizeof(*ms), compare_ms);
	printf("{\"case\": \"lbctl-table-%s\", \"n\": %zu, \"table\": %u, \"ms\": %.3f, "
	       "\"ms_min\": %.3f, \"rounds\": %d}\n",
	       kinds[kind].name, s->n_backends, slots, ms[ROUNDS / 2], ms[0], ROUNDS);
}

int main(void)
{
	size_t i, kind;

	for (i = 0; i < N_SIZES; i++) {
		struct model_service s = make_service(sizes[i]);

		for (kind = 0; kind < N_KINDS; kind++)
			measure(&s, kind);
		free(s.backends);
	}
	return 0;
}
