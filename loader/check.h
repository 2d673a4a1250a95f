/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h - which services and backends cannot be.
 *
 * Asked for each command that makes or changes one, so that a single command, a batch and
 * a file say the same.  Each reports what is wrong and what to do.
 */
#ifndef LB_CHECK_H
#define LB_CHECK_H

#include "model.h"
#include "words.h"

/* @s with its backends, beside the other services of @m. */
enum outcome check_service(const struct model *m, const struct model_service *s);
enum outcome check_backend(const struct model_service *s, const struct model_backend *b);
/* What a service in the kernel was, and shall be. */
enum outcome check_change(const struct model_service *old,
			  const struct model_service *new);

#endif /* LB_CHECK_H */
