/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world.h - services, backends, tables and devices, as lbctl would have written them.
 *
 * Written into the maps of a struct stage by the rules of <lb/abi.h>, with code of its
 * own: were lbctl's used, one misreading of the ABI could hide in both sides of a test.
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "stage.h"

/* An address in the form the ABI has it; ret: its family. */
int world_address(const char *text, __be32 ret[4]);

/* A service; of what is left out comes 0, or what is said here. */
struct world_service {
	const char *address;	 /* or ADDRESS/LENGTH */
	__u16 port, last;	 /* `any`: 0, 65535; last 0: the one port */
	__u8 protocol;		 /* IPPROTO_* */
	enum lb_forward forward; /* fullnat */
	__u32 flags;		 /* LB_SERVICE_F_* */
	__u32 mss;
	enum lb_on_empty on_empty;
	enum lb_on_unknown on_unknown;
	__u32 grace; /* jiffies */
};

/* It has profile 0 and the whole default range of translated ports; its id. */
__u32 world_add(struct stage *s, const struct world_service *service);
/* The same, of one port, in fullnat mode. */
__u32 world_add_service(struct stage *s, const char *address, __u16 port, __u8 protocol);
void world_set_ports(struct stage *s, __u32 service, __u16 low, __u16 high);
/* Where tunnels of backends come from, by the backend's family: entries 1 and 2. */
#define WORLD_TUNNEL4 "172.16.5.9"
#define WORLD_TUNNEL6 "2001:db8:5::9"
/* An active backend of @service, weight 1; its id.  Port 0: as the client chose. */
__u32 world_add_backend(struct stage *s, __u32 service, const char *address, __u16 port);
void world_set_backend(struct stage *s, __u32 id, enum lb_backend_state state,
		       __u32 weight);
/* Another backend gets the id: its flows are dead.  0 leaves the id free. */
void world_set_incarnation(struct stage *s, __u32 id, __u16 incarnation);

/* Point @service at a table with these slots; @head gives policy, kind and seed. */
void world_set_table(struct stage *s, __u32 service, const struct lb_table *head,
		     const __u16 *slots, __u32 n_slots);
/* The same of the table before, which is not there at first. */
void world_set_previous(struct stage *s, __u32 service, const struct lb_table *head,
			const __u16 *slots, __u32 n_slots);
/* A table with one slot for each of @n backends from id @first on. */
void world_set_uniform(struct stage *s, __u32 service, __u32 policy, __u16 first,
		       __u32 n);

/* Timeouts of @profile in jiffies, each by enum lb_flow_state. */
void world_set_profile(struct stage *s, __u32 profile, const struct lb_profile *p);

/* The next slot of lb_devices. */
void world_add_device(struct stage *s, __u32 ifindex, const __u8 *mac);

/* What world_add() does about a service that is not of one address and port. */
void world_wide_add(struct stage *s, __u32 service);

/*
 * An element of a map.  Parts of lb_records are named as if they were maps: lb_services,
 * lb_backends, lb_devices, lb_sources, lb_hops, lb_live, lb_endpoints4 and _6.
 */
void world_put(const struct stage *s, const char *map, __u32 index, const void *value);
/* Zeros for all of such a part. */
void world_clear(const struct stage *s, const char *map);
void world_get(const struct stage *s, const char *map, __u32 index, void *value);

/* @which: the offset of a word of struct lb_switches.  The others stay. */
void world_switch_on(const struct stage *s, size_t which);
struct lb_service world_service(const struct stage *s, __u32 id);
struct lb_backend world_backend(const struct stage *s, __u32 id);
__u64 world_live(const struct stage *s, __u32 backend);

#endif /* TEST_WORLD_H */
