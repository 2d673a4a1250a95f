// SPDX-License-Identifier: GPL-2.0-only
/* careless - does not look whether the map had what it asked for: the verifier does. */
#include "turn.bpf.h"

LB_POLICY(careless, "careless", LB_TABLE_UNIFORM, 0, flow, table)
{
	const __u32 *turn = bpf_map_lookup_elem(&turns, &flow->service);

	return *turn % table->n_slots;
}
