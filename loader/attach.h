/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attach.h - lb_entry and lb_resolve on an interface: libxdp, tc, sysctl.
 */
#ifndef LB_ATTACH_H
#define LB_ATTACH_H

#include <stdbool.h>
#include "state.h"

struct attach_options {
	enum lb_attach_mode mode; /* native unless said */
	__u16 priority;		  /* 60 unless said */
	bool require_dispatcher;
};

/* Idempotent.  Both report; attach warns in one line if it is alone on the interface
 * and why. */
int attach_device(struct state *s, const char *dev, const struct attach_options *o);
int detach_device(struct state *s, const struct lb_device *dev);

#endif /* LB_ATTACH_H */
