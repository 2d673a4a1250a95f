// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver.c - what an interface's driver says of itself (ethtool).
 */
#include "driver.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_QUEUES 1024

/* @data begins with the command. */
static bool ask(const char *dev, void *data)
{
	struct ifreq request = { .ifr_data = data };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return false;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", dev);
	err = ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	return !err;
}

bool driver_info(const char *dev, struct ethtool_drvinfo *ret)
{
	*ret = (struct ethtool_drvinfo){ .cmd = ETHTOOL_GDRVINFO };
	return ask(dev, ret);
}

int driver_finishes_checksums(const char *dev)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GTXCSUM };

	return ask(dev, &value) ? value.data != 0 : -1;
}

bool driver_channels(const char *dev, struct ethtool_channels *ret)
{
	*ret = (struct ethtool_channels){ .cmd = ETHTOOL_GCHANNELS };
	return ask(dev, ret);
}

/* ---- features, by their names ------------------------------------------------------- */

static __u32 count_names(const char *dev)
{
	struct ethtool_sset_info *set = calloc(1, sizeof(*set) + sizeof(set->data[0]));
	__u32 n = 0;

	if (!set)
		return 0;
	set->cmd = ETHTOOL_GSSET_INFO;
	set->sset_mask = 1ULL << ETH_SS_FEATURES;
	if (ask(dev, set) && set->sset_mask)
		n = set->data[0];
	free(set);
	return n;
}

/* NULL: none.  The caller frees. */
static struct ethtool_gstrings *read_names(const char *dev)
{
	__u32 n = count_names(dev);
	struct ethtool_gstrings *names;

	if (!n)
		return NULL;
	names = calloc(1, sizeof(*names) + (size_t)n * ETH_GSTRING_LEN);
	if (!names)
		return NULL;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = n;
	if (ask(dev, names))
		return names;
	free(names);
	return NULL;
}

static int read_feature(const char *dev, __u32 bit)
{
	__u32 blocks = bit / 32 + 1;
	struct ethtool_gfeatures *all;
	int on = -1;

	all = calloc(1, sizeof(*all) + blocks * sizeof(all->features[0]));
	if (!all)
		return -1;
	all->cmd = ETHTOOL_GFEATURES;
	all->size = blocks;
	if (ask(dev, all))
		on = all->features[bit / 32].active >> (bit % 32) & 1;
	free(all);
	return on;
}

int driver_feature(const char *dev, const char *feature)
{
	struct ethtool_gstrings *names = read_names(dev);
	int on = -1;
	__u32 i;

	for (i = 0; names && i < names->len; i++)
		if (!strncmp((char *)names->data + i * ETH_GSTRING_LEN, feature,
			     ETH_GSTRING_LEN))
			on = read_feature(dev, i);
	free(names);
	return on;
}

/* ---- which queue a packet comes to ---------------------------------------------------- */

unsigned int driver_spread(const char *dev)
{
	struct ethtool_rxfh_indir size = { .cmd = ETHTOOL_GRXFHINDIR }, *table;
	bool seen[MAX_QUEUES] = {};
	unsigned int n = 0;
	__u32 i;

	if (!ask(dev, &size) || !size.size)
		return 0;
	table = calloc(1, sizeof(*table) + size.size * sizeof(table->ring_index[0]));
	if (!table)
		return 0;
	table->cmd = ETHTOOL_GRXFHINDIR;
	table->size = size.size;
	if (!ask(dev, table))
		table->size = 0;
	for (i = 0; i < table->size; i++) {
		__u32 queue = table->ring_index[i] % MAX_QUEUES;

		n += !seen[queue];
		seen[queue] = true;
	}
	free(table);
	return n;
}

int driver_spreads_udp_ports(const char *dev)
{
	struct ethtool_rxnfc hash = { .cmd = ETHTOOL_GRXFH, .flow_type = UDP_V4_FLOW };

	if (!ask(dev, &hash) || !hash.data)
		return -1;
	return (hash.data & (RXH_L4_B_0_1 | RXH_L4_B_2_3)) != 0;
}
