/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hops.h - the part of the ABI that is next hops, and the devices they are behind.
 *
 * Include abi.h, which has the rules.
 */
#ifndef LB_HOPS_H
#define LB_HOPS_H

#include <linux/types.h>

/* lb_records.hops, index = backend id, written by the data path. */
struct lb_hop {
	__u64 to;	  /* LB_HOP, 0: not known */
	__u32 expires;	  /* jiffies: ask the kernel again from then on */
	__u32 unresolved; /* jiffies of the first failure in a row, the odd ones; or 0 */
	__u32 mtu;	  /* of the route, bytes of IP */
	__u32 gateway;	  /* 1: the next hop is not the backend itself */
};
_Static_assert(sizeof(struct lb_hop) == 24, "lb_hop");

#define LB_DEVICE_F_CLSACT (1U << 0) /* its clsact qdisc came with the chain */
#define LB_DEVICE_F_UPPER  (1U << 1) /* no chain of its own: over one that has it */
#define LB_DEVICE_F_TAGS   (1U << 2) /* the host has VLAN devices on it: a tag says which */

#define LB_TAGS 2

struct lb_tag {
	__be16 type; /* ETH_P_8021Q or ETH_P_8021AD; 0: none */
	__be16 id;   /* VLAN */
};

/*
 * lb_records.devices, index = slot, written by lbctl: an interface the chain is
 * attached to, or one that the kernel's routes name and whose frames leave by such a one
 * (F_UPPER: a VLAN device, a bridge).  Published by `ifindex`.  Map lb_device_slots:
 * ifindex -> slot (__u32); map lb_egress (DEVMAP): slot -> `out`.
 */
struct lb_device {
	__u32 ifindex; /* 0: free */
	__u8 mac[6];
	__u16 priority; /* in the dispatcher */
	__u16 mode;	/* enum lb_attach_mode */
	__u16 how;	/* enum lb_attach_how */
	__u32 out;	/* interface by which frames leave: itself, or below it */
	__u64 since;	/* CLOCK_REALTIME, s */
	__u32 program;	/* kernel id of its lb_entry */
	__u32 flags;	/* LB_DEVICE_F_* */
	char name[16];
	struct lb_tag tag[LB_TAGS]; /* that frames leave with, the outer one first */
};
_Static_assert(sizeof(struct lb_device) == 64, "lb_device");

enum lb_attach_mode { LB_MODE_NATIVE = 1, LB_MODE_SKB = 2 };
enum lb_attach_how { LB_HOW_DISPATCHER = 1, LB_HOW_ALONE = 2 };

/*
 * The mark left before a packet (data_meta) that the kernel shall deliver, because only
 * the kernel can do ARP and ND.  lb_resolve reads it.
 */
#define LB_MARK_MAGIC 0x7377796c
struct lb_mark {
	__u32 magic;
	__u32 ifindex;	   /* where it leaves */
	struct lb_tag tag; /* to leave with, by an interface that knows no tags */
	__u32 backend;	   /* id: to the neighbour with its address; 0: by destination */
};
_Static_assert(sizeof(struct lb_mark) == 16, "lb_mark");

#endif /* LB_HOPS_H */
