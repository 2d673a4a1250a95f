/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * settings.h - the settings of a service, as the words that make them.
 *
 * One list for `save`, which leaves defaults out, and for differences.  The mode, the
 * policy and the comment are not in it: they need more than one word's text.
 */
#ifndef LB_SETTINGS_H
#define LB_SETTINGS_H

#include "model.h"

#define SETTING_TEXT_SIZE 128

struct setting {
	const char *keyword;
	/* Its value, as the user says it. */
	char *(*text)(const struct model_service *s, int which, char *ret);
	int which;
};

#define N_SETTINGS 13
extern const struct setting settings[N_SETTINGS]; /* in the order of `save` */

/* The value's text; false if it is the default. */
bool setting_is_set(const struct setting *setting, const struct model_service *s,
		    char *ret);

const char *forward_name(enum lb_forward forward);
const char *on_empty_name(enum lb_on_empty on_empty);
/* What becomes of new flows then, for people. */
const char *on_empty_means(enum lb_on_empty on_empty);
const char *on_unknown_name(enum lb_on_unknown on_unknown);
const char *persistence_name(const struct model_service *s);
const char *timeout_name(enum model_timeout timeout); /* the keyword */
/* ADDR[/LEN],... or "off" */
char *source_format(const struct model_service *s, char *ret);

#endif /* LB_SETTINGS_H */
