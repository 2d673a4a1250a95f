// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_flow_state.c - what a packet does to the state of its flow, all of it.
 *
 * The header is plain C, so it is tested as such.  The table of TCP is whole: each state,
 * both directions, each flag that matters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <cmocka.h>

#include "../progs/flow_state.bpf.h"
#include "packet.h"

#define HALF LB_FLOW_HALF_OPEN
#define EST  LB_FLOW_ESTABLISHED
#define CFIN LB_FLOW_CLIENT_FIN
#define BFIN LB_FLOW_BACKEND_FIN
#define OVER LB_FLOW_CLOSED

/* clang-format off */
enum {
	F_SYN, F_SYN_ACK, F_ACK, F_PSH, F_FIN_ACK, F_RST, F_RST_ACK, F_NONE, F_FIN,
	N_FLAGS
};

static const __u8 flags[N_FLAGS] = {
	[F_SYN] = TH_SYN,	     [F_SYN_ACK] = TH_SYN | TH_ACK,
	[F_ACK] = TH_ACK,	     [F_PSH] = TH_PSH | TH_ACK,
	[F_FIN_ACK] = TH_FIN | TH_ACK, [F_RST] = TH_RST,
	[F_RST_ACK] = TH_RST | TH_ACK, [F_NONE] = 0,
	[F_FIN] = TH_FIN,
};

static const __u8 next[2][5][N_FLAGS] = {
	[LB_TO_BACKEND] = {
		/*	   syn   syn+ack ack   psh   f+ack rst   rst+ack none  fin */
		[HALF] = { HALF, HALF,   EST,  EST,  CFIN, OVER, OVER,   HALF, HALF },
		[EST]  = { EST,  EST,    EST,  EST,  CFIN, OVER, OVER,   EST,  CFIN },
		[CFIN] = { CFIN, CFIN,   CFIN, CFIN, CFIN, OVER, OVER,   CFIN, CFIN },
		[BFIN] = { BFIN, BFIN,   BFIN, BFIN, OVER, OVER, OVER,   BFIN, OVER },
		[OVER] = { OVER, OVER,   OVER, OVER, OVER, OVER, OVER,   OVER, OVER },
	},
	[LB_TO_CLIENT] = {
		[HALF] = { HALF, HALF,   HALF, HALF, HALF, OVER, OVER,   HALF, HALF },
		[EST]  = { EST,  EST,    EST,  EST,  BFIN, OVER, OVER,   EST,  BFIN },
		[CFIN] = { CFIN, CFIN,   CFIN, CFIN, OVER, OVER, OVER,   CFIN, OVER },
		[BFIN] = { BFIN, BFIN,   BFIN, BFIN, BFIN, OVER, OVER,   BFIN, BFIN },
		[OVER] = { OVER, OVER,   OVER, OVER, OVER, OVER, OVER,   OVER, OVER },
	},
};
/* clang-format on */

static void tcp_states(void **state)
{
	(void)state;
	for (int direction = 0; direction < 2; direction++)
		for (int from = HALF; from <= OVER; from++)
			for (int i = 0; i < N_FLAGS; i++)
				if (flow_next_state(IPPROTO_TCP, from, direction,
						    flags[i]) != next[direction][from][i])
					fail_msg("state %d, direction %d, flags %02x",
						 from, direction, flags[i]);
}

static void udp_states(void **state)
{
	static const __u8 udp[2][3] = {
		[LB_TO_BACKEND] = { LB_FLOW_DATAGRAM, LB_FLOW_STREAM, LB_FLOW_STREAM },
		[LB_TO_CLIENT] = { LB_FLOW_ANSWERED, LB_FLOW_ANSWERED, LB_FLOW_STREAM },
	};

	(void)state;
	for (int direction = 0; direction < 2; direction++)
		for (int i = 0; i < 3; i++)
			assert_int_equal(flow_next_state(IPPROTO_UDP,
							 LB_FLOW_DATAGRAM + i, direction,
							 0),
					 udp[direction][i]);
}

static void only_a_bare_syn_begins_a_connection(void **state)
{
	(void)state;
	for (int bits = 0; bits < 256; bits++)
		assert_int_equal(tcp_is_syn(bits),
				 (bits & TH_SYN) && !(bits & (TH_FIN | TH_RST | TH_ACK)));
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(tcp_states),
		cmocka_unit_test(udp_states),
		cmocka_unit_test(only_a_bare_syn_begins_a_connection),
	};
	return cmocka_run_group_tests_name("flow state", units, NULL, NULL);
}
