/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor.h - checks, each of which gives a verdict, what was found, and what to do.
 */
#ifndef LB_DOCTOR_H
#define LB_DOCTOR_H

#include <jansson.h>
#include "snapshot.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL, VERDICT_MAX };

#define REMEDY_SIZE 128

struct doctor {
	json_t *rows[VERDICT_MAX];
};

/* @remedy NULL: nothing is to be done.  @format says what was found. */
void doctor_say(struct doctor *d, enum verdict verdict, const char *check,
		const char *object, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* The first number in a file of /proc or /sys; -1: there is none. */
long doctor_read_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An interface, as checks look at it. */
struct patient {
	const char *name;
	unsigned int ifindex;
	const struct lb_device *dev; /* NULL: the chain is not on it */
	bool is_native;		     /* or would be, as it is lbctl's default */
	bool gets_others;	     /* frames that came by another one leave here */
	char driver[32];	     /* "?": it does not say */
	char bus[32];
};

/* ---- which checks there are, by what they look at ------------------------------------ */

/* The kernel, the libraries, and the rights that lbctl has. */
void doctor_system(struct doctor *d);
/* Pins: is there an instance that this lbctl can open?  Those beside it, too. */
bool doctor_pins(struct doctor *d, const struct state_options *where);
/* The instance itself: stages, policies, tables. */
void doctor_instance(struct doctor *d, const struct snapshot *s);
/* @s NULL: there is no instance; @dev NULL: the chain is not on the interface. */
void doctor_device(struct doctor *d, const struct snapshot *s, const char *name,
		   const struct lb_device *dev);
/* Its driver, what that can and what it is set to. */
void doctor_driver(struct doctor *d, const struct patient *p);
/* It is a veth. */
void doctor_veth(struct doctor *d, const struct patient *p);
/* Other people's XDP programs beside the chain. */
void doctor_programs(struct doctor *d, const struct snapshot *s, const struct patient *p);
/* Has each a backend that takes new flows? */
void doctor_services(struct doctor *d, const struct state *s, const struct model *m);
/* Routes and neighbours of all backends. */
void doctor_backends(struct doctor *d, const struct state *s, const struct model *m);
/* Do those that answer clients themselves take packets for the service's address?  Pings
 * them. */
void doctor_reach(struct doctor *d, const struct snapshot *s);

#endif /* LB_DOCTOR_H */
