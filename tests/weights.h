/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * weights.h - services of 1 to 200 backends with weights from 0 to 100, on which policies'
 * laws must hold.
 */
#ifndef TEST_WEIGHTS_H
#define TEST_WEIGHTS_H

#include "policy.h"

#define WEIGHTS_MAX_BACKENDS 200

/* Number of such services: each pattern with each number of backends. */
extern const size_t n_weights;

/* The service number @row; to be freed. */
struct policy_service *weights_service(size_t row);
/* "33 backends, rising weights"; good until the next call. */
const char *weights_name(size_t row);

__u32 weights_sum(const struct policy_service *s);
/* What backend @id is to have of @n. */
double weights_share(const struct policy_service *s, __u32 id, double n);

/*
 * Backends have of @n flows what they would if each drew by weight: within six standard
 * deviations, three flows (a few expected ones vary more than their root says) and 2 % of the
 * share; those of weight 0 have none.  By chance that fails once in some ten thousand runs.
 */
void weights_expect(const struct policy_service *s, const __u32 *count, __u32 n,
		    const char *what);

#endif /* TEST_WEIGHTS_H */
