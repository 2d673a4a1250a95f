/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rules.h - the rules of policy match: as users write them, and what they may say together.
 *
 * "len 290-294 at 20 = 600 backend :5001" - one of 'len' and 'at' may be left out.  Bytes
 * are a text, or 0x and pairs of hexadecimal digits.
 */
#ifndef LB_RULES_H
#define LB_RULES_H

#include "state.h"
#include "words.h"

#define RULE_TEXT_SIZE 160
#define RULES_POLICY   "match" /* whose they are */

/* A rule for @s; reports. */
enum outcome rule_parse(const char *text, const struct model_service *s,
			struct model_rule *ret);
/* As it is read; the backend with its address. */
char *rule_format(const struct model_rule *r, char *ret);

/* The rule of @s that is @r, or NULL. */
struct model_rule *rule_find(const struct model_service *s, const struct model_rule *r);
/* Put it last, unless it is there; refuses one that meets a packet of another; reports. */
enum outcome rule_add(struct model_service *s, const struct model_rule *r);

/* A rule of @s that sends to @b, or NULL. */
const struct model_rule *rule_of_backend(const struct model_service *s,
					 const struct model_backend *b);
/* Is match to choose for @s, which has no rule? */
bool rules_lack(const struct model *m, const struct model_service *s);
/* Policies that look at each packet are for services with persistence none; reports. */
enum outcome rules_check(const struct model *m);

/* The map: all rules of the instance, which services have some by id, those of one service
 * (@has: it may have some there), those of services that are gone.  -errno. */
int rules_read(const struct state *s, struct model *m);
int rules_list(const struct state *s, bool ret_has[LB_MAX_SERVICES]);
int rules_write(const struct state *s, const struct model_service *service, bool has);
int rules_tidy(const struct state *s);

#endif /* LB_RULES_H */
