// SPDX-License-Identifier: GPL-2.0-only
/*
 * weights.c - services of 1 to 200 backends with weights from 0 to 100.
 */
#include <stdio.h>
#include <stdlib.h>

#include "weights.h"

static const size_t sizes[] = { 1, 2, 3, 7, 31, 32, 33, 100, 163, 200 };

static __u32 ones(size_t i, size_t n)
{
	(void)i;
	(void)n;
	return 1;
}

static __u32 rising(size_t i, size_t n)
{
	return n == 1 ? 100 : i * 100 / (n - 1);
}

/* One of them is as strong as a hundred others. */
static __u32 one_heavy(size_t i, size_t n)
{
	return i == n / 2 ? 100 : 1;
}

static __u32 every_fifth(size_t i, size_t n)
{
	(void)n;
	return i % 5 ? 0 : 1 + i % 100;
}

static __u32 mixed(size_t i, size_t n)
{
	return (i + n) * 2654435761U % 101;
}

static const struct {
	const char *name;
	__u32 (*weight)(size_t i, size_t n);
} patterns[] = {
	{ "all of weight 1", ones },
	{ "rising from 0 to 100", rising },
	{ "one of weight 100 among ones", one_heavy },
	{ "four of five of weight 0", every_fifth },
	{ "mixed weights", mixed },
};

#define N_SIZES	   (sizeof(sizes) / sizeof(sizes[0]))
#define N_PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

const size_t n_weights = N_SIZES * N_PATTERNS;

struct policy_service *weights_service(size_t row)
{
	size_t n = sizes[row % N_SIZES];
	struct policy_service *s = policy_service_make(n);

	for (size_t i = 0; i < n; i++)
		s->backend[i].weight = patterns[row / N_SIZES].weight(i, n);
	if (!weights_sum(s))
		s->backend[0].weight = 100;
	return s;
}

const char *weights_name(size_t row)
{
	static char name[64];

	snprintf(name, sizeof(name), "%zu backends, %s", sizes[row % N_SIZES],
		 patterns[row / N_SIZES].name);
	return name;
}

__u32 weights_sum(const struct policy_service *s)
{
	__u32 sum = 0;

	for (size_t i = 0; i < s->model.n_backends; i++)
		sum += backend_is_usable(&s->backend[i]) ? s->backend[i].weight : 0;
	return sum;
}

double weights_share(const struct policy_service *s, __u32 id, double n)
{
	const struct model_backend *b = &s->backend[id - 1];

	return backend_is_usable(b) ? n * b->weight / weights_sum(s) : 0;
}

void weights_expect(const struct policy_service *s, const __u32 *count, __u32 n,
		    const char *what)
{
	for (__u32 id = 1; id <= s->model.n_backends; id++) {
		double share = weights_share(s, id, n);
		double off = __builtin_fabs(count[id] - share) - 0.02 * share - 3;

		if (!share ? count[id] : off > 0 && off * off > 36 * share)
			fail_msg("%s: backend %u of weight %u has %u of %u flows "
				 "instead of %.1f",
				 what, id, s->backend[id - 1].weight, count[id], n,
				 share);
	}
}
