/* SPDX-License-Identifier: GPL-2.0-only */
/* reason.h - what the lists of abi.h say of reasons and events. */
#ifndef LB_REASON_H
#define LB_REASON_H

#include <lb/abi.h>

struct reason_info {
	const char *name, *verdict, *means;
};

struct event_info {
	const char *name, *means;
};

extern const struct reason_info reason_info[LB_REASON_MAX];
extern const struct event_info event_info[LB_EVENT_MAX];

const char *reason_name(__u32 reason);

#endif /* LB_REASON_H */
