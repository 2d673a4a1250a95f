/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame.h - a frame's headers: read for who shall be told, and made of what a user says.
 *
 * The data path reads packets by itself; this says what it was given, and what came of it.
 */
#ifndef LB_FRAME_H
#define LB_FRAME_H

#include "model.h"

struct frame {
	__u8 to[6], from[6];		    /* MAC addresses */
	__u16 vlan;			    /* the outer tag's; 0: none */
	struct address source, destination; /* family 0: neither IPv4 nor IPv6 */
	__u8 protocol;
	bool has_ports;	    /* TCP, UDP */
	__u16 sport, dport; /* host order; of an ICMP echo: its identifier is sport */
	__u8 tcp_flags;
};

/* As far as the headers are there. */
void frame_read(const __u8 *packet, __u32 length, struct frame *ret);

#define FRAME_TEXT_SIZE 160
/* 10.0.0.1:4711 -> 10.0.0.10:80 tcp S */
char *frame_text(const struct frame *f, char *ret);
/* S, SA, none: "-" */
#define FLAGS_TEXT_SIZE 10
char *tcp_flags_text(__u8 flags, char *ret);
/* Letters in any order, or "none"; false if there is another one. */
bool tcp_flags_parse(const char *text, __u8 *ret);
char *mac_text(const __u8 mac[6], char *ret); /* FRAME_TEXT_SIZE */

#define FRAME_MADE_MAX 80
/* Whole, with checksums; an ICMP packet is an echo request.  Its length. */
__u32 frame_make(const struct frame *f, __u8 ret[FRAME_MADE_MAX]);

#endif /* LB_FRAME_H */
