/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rcu.h - wait until no program runs that could have seen what was before.
 */
#ifndef LB_RCU_H
#define LB_RCU_H

void rcu_wait(void);

#endif /* LB_RCU_H */
