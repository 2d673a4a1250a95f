/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * names.h - what a user's word names in a model, or one line that says why nothing.
 */
#ifndef LB_NAMES_H
#define LB_NAMES_H

#include "address.h"
#include "words.h"

/* Each takes its word off @w and reports. */
enum outcome name_service(struct words *w, struct service_name *ret);
/* The service must be in @m. */
enum outcome find_service(struct words *w, const struct model *m,
			  struct model_service **ret);
/* The same, or @ret_service NULL if no word is left. */
enum outcome find_service_or_all(struct words *w, const struct model *m,
				 struct model_service **ret_service);
/* @ret_port 0: none was said. */
enum outcome name_backend(struct words *w, struct address *ret, __u16 *ret_port);
/* A slot; if there is none, says which names there are. */
enum outcome find_policy(const char *name, const struct model *m, int *ret_slot);

#endif /* LB_NAMES_H */
