/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow_state.bpf.h - what a packet does to the state of its flow.
 *
 * No sequence numbers are checked, as in IPVS: who can forge a RST with the right five
 * words can also forge it to the backend.  Closed flows linger for the last ACKs.
 */
#ifndef LB_FLOW_STATE_BPF_H
#define LB_FLOW_STATE_BPF_H

#include <stdbool.h>
#include <linux/in.h>
#include <lb/abi.h>

/* Byte 13 of the TCP header (RFC 9293, 3.1). */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* The first packet of a connection; ECN bits do not matter. */
static inline __attribute__((always_inline)) bool tcp_is_syn(__u8 flags)
{
	return (flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN;
}

static inline __attribute__((always_inline)) enum lb_flow_state
tcp_next_state(enum lb_flow_state state, enum lb_direction direction, __u8 flags)
{
	enum lb_flow_state fin = direction == LB_TO_BACKEND ? LB_FLOW_CLIENT_FIN
							    : LB_FLOW_BACKEND_FIN;

	if (flags & TCP_RST)
		return LB_FLOW_CLOSED;
	if (state == LB_FLOW_CLOSED)
		return state;
	/* A FIN alone must not end it: two forged packets would hold a way. */
	if (state == LB_FLOW_HALF_OPEN) {
		if (direction == LB_TO_CLIENT || (flags & (TCP_SYN | TCP_ACK)) != TCP_ACK)
			return state;
		state = LB_FLOW_ESTABLISHED;
	}
	if (flags & TCP_FIN)
		return state == LB_FLOW_ESTABLISHED || state == fin ? fin
								    : LB_FLOW_CLOSED;
	return state;
}

static inline __attribute__((always_inline)) enum lb_flow_state
udp_next_state(enum lb_flow_state state, enum lb_direction direction)
{
	if (state == LB_FLOW_DATAGRAM && direction == LB_TO_CLIENT)
		return LB_FLOW_ANSWERED;
	if (state == LB_FLOW_ANSWERED && direction == LB_TO_BACKEND)
		return LB_FLOW_STREAM;
	return state;
}

static inline __attribute__((always_inline)) enum lb_flow_state
flow_next_state(__u8 protocol, enum lb_flow_state state, enum lb_direction direction,
		__u8 tcp_flags)
{
	return protocol == IPPROTO_TCP ? tcp_next_state(state, direction, tcp_flags)
				       : udp_next_state(state, direction);
}

#endif /* LB_FLOW_STATE_BPF_H */
