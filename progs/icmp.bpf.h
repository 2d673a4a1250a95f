/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * icmp.bpf.h - the header and the types of ICMP and ICMPv6 that concern us.
 */
#ifndef LB_ICMP_BPF_H
#define LB_ICMP_BPF_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_helpers.h>

/* Of echoes; other types have something else where the identifier is. */
struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 check;
	__be16 id;
	__be16 sequence;
};

static __always_inline bool is_icmp(__u8 protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* The types that are echoes (RFC 792, RFC 4443); both families have the same layout. */
#define ICMP4_ECHO_REPLY 0
#define ICMP4_ECHO	 8
#define ICMP6_ECHO	 128
#define ICMP6_ECHO_REPLY 129

/* Its type and code tell nothing else apart (RFC 792, RFC 4443). */
#define ICMP4_UNREACHABLE 3
#define ICMP4_PORT	  3
#define ICMP4_FRAG_NEEDED 4
#define ICMP6_UNREACHABLE 1
#define ICMP6_PORT	  4
#define ICMP6_TOO_BIG	  2

/* The types that quote the packet they are about. */
static __always_inline bool icmp_is_error(__u8 protocol, __u8 type)
{
	if (protocol == IPPROTO_ICMPV6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 11 || type == 12;
}

#endif /* LB_ICMP_BPF_H */
