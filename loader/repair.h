/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * repair.h - finish what a writer that died has left undone.
 */
#ifndef LB_REPAIR_H
#define LB_REPAIR_H

#include "state.h"

/* Nothing if lb_config.dirty is 0; reports. */
int state_repair(struct state *s);

#endif /* LB_REPAIR_H */
