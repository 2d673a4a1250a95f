// SPDX-License-Identifier: GPL-2.0-only
/*
 * world.c - write services, backends, tables and devices into a stage's maps.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "world.h"
#include "world_endpoint.h"

int world_address(const char *text, __be32 ret[4])
{
	memset(ret, 0, 4 * sizeof(*ret));
	if (inet_pton(AF_INET, text, ret) == 1)
		return 4;
	if (inet_pton(AF_INET6, text, ret) != 1)
		fail_msg("'%s' is no address", text);
	return 6;
}

/* ---- services and backends ---------------------------------------------------- */

static __u32 service_ref(__u32 id, const struct lb_service *service)
{
	__u32 flags = 0;

	if (service->flags & LB_SERVICE_F_PER_PACKET)
		flags |= LB_REF_PER_PACKET;
	if (service->mss)
		flags |= LB_REF_MSS;
	return LB_SERVICE_REF(id, service->forward, flags);
}
static bool has_one_port(const struct lb_service *service)
{
	return service->port == service->port_last;
}

static bool has_one_address(const struct lb_service *service)
{
	return service->prefix == (service->family == 4 ? 32 : 128);
}

/* "10.0.0.0/28" -> address, prefix and family of @ret. */
static void set_address(struct lb_service *ret, const char *text)
{
	char address[64];
	const char *slash = strchr(text, '/');

	snprintf(address, sizeof(address), "%s", text);
	address[strcspn(address, "/")] = '\0';
	ret->family = world_address(address, ret->address);
	ret->prefix = slash ? atoi(slash + 1) : ret->family == 4 ? 32 : 128;
}

__u32 world_add(struct stage *s, const struct world_service *from)
{
	struct lb_service service = {
		.port = htons(from->port),
		.port_last = htons(from->last ?: from->port),
		.protocol = from->protocol,
		.forward = from->forward ?: LB_FORWARD_FULLNAT,
		.flags = from->flags,
		.mss = from->mss,
		.on_empty = from->on_empty,
		.on_unknown = from->on_unknown,
		.grace = from->grace,
		.port_low = 1024,
		.port_high = 32767,
		.state = 1,
	};
	__u32 id = s->n_services++;

	set_address(&service, from->address);
	world_put(s, "lb_services", id, &service);
	if (!has_one_port(&service) || !has_one_address(&service))
		world_wide_add(s, id);
	else
		endpoint_set(s, from->address, from->port, from->protocol,
			     LB_ENDPOINT_SERVICE, service_ref(id, &service));
	if (has_one_address(&service) && service.forward == LB_FORWARD_FULLNAT)
		endpoint_set(s, from->address, 0, 0, LB_ENDPOINT_ADDRESS,
			     1024 | 32767 << 16);
	if (has_one_address(&service) && (from->flags & LB_SERVICE_F_ICMP_REPLY))
		endpoint_set(s, from->address, 0,
			     service.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
			     LB_ENDPOINT_PING, 1);
	if ((from->flags & LB_SERVICE_F_PER_PACKET) && LB_FORWARD_IS_NAT(service.forward))
		world_switch_on(s, offsetof(struct lb_switches, wide));
	return id;
}

__u32 world_add_service(struct stage *s, const char *address, __u16 port, __u8 protocol)
{
	const struct world_service service = { .address = address,
					       .port = port,
					       .protocol = protocol };

	return world_add(s, &service);
}

void world_set_ports(struct stage *s, __u32 id, __u16 low, __u16 high)
{
	struct lb_service service = world_service(s, id);

	service.port_low = low;
	service.port_high = high;
	world_put(s, "lb_services", id, &service);
}

/*
 * The list of those whose replies look like those of backend @id, the newest first, as
 * the value of their endpoint.
 */
static __u32 link_siblings(struct stage *s, __u32 id, const struct lb_service *service)
{
	struct lb_backend backend = world_backend(s, id), other;
	bool fullnat = service->forward == LB_FORWARD_FULLNAT;
	struct lb_service of;
	__u32 next = 0;

	for (__u32 i = 1; i < id; i++) {
		other = world_backend(s, i);
		of = world_service(s, other.service);
		if (!other.ref || other.port != backend.port ||
		    of.protocol != service->protocol || other.family != backend.family ||
		    memcmp(other.address, backend.address, sizeof(other.address)))
			continue;
		if (of.forward == LB_FORWARD_FULLNAT)
			fullnat = true;
		else if (LB_FORWARD_IS_NAT(of.forward))
			next = i;
	}
	if (service->forward == LB_FORWARD_FULLNAT)
		return LB_REPLIES(true, next);
	backend.next = next;
	world_put(s, "lb_backends", id, &backend);
	return LB_REPLIES(fullnat, id);
}

static __u32 tunnel_source(struct stage *s, int family)
{
	struct lb_source source = { .family = family, .prefix = family == 4 ? 32 : 128 };
	__u32 index = family == 4 ? 1 : 2;

	world_address(family == 4 ? WORLD_TUNNEL4 : WORLD_TUNNEL6, source.address);
	world_put(s, "lb_sources", index, &source);
	return index;
}

__u32 world_add_backend(struct stage *s, __u32 service, const char *address, __u16 port)
{
	__u32 id = ++s->n_backends;
	struct lb_backend backend = {
		.port = htons(port),
		.service = service,
		.ref = LB_BACKEND_REF(id, 1),
		.state = LB_BACKEND_ACTIVE,
		.weight = 1,
		.incarnation = 1,
	};
	struct lb_service of = world_service(s, service);

	backend.family = world_address(address, backend.address);
	if (of.forward == LB_FORWARD_IPIP || of.forward == LB_FORWARD_GUE)
		backend.source = tunnel_source(s, backend.family);
	world_put(s, "lb_backends", id, &backend);
	if (LB_FORWARD_IS_NAT(of.forward))
		endpoint_set(s, address, port, of.protocol, LB_ENDPOINT_BACKEND,
			     link_siblings(s, id, &of));
	return id;
}

void world_set_backend(struct stage *s, __u32 id, enum lb_backend_state state,
		       __u32 weight)
{
	struct lb_backend backend = world_backend(s, id);

	backend.state = state;
	backend.weight = weight;
	world_put(s, "lb_backends", id, &backend);
}

/* As lbctl gives an id away again: with no flow counted for it. */
void world_set_incarnation(struct stage *s, __u32 id, __u16 incarnation)
{
	struct lb_backend backend = world_backend(s, id);
	__u64 none = 0;

	backend.ref = incarnation ? LB_BACKEND_REF(id, incarnation) : 0;
	if (incarnation)
		backend.incarnation = incarnation;
	world_put(s, "lb_backends", id, &backend);
	world_put(s, "lb_live", id, &none);
}

struct lb_service world_service(const struct stage *s, __u32 id)
{
	struct lb_service service;

	world_get(s, "lb_services", id, &service);
	return service;
}

struct lb_backend world_backend(const struct stage *s, __u32 id)
{
	struct lb_backend backend;

	world_get(s, "lb_backends", id, &backend);
	return backend;
}

__u64 world_live(const struct stage *s, __u32 backend)
{
	__u64 live;

	world_get(s, "lb_live", backend, &live);
	return live;
}

void world_set_profile(struct stage *s, __u32 profile, const struct lb_profile *p)
{
	struct lb_profile all[LB_MAX_PROFILES];

	if (stage_find_map(s, "lb_profiles") < 0)
		return;
	world_get(s, "lb_profiles", 0, all);
	all[profile] = *p;
	world_put(s, "lb_profiles", 0, all);
}

/* ---- tables ---------------------------------------------------------------------- */

static void put_table(struct stage *s, const char *map, __u32 service,
		      const struct lb_table *head, const __u16 *slots, __u32 n_slots)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__u32 n_chunks = (n_slots + LB_TABLE_CHUNK - 1) / LB_TABLE_CHUNK;
	struct lb_table header = *head;
	int outer = stage_find_map(s, map);
	int fd;

	if (outer < 0)
		return;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_table", sizeof(__u32),
			    sizeof(struct lb_table), 1 + n_chunks, &opts);
	assert_return_code(fd, errno);
	header.n_slots = n_slots;
	for (__u32 i = 0; i <= n_chunks; i++) {
		struct lb_table_slots chunk = {};

		for (__u32 j = 0; i && j < LB_TABLE_CHUNK; j++)
			if ((i - 1) * LB_TABLE_CHUNK + j < n_slots)
				chunk.id[j] = slots[(i - 1) * LB_TABLE_CHUNK + j];
		assert_return_code(
			bpf_map_update_elem(fd, &i, i ? (void *)&chunk : (void *)&header,
					    0),
			errno);
	}
	assert_return_code(bpf_map_update_elem(outer, &service, &fd, 0), errno);
	close(fd);
}

void world_set_table(struct stage *s, __u32 service, const struct lb_table *head,
		     const __u16 *slots, __u32 n_slots)
{
	put_table(s, "lb_tables", service, head, slots, n_slots);
}

void world_set_previous(struct stage *s, __u32 service, const struct lb_table *head,
			const __u16 *slots, __u32 n_slots)
{
	put_table(s, "lb_previous", service, head, slots, n_slots);
}

void world_set_uniform(struct stage *s, __u32 service, __u32 policy, __u16 first, __u32 n)
{
	struct lb_table head = {
		.policy = policy,
		.kind = LB_TABLE_UNIFORM,
		.generation = 1,
		.seed = 0x7461626c65,
		.n_backends = n,
	};
	__u16 slots[n + 1];

	for (__u32 i = 0; i < n; i++)
		slots[i] = first + i;
	world_set_table(s, service, &head, slots, n);
}

/* ---- devices -------------------------------------------------------------- */

void world_add_device(struct stage *s, __u32 ifindex, const __u8 *mac)
{
	struct lb_device device = {
		.ifindex = ifindex,
		.out = ifindex,
		.mode = LB_MODE_NATIVE,
	};
	__u32 slot = s->n_devices++;
	int fd = stage_find_map(s, "lb_device_slots");

	memcpy(device.mac, mac, sizeof(device.mac));
	snprintf(device.name, sizeof(device.name), "device%u", slot);
	world_put(s, "lb_devices", slot, &device);
	world_put(s, "lb_egress", slot, &ifindex);
	if (fd >= 0)
		assert_return_code(bpf_map_update_elem(fd, &ifindex, &slot, 0), errno);
}
