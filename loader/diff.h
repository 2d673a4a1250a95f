/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * diff.h - what changes from one model to another, in words.
 *
 * One list for `apply FILE dry-run` and the system's log: a line per object, the old
 * value and the new one, as in "backend set 10.0.0.10:80/tcp 10.0.0.2:80 weight 1 -> 3".
 */
#ifndef LB_DIFF_H
#define LB_DIFF_H

#include "model.h"

/* Calls @emit for each line; returns how many there were. */
size_t model_diff(const struct model *from, const struct model *to,
		  void (*emit)(const char *line));

/* Emitters: to stdout, and to syslog with who did it. */
void diff_print(const char *line);
void diff_log(const char *line);

const char *backend_state_name(enum lb_backend_state state);
/* "default", or the policy's name. */
const char *policy_name(const struct model *m, int policy);

#endif /* LB_DIFF_H */
