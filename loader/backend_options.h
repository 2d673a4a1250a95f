/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend_options.h - the words that say how a backend shall be, or what becomes of its flows.
 */
#ifndef LB_BACKEND_OPTIONS_H
#define LB_BACKEND_OPTIONS_H

#include "model.h"
#include "words.h"

enum backend_verb {
	BACKEND_ADD,
	BACKEND_SET,
	BACKEND_REPLACE,
	BACKEND_DRAIN,
	BACKEND_DEL,
};

/* What was said. */
struct backend_words {
	bool has_weight, has_state, has_priority, has_max_flows;
	__u32 weight, priority, max_flows;
	enum lb_backend_state state;
	bool force;
	bool has_wait;
	__u64 wait_ms;
};

/* Take all that are left of a command with @verb; reports. */
enum outcome backend_options(enum backend_verb verb, struct words *w,
			     struct backend_words *b);

#endif /* LB_BACKEND_OPTIONS_H */
