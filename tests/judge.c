// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge.c - read a packet as its receiver would, and sum up all of it.
 */
#include <netinet/in.h>

#include "judge.h"
#include "packet.h"

#define GUE_PORT 6080

static __u16 get16(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static void put16(__u8 *at, __u16 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* Where the IP header is, and its type. */
static __u16 ethertype(const __u8 *pkt, size_t len, size_t *ret_l3)
{
	size_t at = 12;

	for (int tags = 0; at + 2 <= len; tags++, at += 4) {
		__u16 type = get16(pkt + at);

		*ret_l3 = at + 2;
		if ((type != 0x8100 && type != 0x88a8) || tags == 2)
			return type;
	}
	return 0;
}

static void read_ip4(const __u8 *pkt, size_t len, struct judgement *j)
{
	const __u8 *ip = pkt + j->l3;
	size_t header = (ip[0] & 15) * 4;

	if (ip[0] >> 4 != 4 || header < 20 || j->l3 + header > len)
		return;
	j->family = 4;
	j->protocol = ip[9];
	j->fragment = get16(ip + 6) & 0x3fff;
	j->header_right = packet_sum(ip, header, 0) == 0xffff;
	j->l4 = j->l3 + header;
	j->end = j->l3 + get16(ip + 2);
	j->fits = j->end <= len && j->end >= j->l4;
}

static bool is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT;
}

static void read_ip6(const __u8 *pkt, size_t len, struct judgement *j)
{
	const __u8 *ip = pkt + j->l3;
	__u8 next = ip[6];
	size_t at = j->l3 + 40;

	if (ip[0] >> 4 != 6)
		return;
	while (is_extension(next) && at + 8 <= len) {
		size_t size = next == IPPROTO_FRAGMENT ? 8 : (pkt[at + 1] + 1) * 8;

		if (next == IPPROTO_FRAGMENT)
			j->fragment = get16(pkt + at + 2) & 0xfff9;
		next = pkt[at];
		at += size;
	}
	if (at > len)
		return;
	j->family = 6;
	j->protocol = next;
	j->header_right = true;
	j->l4 = at;
	j->end = j->l3 + 40 + get16(ip + 4);
	j->fits = j->end <= len && j->end >= j->l4;
}

/* The checksum's place in its header, and how long the header is at least. */
static size_t check_place(__u8 protocol, size_t *ret_header)
{
	switch (protocol) {
	case IPPROTO_TCP:
		*ret_header = 20;
		return 16;
	case IPPROTO_UDP:
		*ret_header = 8;
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		*ret_header = 8;
		return 2;
	default:
		return 0;
	}
}

/* How many bytes the checksum covers; 0: there is none to be known. */
static size_t covered(const __u8 *pkt, const struct judgement *j)
{
	size_t header = 0, place = check_place(j->protocol, &header), udp;

	if (!j->family || !j->fits || j->fragment || !place || j->end - j->l4 < header)
		return 0;
	if (j->protocol != IPPROTO_UDP)
		return j->end - j->l4;
	udp = get16(pkt + j->l4 + 4);
	return udp >= header && udp <= j->end - j->l4 ? udp : 0;
}

static __u16 whole_sum(const __u8 *pkt, const struct judgement *j, size_t len)
{
	const __u8 *ip = pkt + j->l3;
	__u32 pseudo = 0;

	if (j->protocol != IPPROTO_ICMP)
		pseudo = packet_sum(ip + (j->family == 4 ? 12 : 8),
				    j->family == 4 ? 8 : 32, 0) +
			 j->protocol + len;
	return packet_sum(pkt + j->l4, len, pseudo);
}

static enum sum sum_of(const __u8 *pkt, const struct judgement *j)
{
	size_t header, len = covered(pkt, j), place = check_place(j->protocol, &header);
	bool zero;

	if (!len)
		return SUM_UNKNOWN;
	zero = !get16(pkt + j->l4 + place);
	if (zero && j->protocol == IPPROTO_UDP)
		return j->family == 4 || get16(pkt + j->l4 + 2) == GUE_PORT ? SUM_NONE
									    : SUM_WRONG;
	return whole_sum(pkt, j, len) == 0xffff ? SUM_RIGHT : SUM_WRONG;
}

static struct judgement judge_from(const __u8 *pkt, size_t len, size_t l3, bool ip6)
{
	struct judgement j = { .l3 = l3 };

	if (ip6 && l3 + 40 <= len)
		read_ip6(pkt, len, &j);
	else if (!ip6 && l3 + 20 <= len)
		read_ip4(pkt, len, &j);
	j.sum = sum_of(pkt, &j);
	return j;
}

struct judgement judge(const __u8 *pkt, size_t len)
{
	size_t l3 = 0;
	__u16 type = ethertype(pkt, len, &l3);

	if (type != 0x0800 && type != 0x86dd)
		return (struct judgement){};
	return judge_from(pkt, len, l3, type == 0x86dd);
}

struct judgement judge_inner(const __u8 *pkt, size_t len, const struct judgement *outer)
{
	bool gue = outer->protocol == IPPROTO_UDP;
	size_t at = outer->l4 + (gue ? 8 : 0);

	if (at >= len ||
	    (!gue && outer->protocol != IPPROTO_IPIP && outer->protocol != IPPROTO_IPV6))
		return (struct judgement){};
	if (gue && get16(pkt + outer->l4 + 2) != GUE_PORT)
		return (struct judgement){};
	return judge_from(pkt, len, at, pkt[at] >> 4 == 6);
}

struct judgement judge_quote(const __u8 *pkt, size_t len, const struct judgement *error)
{
	size_t at = error->l4 + 8;
	bool quotes = error->family && (error->protocol == IPPROTO_ICMP ||
					error->protocol == IPPROTO_ICMPV6);

	if (!quotes || error->fragment || at >= len || !error->fits)
		return (struct judgement){};
	if (error->protocol == IPPROTO_ICMPV6
		    ? pkt[error->l4] > 4
		    : pkt[error->l4] != 3 && pkt[error->l4] != 11 && pkt[error->l4] != 12)
		return (struct judgement){};
	return judge_from(pkt, len, at, error->family == 6);
}

void judge_repair(__u8 *pkt, size_t len)
{
	struct judgement j = judge(pkt, len);
	size_t header, n = covered(pkt, &j), place = check_place(j.protocol, &header);
	__u16 sum;

	if (j.family == 4) {
		put16(pkt + j.l3 + 10, 0);
		put16(pkt + j.l3 + 10, ~packet_sum(pkt + j.l3, j.l4 - j.l3, 0));
	}
	if (!n)
		return;
	put16(pkt + j.l4 + place, 0);
	sum = ~whole_sum(pkt, &j, n);
	put16(pkt + j.l4 + place, sum ?: j.protocol == IPPROTO_UDP ? 0xffff : 0);
}
