/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world_endpoint.h - the endpoints of a world: see world.h.
 */
#ifndef TEST_WORLD_ENDPOINT_H
#define TEST_WORLD_ENDPOINT_H

#include "world.h"

/* Write an endpoint, where it is or into a place that is free. */
void endpoint_set(struct stage *s, const char *address, __u16 port, __u8 protocol,
		  enum lb_endpoint_kind kind, __u32 value);

#endif /* TEST_WORLD_ENDPOINT_H */
