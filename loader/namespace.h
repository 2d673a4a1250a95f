/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * namespace.h - an instance is attached in one network namespace.
 *
 * Pins belong to the machine, interfaces to a namespace: seen from another one, those of
 * an instance look gone, and forgetting them would leave a chain that nobody knows.
 */
#ifndef LB_NAMESPACE_H
#define LB_NAMESPACE_H

#include "state.h"

/* Note that this is the one; to be called while the instance is attached nowhere. */
void namespace_note(struct state *s);
/* Is it this one, so that interfaces here are the instance's? */
bool namespace_is_here(const struct state *s);
/* -EXDEV if the chain is attached in another one, and who wants to write is told so. */
int namespace_check(const struct state *s, enum state_access access);

#endif /* LB_NAMESPACE_H */
