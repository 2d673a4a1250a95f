// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame.c - a frame's headers read, and as a text.
 */
#include "frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"

static const char flag_letters[] = "FSRPAUEC"; /* from bit 0 on */

static __u16 read16(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static struct address read_address(__u8 family, const __u8 *at)
{
	struct address a = { .family = family };

	memcpy(a.word, at, family == 4 ? 4 : 16);
	return a;
}

static void read_ports(const __u8 *at, __u32 left, struct frame *f)
{
	bool is_icmp = f->protocol == IPPROTO_ICMP || f->protocol == IPPROTO_ICMPV6;

	f->has_ports = (f->protocol == IPPROTO_TCP || f->protocol == IPPROTO_UDP) &&
		       left >= 4;
	if (f->has_ports) {
		f->sport = read16(at);
		f->dport = read16(at + 2);
	}
	if (f->protocol == IPPROTO_TCP && left >= 14)
		f->tcp_flags = at[13];
	if (is_icmp && left >= 8)
		f->sport = read16(at + 4);
}

static void read_ipv4(const __u8 *at, __u32 left, struct frame *f)
{
	__u32 header = (at[0] & 15) * 4;

	if (left < sizeof(struct iphdr) || header < sizeof(struct iphdr))
		return;
	f->protocol = at[9];
	f->source = read_address(4, at + 12);
	f->destination = read_address(4, at + 16);
	if (left >= header && !(read16(at + 6) & 0x1fff))
		read_ports(at + header, left - header, f);
}

/* Hop-by-hop, routing and destination options; a fragment has ports in the first one only. */
static void read_ipv6(const __u8 *at, __u32 left, struct frame *f)
{
	__u32 offset = sizeof(struct ipv6hdr);

	if (left < offset)
		return;
	f->protocol = at[6];
	f->source = read_address(6, at + 8);
	f->destination = read_address(6, at + 24);
	while ((f->protocol == IPPROTO_HOPOPTS || f->protocol == IPPROTO_ROUTING ||
		f->protocol == IPPROTO_DSTOPTS) &&
	       left >= offset + 8) {
		f->protocol = at[offset];
		offset += (at[offset + 1] + 1) * 8;
	}
	if (left > offset)
		read_ports(at + offset, left - offset, f);
}

void frame_read(const __u8 *packet, __u32 length, struct frame *ret)
{
	__u32 offset = ETH_HLEN;
	__u16 type;

	memset(ret, 0, sizeof(*ret));
	if (length < ETH_HLEN)
		return;
	memcpy(ret->to, packet, sizeof(ret->to));
	memcpy(ret->from, packet + 6, sizeof(ret->from));
	type = read16(packet + 12);
	while ((type == ETH_P_8021Q || type == ETH_P_8021AD) && length >= offset + 4) {
		if (offset == ETH_HLEN)
			ret->vlan = read16(packet + offset) & 0xfff;
		type = read16(packet + offset + 2);
		offset += 4;
	}
	if (type == ETH_P_IP && length > offset)
		read_ipv4(packet + offset, length - offset, ret);
	else if (type == ETH_P_IPV6 && length > offset)
		read_ipv6(packet + offset, length - offset, ret);
}

/* ---- as a text ---------------------------------------------------------------------- */

char *tcp_flags_text(__u8 flags, char *ret)
{
	size_t n = 0, i;

	for (i = 0; i < 8; i++)
		if (flags >> i & 1)
			ret[n++] = flag_letters[i];
	if (!n)
		ret[n++] = '-';
	ret[n] = '\0';
	return ret;
}

bool tcp_flags_parse(const char *text, __u8 *ret)
{
	const char *letter;

	*ret = 0;
	if (!strcmp(text, "none"))
		return true;
	for (letter = text; *letter; letter++) {
		const char *found = strchr(flag_letters, *letter);

		if (!found)
			return false;
		*ret |= 1U << (found - flag_letters);
	}
	return letter != text;
}

char *mac_text(const __u8 mac[6], char *ret)
{
	snprintf(ret, FRAME_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
	return ret;
}

static const char *protocol_text(const struct frame *f, char *ret)
{
	switch (f->protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmp6";
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		return "tunnel";
	}
	snprintf(ret, FLAGS_TEXT_SIZE, "ip-%u", f->protocol);
	return ret;
}

char *frame_text(const struct frame *f, char *ret)
{
	char from[ENDPOINT_TEXT_SIZE], to[ENDPOINT_TEXT_SIZE], other[FLAGS_TEXT_SIZE],
		flags[FLAGS_TEXT_SIZE];
	bool is_tcp = f->protocol == IPPROTO_TCP && f->has_ports;

	if (!f->source.family)
		return strcpy(ret, "neither IPv4 nor IPv6");
	snprintf(ret, FRAME_TEXT_SIZE, "%s -> %s %s%s%s",
		 backend_format(&f->source, f->has_ports ? f->sport : 0, from),
		 backend_format(&f->destination, f->has_ports ? f->dport : 0, to),
		 protocol_text(f, other), is_tcp ? " " : "",
		 is_tcp ? tcp_flags_text(f->tcp_flags, flags) : "");
	return ret;
}
