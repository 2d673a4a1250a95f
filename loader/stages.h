/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stages.h - the stages of the chain, loaded, pinned and put where tail calls find them.
 */
#ifndef LB_STAGES_H
#define LB_STAGES_H

#include <bpf/libbpf.h>
#include "state.h"

/* Makes and pins the maps that the stages use, too; reports. */
int stages_load(const struct state *s);
/* The @i-th one's name, without lb_, and its program's id, 0: none; NULL: no more. */
const char *stages_get(const struct state *s, size_t i, __u32 *ret_program);
/* lb_entry over the instance's lb_root, not loaded: for one interface.  NULL: reported. */
struct bpf_object *stages_open_entry(struct state *s);

#endif /* LB_STAGES_H */
