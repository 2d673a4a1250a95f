// SPDX-License-Identifier: GPL-2.0-only
/* from_yesterday - built for another version of the ABI. */
#include "lb_policy.bpf.h"

#undef LB_ABI_VERSION
#define LB_ABI_VERSION 1

LB_POLICY(from_yesterday, "from-yesterday", LB_TABLE_UNIFORM, 0, flow, table)
{
	return 0;
}
