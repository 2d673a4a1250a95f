// SPDX-License-Identifier: GPL-2.0-only
/* reason.c - what the lists of abi.h say of reasons and events. */
#include "reason.h"

const struct reason_info reason_info[LB_REASON_MAX] = {
	[LB_REASON_NONE] = { "none", "-", "" },
#define X(id, name, verdict, meaning) [LB_REASON_##id] = { name, verdict, meaning },
	LB_REASONS(X)
#undef X
};

const struct event_info event_info[LB_EVENT_MAX] = {
#define X(id, name, meaning) [LB_EVENT_##id] = { name, meaning },
	LB_EVENTS(X)
#undef X
};

const char *reason_name(__u32 reason)
{
	return reason < LB_REASON_MAX ? reason_info[reason].name : "?";
}
