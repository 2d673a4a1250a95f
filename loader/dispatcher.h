/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dispatcher.h - which dispatcher libxdp builds: of its own object, or of ours.
 *
 * libxdp's own is what all tools of a system agree on, so ours is for where the kernel
 * refuses that one (dispatcher/xdp-dispatcher.bpf.c says why).
 */
#ifndef LB_DISPATCHER_H
#define LB_DISPATCHER_H

#include <stdbool.h>
#include <xdp/libxdp.h>
#include "state.h"

/*
 * Take @step, which has libxdp build a dispatcher; if that is refused, once more with ours.  A step that failed must have changed nothing, and opens its objects anew.
 * Reports only if our object is missing.
 */
int dispatcher_try(struct state *s, int (*step)(void *), void *context, bool *ret_ours);

/* Is the dispatcher of @mp one of ours? */
bool dispatcher_is_ours(const struct xdp_multiprog *mp);

/* Why a dispatcher cannot be had here, for who has to do something about it. */
const char *dispatcher_reason(int err);

#endif /* LB_DISPATCHER_H */
