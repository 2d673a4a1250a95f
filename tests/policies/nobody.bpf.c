// SPDX-License-Identifier: GPL-2.0-only
/* nobody - a lie: shares that are even, because all flows are dropped. */
#include "lb_policy.bpf.h"

LB_POLICY(nobody, "nobody", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)
{
	return LB_DROP;
}
