// SPDX-License-Identifier: GPL-2.0-only
/*
 * world_wide.c - services of several addresses or ports, as lbctl would have written them.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static bool bits_equal(const __be32 *a, const __be32 *b, int bits)
{
	const __u8 *x = (const __u8 *)a, *y = (const __u8 *)b;
	int rest = bits % 8;

	if (memcmp(x, y, bits / 8))
		return false;
	return !rest || !((x[bits / 8] ^ y[bits / 8]) >> (8 - rest));
}

struct candidate {
	__u8 prefix;
	struct lb_range range;
};

/* Longer prefixes first, then narrower ranges. */
static int more_specific(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->prefix != y->prefix)
		return y->prefix - x->prefix;
	return (x->range.high - x->range.low) - (y->range.high - y->range.low);
}

static struct candidate candidate_of(__u32 id, const struct lb_service *service)
{
	__u32 flags = service->flags & LB_SERVICE_F_PER_PACKET ? LB_REF_PER_PACKET : 0;

	if (service->mss)
		flags |= LB_REF_MSS;
	return (struct candidate){
		.prefix = service->prefix,
		.range = { .low = ntohs(service->port),
			   .high = ntohs(service->port_last),
			   .service = LB_SERVICE_REF(id, service->forward, flags) },
	};
}

static void put_prefix(struct stage *s, const struct lb_service *at,
		       const struct lb_prefix *value)
{
	struct lb_prefix_key6 key6 = { .length = LB_PREFIX_BITS(at->prefix),
				       .protocol = at->protocol };
	struct lb_prefix_key4 key4 = { .length = LB_PREFIX_BITS(at->prefix),
				       .protocol = at->protocol,
				       .address = at->address[0] };
	int fd = stage_map(s, at->family == 4 ? "lb_prefixes4" : "lb_prefixes6");

	memcpy(key6.address, at->address, sizeof(key6.address));
	assert_return_code(
		bpf_map_update_elem(fd, at->family == 4 ? (void *)&key4 : (void *)&key6,
				    value, BPF_ANY),
		errno);
}

/* The services that have this one's addresses, or more around them. */
static void write_prefix(struct stage *s, const struct lb_service *at)
{
	struct candidate all[LB_PREFIX_RANGES];
	struct lb_prefix value = {};
	struct lb_service other;

	for (__u32 id = 0; id < s->n_services; id++) {
		other = world_service(s, id);
		if (!LB_SERVICE_IS_WIDE(&other) || other.family != at->family ||
		    other.protocol != at->protocol || other.prefix > at->prefix ||
		    !bits_equal(other.address, at->address, other.prefix))
			continue;
		assert_true(value.n < LB_PREFIX_RANGES);
		all[value.n++] = candidate_of(id, &other);
	}
	qsort(all, value.n, sizeof(all[0]), more_specific);
	for (__u32 i = 0; i < value.n; i++)
		value.range[i] = all[i].range;
	put_prefix(s, at, &value);
}

void world_switch_on(const struct stage *s, size_t which)
{
	struct lb_switches switches;

	if (stage_find_map(s, "lb_switches") < 0)
		return;
	world_get(s, "lb_switches", 0, &switches);
	*(__u32 *)((char *)&switches + which) = 1;
	world_put(s, "lb_switches", 0, &switches);
}

void world_wide_add(struct stage *s, __u32 service)
{
	struct lb_service added = world_service(s, service), other;

	if (stage_find_map(s, "lb_prefixes4") < 0)
		return;
	write_prefix(s, &added);
	for (__u32 id = 0; id < service; id++) {
		other = world_service(s, id);
		if (LB_SERVICE_IS_WIDE(&other))
			write_prefix(s, &other);
	}
	world_switch_on(s, offsetof(struct lb_switches, wide));
}
