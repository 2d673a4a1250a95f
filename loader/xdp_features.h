/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xdp_features.h - what of native XDP an interface's driver can do, as the kernel says.
 */
#ifndef LB_XDP_FEATURES_H
#define LB_XDP_FEATURES_H

#include <linux/types.h>

#define XDP_FEATURE_BASIC	 (1U << 0) /* runs programs */
#define XDP_FEATURE_REDIRECT	 (1U << 1) /* and redirects */
#define XDP_FEATURE_TAKES_FRAMES (1U << 2) /* others may redirect to it */

/* 0 or -errno; -ENOENT: the kernel does not say (before 6.3). */
int xdp_features(unsigned int ifindex, __u64 *ret);

#endif /* LB_XDP_FEATURES_H */
