/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rule_rows.h - the rules of policy match as rows, for `policy param` and `policy show`.
 */
#ifndef LB_RULE_ROWS_H
#define LB_RULE_ROWS_H

#include "model.h"
#include "output.h"

/* Of one service, or of all. */
json_t *rule_rows(const struct model *m, const struct model_service *only);
extern const struct column rule_columns[];
extern const size_t n_rule_columns;

#endif /* LB_RULE_ROWS_H */
