// SPDX-License-Identifier: GPL-2.0-only
/*
 * match - the length and some bytes of each packet's payload name the backend.
 *
 * The rules are data (<lb/match.h>), many per service, set by `lbctl policy param match`.  A
 * packet that no rule matches is dropped (policy-drop).  TCP segments without payload, those
 * of the handshake and plain ACKs, go to the backend of the first rule.  Weights do not
 * matter; what belongs to a backend that is not active is dropped (backend-down).  Costs
 * 10 ns and 2 to 3 per rule, and 14 each time a rule looks at another place than the one
 * before it: so rules that look at one place are best added one after another.
 *
 * Do not use it where a connection shall stay with a backend: it decides per packet.
 */
#include "payload.bpf.h"

/* Service id -> its rules.  Written by lbctl. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LB_MAX_SERVICES);
	__type(key, __u32);
	__type(value, struct lb_match_rules);
} lb_match_rules SEC(".maps");

/* Bytes of the payload, kept for the next rule: most look at the same place. */
struct sample {
	__u64 word[LB_MATCH_BYTES / 8];
	__u32 offset, n;
};

static __always_inline bool has_bytes(const struct lb_policy_flow *flow,
				      const struct lb_payload *payload,
				      const struct lb_match_rule *rule, struct sample *s)
{
	__u32 n = rule->n_bytes;

	if (n != s->n || rule->offset != s->offset) {
		s->word[0] = s->word[1] = s->n = 0;
		if (!n || n > LB_MATCH_BYTES)
			return !n;
		if (!lb_payload_copy(flow, payload, rule->offset, s->word, n))
			return false;
		s->n = n;
		s->offset = rule->offset;
	}
	return s->word[0] == rule->word[0] && s->word[1] == rule->word[1];
}

LB_POLICY(match, "match", LB_TABLE_UNIFORM, LB_PROMISE_PACKET, flow, table)
{
	const struct lb_match_rules *rules =
		bpf_map_lookup_elem(&lb_match_rules, &flow->service);
	struct sample s = {};
	struct lb_payload p;

	if (!rules || !rules->n || !lb_payload(flow, &p))
		return LB_DROP;
	if (flow->protocol == IPPROTO_TCP && !p.length)
		return LB_BACKEND(rules->rule[0].backend);

	for (__u32 i = 0; i < LB_MATCH_RULES && i < rules->n; i++) {
		const struct lb_match_rule *rule = &rules->rule[i];

		if (p.length >= rule->low && p.length <= rule->high &&
		    has_bytes(flow, &p, rule, &s))
			return LB_BACKEND(rule->backend);
	}
	return LB_DROP;
}
