/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chain.h - the chain on interfaces, as commands see it.
 */
#ifndef LB_CHAIN_H
#define LB_CHAIN_H

#include "change.h"

#define CHAIN_FLOWS	262144 /* per family, unless 'flows N' is said */
#define CHAIN_FLOWS_MIN 64
#define CHAIN_FLOWS_MAX (1U << 23) /* LB_BUCKET_1 has 24 bits for twice as many places */
#define CHAIN_PRIORITY	60	   /* after a firewall at everybody's default of 50 */

bool instance_exists(const struct state_options *where);
/* NULL: the chain is not there. */
const struct lb_device *device_find(const struct state *s, const char *name);
/* The id of the XDP program on an interface, 0: none. */
__u32 device_program(unsigned int ifindex);
/* Or did somebody take the chain off, or put another program in its place? */
bool device_has_chain(const struct lb_device *dev);
/* Does what the instance is agree with what the lines of 'chain' say?  Reports. */
enum outcome chain_check(const struct change *c);
bool detach_wanted(const struct change *c, const struct lb_device *dev);
const char *attach_mode_name(__u32 mode);
/* Reports. */
enum outcome attach_mode_parse(const char *word, enum lb_attach_mode *ret);

#endif /* LB_CHAIN_H */
