/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe.h - does a backend take packets for an address of which it does not speak?
 *
 * In dsr, ipip and gue backends have the service's address, and nobody can ask for it by ARP.
 * But they answer pings: of their own address, which shows that they do, and then of the
 * service's, sent as the data path sends packets.
 */
#ifndef LB_PROBE_H
#define LB_PROBE_H

#include "model.h"

struct probe {
	/* in */
	enum lb_forward forward; /* dsr, ipip or gue */
	struct address service;
	struct address backend; /* of the same family */
	struct address source;	/* of this host, where answers go to */
	unsigned int ifindex;	/* by which the backend is reached */
	/* out */
	bool answers; /* pings of its own address */
	bool takes;   /* and of the service's */
};

/* Ask all of them, which takes a second at most.  0 or -errno, with nothing asked. */
int probe_all(struct probe *probes, size_t n);

#endif /* LB_PROBE_H */
