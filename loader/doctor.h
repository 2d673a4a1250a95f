/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor.h - checks, each of which gives a verdict, what was found, and what to do.
 */
#ifndef LB_DOCTOR_H
#define LB_DOCTOR_H

#include <jansson.h>
#include "state.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct doctor {
	json_t *rows;
	bool failed;
};

/* @remedy NULL: nothing is to be done.  @format says what was found. */
void doctor_say(struct doctor *d, enum verdict verdict, const char *check,
		const char *object, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* The first number in a file of /proc or /sys; -1: there is none. */
long doctor_read_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

void doctor_system(struct doctor *d);
/* @dev NULL: the chain is not on it. */
void doctor_device(struct doctor *d, const char *name, const struct lb_device *dev);
/* Has each a backend that takes new flows? */
void doctor_services(struct doctor *d, const struct state *s, const struct model *m);
/* Routes and neighbours of all backends. */
void doctor_backends(struct doctor *d, const struct state *s, const struct model *m);

#endif /* LB_DOCTOR_H */
