/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * param.h - the parameters of policies: match's rules, and the tunables of all others.
 */
#ifndef LB_PARAM_H
#define LB_PARAM_H

#include "change.h"
#include "output.h"

/* (rule|no-rule) RULE service SERVICE */
enum outcome param_rule(struct change *c, struct words *w);

/* What counts for @only, or what is set for all and for single services. */
json_t *param_rows(const struct model *m, int slot, const struct model_service *only);
extern const struct column param_columns[];
extern const size_t n_param_columns;

/* The parameters that differ, a line each; returns how many. */
size_t param_diff(const struct model *from, const struct model *to,
		  void (*emit)(const char *line));
/* The same of one service; @old is NULL: it is new. */
size_t param_diff_service(const struct model *m, const struct model_service *old,
			  const struct model_service *new,
			  void (*emit)(const char *line));
/* The commands that make them. */
void param_save(const struct model *m);
void param_save_service(const struct model *m, const struct model_service *s);

#endif /* LB_PARAM_H */
