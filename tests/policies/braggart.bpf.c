// SPDX-License-Identifier: GPL-2.0-only
/* braggart - promises what nobody knows. */
#include "lb_policy.bpf.h"

LB_POLICY(braggart, "braggart", LB_TABLE_UNIFORM, 1U << 20, flow, table)
{
	return 0;
}
