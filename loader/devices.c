// SPDX-License-Identifier: GPL-2.0-only
/*
 * devices.c - the records of the interfaces that have the chain, and the ways out by them.
 */
#include "devices.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "namespace.h"
#include "report.h"

static int read_mac(const char *dev, __u8 *ret)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct ifreq ifr = {};

	if (fd < 0)
		return -errno;
	strncpy(ifr.ifr_name, dev, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		err = -errno;
	else if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
		 ifr.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK) /* framed the same way */
		err = -EPROTOTYPE;
	else
		memcpy(ret, ifr.ifr_hwaddr.sa_data, 6);
	close(fd);
	return err;
}

static int map_set(const struct state *s, const char *map, __u32 key, __u32 value)
{
	int fd = state_map_fd(s, map), err;

	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(fd, &key, &value, BPF_ANY);
	close(fd);
	return err;
}

static void map_unset(const struct state *s, const char *map, __u32 key)
{
	int fd = state_map_fd(s, map);

	if (fd < 0)
		return;
	bpf_map_delete_elem(fd, &key);
	close(fd);
}

bool device_is_attached(const struct lb_device *d)
{
	return d->ifindex && !(d->flags & LB_DEVICE_F_UPPER);
}

/* In every network namespace. */
bool device_is_loopback(const struct lb_device *d)
{
	return d->ifindex == 1;
}

bool interface_is_up(const char *name)
{
	struct ifreq request = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return false;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	err = ioctl(fd, SIOCGIFFLAGS, &request);
	close(fd);
	return !err && request.ifr_flags & IFF_UP;
}

void devices_forget(struct state *s, struct lb_device *d)
{
	__u32 slot = d - s->devices;

	map_unset(s, "lb_device_slots", d->ifindex);
	map_unset(s, "lb_egress", slot);
	__atomic_store_n(&d->ifindex, 0, __ATOMIC_RELEASE);
}

void devices_forget_gone(struct state *s)
{
	char name[IF_NAMESIZE];
	__u32 slot;

	for (slot = 0; slot < LB_MAX_DEVICES; slot++)
		if (s->devices[slot].ifindex &&
		    !if_indextoname(s->devices[slot].ifindex, name))
			devices_forget(s, &s->devices[slot]);
}

struct lb_device *devices_find(struct state *s, __u32 ifindex)
{
	__u32 slot;

	for (slot = 0; slot < LB_MAX_DEVICES; slot++)
		if (s->devices[slot].ifindex == ifindex)
			return &s->devices[slot];
	return NULL;
}

const char *device_name(const struct state *s, const struct lb_device *d,
			char ret[IF_NAMESIZE])
{
	if (namespace_is_here(s) && if_indextoname(d->ifindex, ret))
		return ret;
	return d->name;
}

int devices_count(const struct state *s)
{
	__u32 slot;
	int n = 0;

	for (slot = 0; slot < LB_MAX_DEVICES; slot++)
		n += device_is_attached(&s->devices[slot]);
	return n;
}

int devices_write(struct state *s, struct lb_device *d, const struct lb_device *wanted)
{
	__u32 slot = d - s->devices;
	int err;

	if (!d->ifindex) {
		struct lb_device fresh = *wanted;

		fresh.ifindex = 0;
		fresh.since = time(NULL);
		*d = fresh;
	}
	if (memcmp(d->mac, wanted->mac, sizeof(d->mac)))
		memcpy(d->mac, wanted->mac, sizeof(d->mac));
	if (memcmp(d->tag, wanted->tag, sizeof(d->tag)))
		memcpy(d->tag, wanted->tag, sizeof(d->tag));
	if (strcmp(d->name, wanted->name))
		memcpy(d->name, wanted->name, sizeof(d->name));
	__atomic_store_n(&d->out, wanted->out, __ATOMIC_RELEASE);
	err = map_set(s, "lb_egress", slot, wanted->out);
	__atomic_store_n(&d->ifindex, wanted->ifindex, __ATOMIC_RELEASE);
	return err ? err : map_set(s, "lb_device_slots", wanted->ifindex, slot);
}

/* A free record; if there is none, that of one that has no chain. */
static struct lb_device *find_room(struct state *s)
{
	struct lb_device *d = devices_find(s, 0);
	__u32 slot;

	for (slot = 0; slot < LB_MAX_DEVICES && !d; slot++) {
		if (device_is_attached(&s->devices[slot]))
			continue;
		d = &s->devices[slot];
		devices_forget(s, d);
	}
	return d;
}

struct lb_device *devices_enter(struct state *s, const char *name, __u32 ifindex)
{
	struct lb_device *d = devices_find(s, ifindex), fresh = {};
	int err;

	err = read_mac(name, fresh.mac);
	if (err) {
		report("%s: %s", name,
		       err == -EPROTOTYPE
			       ? "not an Ethernet interface, which the chain needs"
			       : strerror(-err));
		return NULL;
	}
	if (d && !device_is_attached(d)) {
		devices_forget(s, d);
		d = NULL;
	}
	if (!d)
		d = find_room(s);
	if (!d) {
		report("%s: cannot attach: %d interfaces have the chain, which is the limit",
		       name, LB_MAX_DEVICES);
		return NULL;
	}

	fresh.ifindex = fresh.out = ifindex;
	strncpy(fresh.name, name, sizeof(fresh.name) - 1);
	err = devices_write(s, d, &fresh);
	if (err) {
		report("%s: cannot be entered as a way out: %s", name, strerror(-err));
		devices_forget(s, d);
		return NULL;
	}
	return d;
}
