/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sysctl.h - forwarding on lo, which bpf_fib_lookup() asks for.
 *
 * The data path looks routes up as if packets came from lo, so that net.ipv4.ip_forward
 * may stay 0: only lo's own switch has to be on, and no packet is forwarded from lo.
 */
#ifndef LB_SYSCTL_H
#define LB_SYSCTL_H

#include <lb/abi.h>

/* Switch it on for both families and keep in @config what was; 0 or -errno.  A kernel
 * without IPv6 is no error. */
int sysctl_forwarding_on(struct lb_config *config);
/* Make it what it was. */
void sysctl_forwarding_restore(struct lb_config *config);

#endif /* LB_SYSCTL_H */
