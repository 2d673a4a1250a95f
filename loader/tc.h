/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tc.h - lb_resolve on an interface's ingress, lb_local on its egress.
 *
 * A filter is told from others by its priority and handle.  A clsact qdisc that was
 * there stays; one that came with the chain goes with it, unless others use it by then.
 */
#ifndef LB_TC_H
#define LB_TC_H

#include <stdbool.h>
#include "state.h"

bool tc_has_clsact(int ifindex);
enum tc_side { TC_IN, TC_OUT };

/* Idempotent: makes clsact, and replaces our filter if it is there.  0 or -errno. */
int tc_attach(int ifindex, enum tc_side side, int program_fd);
/* The id of the program of our filter, 0: it is not there. */
__u32 tc_program(int ifindex, enum tc_side side);
/* Removes our filters, if they are there, and with @own_clsact the qdisc, if it is empty. */
int tc_detach(int ifindex, bool own_clsact);

#endif /* LB_TC_H */
