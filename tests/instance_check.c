// SPDX-License-Identifier: GPL-2.0-only
/*
 * instance_check.c - what lbctl made of the records, against what is to be made of them.
 *
 * In another way than lbctl does it: by looking up as the data path does, and counting.
 */
#include "instance.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "admissions.h"
#include "endpoints.h"
#include "netlink.h"
#include "sources.h"
#include "table.h"

/* ---- tables ------------------------------------------------------------------------ */

/* One service's table, against what is to be made of its record. */
static void check_table(const struct model *m, const struct model_service *s)
{
	__u32 policy = s->policy < 0 ? m->default_policy : s->policy;
	struct lb_table header = read_header(s->id);
	struct table want;

	assert_int_equal(header.policy, policy);
	assert_int_equal(header.kind, m->policies[policy].info.meta.kind);
	assert_int_equal(header.promises, m->policies[policy].info.meta.promises);
	assert_int_equal(header.generation, s->generation);
	assert_int_equal(header.flags, admission_flags(s));
	/* The same, if a flip that changes nothing was cut short. */
	assert_true(read_previous(s->id).generation <= header.generation);
	assert_int_equal(header.seed, table_seed(s));
	assert_int_equal(table_build(s, header.kind, &want), 0);
	assert_int_equal(header.n_slots, want.n_slots);
	assert_int_equal(header.n_backends, want.n_backends);
	for (__u32 i = 0; i < want.n_slots; i += 1 + want.n_slots / 10)
		assert_int_equal(read_slot(s->id, i), want.slot[i]);
	table_free(&want);
}

/* None, or the empty one that services which are gone share. */
static void check_no_table(__u32 service)
{
	int fd = open_table(service);

	if (fd < 0)
		return;
	close(fd);
	assert_int_equal(read_header(service).n_slots, 0);
}

/* ---- endpoints --------------------------------------------------------------------- */

static struct endpoint seen[LB_MAX_BACKENDS + 3 * LB_MAX_SERVICES];
static size_t n_seen;

/* There is such an endpoint; its value. */
static __u32 see(const struct address *a, __u16 port, __u8 protocol,
		 enum lb_endpoint_kind kind)
{
	__u32 value = endpoint_value(a, port, protocol, kind);

	assert_int_not_equal(value, 0);
	seen[n_seen++] = endpoint_make(a, port, protocol, kind, value);
	return value;
}

static size_t count_seen(void)
{
	size_t n = 0;

	qsort(seen, n_seen, sizeof(*seen), endpoint_compare);
	for (size_t i = 0; i < n_seen; i++)
		n += !i || endpoint_compare(&seen[i - 1], &seen[i]);
	return n;
}

static size_t count_endpoints(void)
{
	size_t n = 0;

	for (int b = 0; b < LB_ENDPOINT_BUCKETS; b++)
		for (int i = 0; i < LB_ENDPOINT_WAYS; i++)
			n += !!state.endpoints4[b].way[i].value +
			     !!state.endpoints6[b].way[i].value;
	return n;
}

static bool is_whole(const struct model_service *s)
{
	return s->prefix == (s->address.family == 4 ? 32 : 128);
}

static bool is_wide(const struct model_service *s)
{
	return s->port != s->port_last || !is_whole(s);
}

/* How many backends of the model have this endpoint, in fullnat or else. */
static size_t count_sharing(const struct model *m, const struct model_backend *b,
			    __u8 protocol, bool fullnat)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];

		if (s->protocol == protocol && LB_FORWARD_IS_NAT(s->forward) &&
		    fullnat == (s->forward == LB_FORWARD_FULLNAT))
			n += !!model_find_backend(s, &b->address, b->port);
	}
	return n;
}

static void check_replies(const struct model *m, const struct model_service *s,
			  const struct model_backend *b)
{
	__u32 value = see(&b->address, b->port, s->protocol, LB_ENDPOINT_BACKEND);
	__u32 id = LB_REPLIES_FIRST(value);
	size_t n = 0, found = 0;

	assert_int_equal(LB_REPLIES_FULLNAT(value),
			 count_sharing(m, b, s->protocol, true) > 0);
	for (; id && n <= LB_MAX_SIBLINGS; id = state.backends[id].next, n++)
		found += id == b->id;
	assert_int_equal(n, count_sharing(m, b, s->protocol, false));
	assert_int_equal(found, s->forward != LB_FORWARD_FULLNAT);
}

static __u32 wanted_ref(const struct model_service *s)
{
	return LB_SERVICE_REF(s->id, s->forward,
			      (s->per_packet ? LB_REF_PER_PACKET : 0) |
				      (s->mss ? LB_REF_MSS : 0));
}

static void check_endpoints(const struct model *m, const struct model_service *s)
{
	bool icmp = s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6;

	if (!is_wide(s) && !(icmp && s->icmp_reply))
		assert_int_equal(see(&s->address, s->port, s->protocol,
				     LB_ENDPOINT_SERVICE),
				 wanted_ref(s));
	if (s->icmp_reply && is_whole(s))
		see(&s->address, 0,
		    s->address.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		    LB_ENDPOINT_PING);
	if (s->forward == LB_FORWARD_FULLNAT && is_whole(s))
		see(&s->address, 0, 0, LB_ENDPOINT_ADDRESS);
	for (size_t i = 0; LB_FORWARD_IS_NAT(s->forward) && i < s->n_backends; i++)
		check_replies(m, s, &s->backends[i]);
}

/* ---- prefixes ---------------------------------------------------------------------- */

static bool covers(const struct model_service *s, const struct address *a, __u16 port,
		   __u8 protocol)
{
	return is_wide(s) && s->protocol == protocol && s->address.family == a->family &&
	       address_in_network(a, &s->address, s->prefix) && port >= s->port &&
	       port <= s->port_last;
}

static bool is_better(const struct model_service *a, const struct model_service *b)
{
	if (a->prefix != b->prefix)
		return a->prefix > b->prefix;
	return a->port_last - a->port < b->port_last - b->port;
}

/* The service that a packet is for: the most specific one, found by trying all. */
static __u32 wanted_wide(const struct model *m, const struct address *a, __u16 port,
			 __u8 protocol)
{
	const struct model_service *best = NULL;

	for (size_t i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];

		if (covers(s, a, port, protocol) && (!best || is_better(s, best)))
			best = s;
	}
	return best ? wanted_ref(best) : 0;
}

__u32 wide_service(const struct address *a, __u16 port, __u8 protocol)
{
	struct lb_prefix_key4 key4 = { LB_PREFIX_BITS(32), protocol, a->word[0] };
	struct lb_prefix_key6 key6 = { LB_PREFIX_BITS(128), protocol, {} };
	struct lb_prefix p;
	int err;

	memcpy(key6.address, a->word, sizeof(key6.address));
	err = a->family == 4 ? bpf_map_lookup_elem(state.prefixes4_fd, &key4, &p)
			     : bpf_map_lookup_elem(state.prefixes6_fd, &key6, &p);
	for (__u32 i = 0; !err && i < p.n; i++)
		if (port >= p.range[i].low && port <= p.range[i].high)
			return p.range[i].service;
	return 0;
}

static void check_prefix(const struct model *m, const struct model_service *s)
{
	const __u16 ports[] = { s->port, s->port_last, (s->port + s->port_last) / 2 };

	if (!is_wide(s))
		return;
	for (int i = 0; i < 3; i++)
		assert_int_equal(wide_service(&s->address, ports[i], s->protocol),
				 wanted_wide(m, &s->address, ports[i], s->protocol));
}

static size_t count_keys(int fd)
{
	struct lb_prefix_key6 key, last;
	size_t n = 0;

	while (!bpf_map_get_next_key(fd, n ? &last : NULL, &key)) {
		last = key;
		n++;
	}
	return n;
}

static void check_prefixes(const struct model *m)
{
	size_t n = 0;
	bool wide = false, replies = false;

	for (size_t i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];
		bool first = is_wide(s);

		for (size_t j = 0; j < i && first; j++) {
			const struct model_service *t = &m->services[j];

			first = !(is_wide(t) && t->prefix == s->prefix &&
				  t->protocol == s->protocol &&
				  !address_compare(&t->address, &s->address));
		}
		n += first;
		wide = wide || is_wide(s) ||
		       (s->per_packet && LB_FORWARD_IS_NAT(s->forward));
		replies = replies || (s->n_backends && LB_FORWARD_IS_NAT(s->forward));
		check_prefix(m, s);
	}
	assert_int_equal(count_keys(state.prefixes4_fd) + count_keys(state.prefixes6_fd),
			 n);
	assert_int_equal(state.switches->wide, wide);
	assert_int_equal(state.switches->replies, replies);
}

/* ---- sources ----------------------------------------------------------------------- */

static bool named[LB_MAX_SOURCES];

/* Without `src`, and without a way there, the kernel has no choice to offer. */
static bool needs_source(const struct model_service *s, const struct model_backend *b)
{
	struct netlink_route route;

	if (!service_is_tunnel(s))
		return false;
	return s->source[b->address.family == 6].address.family ||
	       !netlink_route(&b->address, &route);
}

static void check_sources(const struct model_service *s)
{
	bool tunnel = service_is_tunnel(s);

	named[state.services[s->id].source4] = true;
	named[state.services[s->id].source6] = true;
	for (size_t i = 0; i < s->n_backends; i++) {
		const struct model_backend *b = &s->backends[i];
		const struct model_source *want = &s->source[b->address.family == 6];
		__u32 index = state.backends[b->id].source;
		const struct lb_source *source = &state.sources[index];

		assert_in_range(index, needs_source(s, b),
				tunnel ? LB_MAX_SOURCES - 1 : 0);
		named[index] = true;
		if (!index)
			continue;
		assert_int_equal(source->family, b->address.family);
		if (!want->address.family)
			continue;
		assert_memory_equal(source->address, want->address.word, 16);
		assert_int_equal(source->prefix, want->prefix);
	}
}

void instance_check(void)
{
	bool has_table[LB_MAX_SERVICES] = {};
	struct model m;

	n_seen = 0;
	memset(named, 0, sizeof(named));
	assert_int_equal(state_read(&state, &m), 0);
	for (size_t i = 0; i < m.n_services; i++) {
		has_table[m.services[i].id] = true;
		check_table(&m, &m.services[i]);
		check_endpoints(&m, &m.services[i]);
		check_sources(&m.services[i]);
	}
	assert_int_equal(count_endpoints(), count_seen());
	check_prefixes(&m);
	for (int i = 1; i < LB_MAX_SOURCES; i++)
		assert_int_equal(!!state.sources[i].family, named[i]);
	for (__u32 id = 0; id < LB_MAX_SERVICES; id++)
		if (!has_table[id])
			check_no_table(id);
	model_free(&m);
}
