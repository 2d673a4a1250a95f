// SPDX-License-Identifier: GPL-2.0-only
/*
 * packets.c - the packets of a file, made ready to be tried.
 *
 * They are read by libpcap, pcapng as well.  What was captured without an Ethernet header gets
 * one; what was not kept whole is filled up with zeros; and what the kernel had put together
 * (GRO, TSO) is cut to what one packet may be, for its first part is decided on as the whole
 * was.
 */
#include "packets.h"

#include <linux/if_ether.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "aside.h"
#include "report.h"

#define CUT 1514 /* bytes that are left of what is too large */

/* What may stand before IP, and how long it is. */
static const struct link {
	int type;
	__u32 length;
	bool is_ethernet;
} links[] = {
	{ DLT_EN10MB, ETH_HLEN, true }, { DLT_RAW, 0, false },
	{ DLT_IPV4, 0, false },		{ DLT_IPV6, 0, false },
	{ DLT_LINUX_SLL, 16, false },	{ DLT_LINUX_SLL2, 20, false },
};

struct packets {
	const char *path;
	const struct state *state;
	const struct link *link;
	pcap_t *pcap;
	bool failed;
	struct packets_left left;
	__u8 bytes[ASIDE_PACKET_MAX];
};

static const struct link *find_link(int type)
{
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].type == type)
			return &links[i];
	return NULL;
}

struct packets *packets_open(const char *path, const struct state *s)
{
	struct packets *p = calloc(1, sizeof(*p));
	char error[PCAP_ERRBUF_SIZE] = "";
	const char *name;

	if (!p) {
		report("out of memory");
		return NULL;
	}
	p->path = path;
	p->state = s;
	p->pcap = pcap_open_offline(path, error);
	if (p->pcap) {
		p->link = find_link(pcap_datalink(p->pcap));
		if (p->link)
			return p;
		name = pcap_datalink_val_to_name(pcap_datalink(p->pcap));
		report("%s: captured with %s headers; Ethernet, IP alone and those of "
		       "'tcpdump -i any' can be read",
		       path, name ?: "unknown");
	} else if (!strncmp(error, path, strlen(path))) {
		report("%s", error);
	} else {
		report("%s: %s", path, error);
	}
	packets_close(p);
	return NULL;
}

void packets_close(struct packets *p)
{
	if (p->pcap)
		pcap_close(p->pcap);
	free(p);
}

bool packets_failed(const struct packets *p)
{
	return p->failed;
}

struct packets_left packets_left_out(const struct packets *p)
{
	return p->left;
}

/* ---- one packet ---------------------------------------------------------------------- */

static __u32 type_at(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static void write16(__u8 *at, __u32 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static bool is_ours(const struct packets *p)
{
	int i;

	for (i = 0; i < LB_MAX_DEVICES; i++)
		if (p->state->devices[i].ifindex &&
		    !memcmp(p->state->devices[i].mac, p->bytes + ETH_ALEN, ETH_ALEN))
			return true;
	return false;
}

/* Another length in its IP header, so that it does not look as if it was cut. */
static void cut(__u8 *bytes)
{
	__u32 at = ETH_HLEN, type = type_at(bytes + 12);

	while ((type == ETH_P_8021Q || type == ETH_P_8021AD) && at < ETH_HLEN + 8) {
		type = type_at(bytes + at + 2);
		at += 4;
	}
	if (type == ETH_P_IP)
		write16(bytes + at + 2, CUT - at);
	else if (type == ETH_P_IPV6)
		write16(bytes + at + 4, CUT - at - 40);
}

/* An Ethernet header for what has none. */
static bool put_header(struct packets *p, const __u8 *ip, __u32 kept)
{
	static const __u8 from[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };
	__u32 version = kept ? ip[0] >> 4 : 0;

	if (version != 4 && version != 6)
		return false;
	memset(p->bytes, 0, ETH_ALEN);
	memcpy(p->bytes + ETH_ALEN, from, ETH_ALEN);
	write16(p->bytes + 12, version == 4 ? ETH_P_IP : ETH_P_IPV6);
	return true;
}

/* False: it is left out. */
static bool take(struct packets *p, const struct pcap_pkthdr *h, const __u8 *bytes,
		 struct packet_read *ret)
{
	__u32 skip = p->link->length, kept, length, at = ETH_HLEN;

	if (h->caplen < skip || h->len < h->caplen) {
		p->left.other++;
		return false;
	}
	kept = h->caplen - skip;
	length = at + h->len - skip;
	ret->was = length;
	if (length > ASIDE_PACKET_MAX)
		length = CUT;
	if (kept > length - at)
		kept = length - at;
	memset(p->bytes, 0, length);
	memcpy(p->bytes + at, bytes + skip, kept);
	if (p->link->is_ethernet)
		memcpy(p->bytes, bytes, ETH_HLEN);
	else if (!put_header(p, bytes + skip, kept)) {
		p->left.other++;
		return false;
	}
	if (p->link->is_ethernet && is_ours(p)) {
		p->left.ours++;
		return false;
	}
	if (length < ret->was)
		cut(p->bytes);
	ret->bytes = p->bytes;
	ret->length = length;
	return true;
}

bool packets_next(struct packets *p, struct packet_read *ret)
{
	struct pcap_pkthdr *header;
	const __u8 *bytes;
	int got;

	while ((got = pcap_next_ex(p->pcap, &header, &bytes)) == 1)
		if (take(p, header, bytes, ret))
			return true;
	p->failed = got != PCAP_ERROR_BREAK;
	if (p->failed)
		report("%s: %s", p->path, pcap_geterr(p->pcap));
	return false;
}
