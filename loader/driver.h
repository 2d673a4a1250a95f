/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * driver.h - what an interface's driver says of itself (ethtool).
 *
 * Asked by the name of the interface, so that it is one of this network namespace, which
 * /sys may not be.
 */
#ifndef LB_DRIVER_H
#define LB_DRIVER_H

#include <linux/ethtool.h>
#include <stdbool.h>

/* All of these: false, or -1, if the driver does not say. */
bool driver_info(const char *dev, struct ethtool_drvinfo *ret);
/* 1 on, 0 off; @feature as `ethtool -k` of today's kernels spells it, like "rx-gro-hw". */
int driver_feature(const char *dev, const char *feature);
/* Are checksums left to it, for any protocol? */
int driver_finishes_checksums(const char *dev);
bool driver_channels(const char *dev, struct ethtool_channels *ret);
/* How many receive queues the indirection table names, or 0. */
unsigned int driver_spread(const char *dev);
/* Does it look at ports when it spreads UDP over IPv4? */
int driver_spreads_udp_ports(const char *dev);

#endif /* LB_DRIVER_H */
