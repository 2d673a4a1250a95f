// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_settings - what a service can be told, and what does not go together.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "diff.h"
#include "edit.h"
#include "settings.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
static const struct row {
	const char *lines;	/* the last one is refused */
	const char *says;	/* in what is said; NULL: none is refused */
} rows[] = {
	/* forward modes and families */
	{ "service add 10.0.0.1:80/tcp forward nat;backend add 10.0.0.1:80/tcp 10.1.0.1:8080", NULL },
	{ "service add 10.0.0.1:80/tcp forward nat;backend add 10.0.0.1:80/tcp 2001:db8::1",
	  "not of the family of 10.0.0.1:80/tcp, which nat needs; ipip and gue do not" },
	{ "service add 10.0.0.1:80/tcp forward local;backend add 10.0.0.1:80/tcp 2001:db8::1",
	  "which local needs" },
	{ "service add 10.0.0.1:80/tcp forward dsr;backend add 10.0.0.1:80/tcp 2001:db8::1",
	  "which dsr needs" },
	{ "service add 10.0.0.1:80/tcp;backend add 10.0.0.1:80/tcp 2001:db8::1",
	  "which fullnat needs" },
	{ "service add 10.0.0.1:80/tcp forward ipip;backend add 10.0.0.1:80/tcp 2001:db8::1", NULL },
	{ "service add 10.0.0.1:80/tcp forward gue;backend add 10.0.0.1:80/tcp 2001:db8::1", NULL },
	{ "service add [2001:db8::1]:80/tcp forward ipip;"
	  "backend add [2001:db8::1]:80/tcp 10.0.0.1;backend del all 10.0.0.1", NULL },

	/* a backend's port */
	{ "service add 10.0.0.1:80/tcp forward dsr;backend add 10.0.0.1:80/tcp 10.1.0.1", NULL },
	{ "service add 10.0.0.1:80/tcp forward dsr;backend add 10.0.0.1:80/tcp 10.1.0.1:80", NULL },
	{ "service add 10.0.0.1:80/tcp forward dsr;backend add 10.0.0.1:80/tcp 10.1.0.1:81",
	  "in dsr the port stays that of 10.0.0.1:80/tcp; leave it out" },
	{ "service add 10.0.0.1:80/tcp forward ipip;backend add 10.0.0.1:80/tcp 10.1.0.1:81",
	  "in ipip the port stays" },
	{ "service add 10.0.0.1:80/tcp forward gue;backend add 10.0.0.1:80/tcp 10.1.0.1:81",
	  "in gue the port stays" },
	{ "service add 10.0.0.1:any/tcp forward dsr;backend add 10.0.0.1:any/tcp 10.1.0.1:81",
	  "in dsr the port stays" },
	{ "service add 10.0.0.1:any/tcp forward dsr;backend add 10.0.0.1:any/tcp 10.1.0.1", NULL },
	{ "service add 10.0.0.1:80-90/tcp forward nat;backend add 10.0.0.1:80-90/tcp 10.1.0.1", NULL },
	{ "service add 10.0.0.1:80-90/tcp forward nat;backend add 10.0.0.1:80-90/tcp 10.1.0.1:80",
	  "10.0.0.1:80-90/tcp has several ports, and in nat a backend keeps the client's" },
	{ "service add 10.0.0.1:any/udp forward local;backend add 10.0.0.1:any/udp 10.1.0.1:80",
	  "has several ports, and in local" },
	{ "service add 10.0.0.1:any/tcp;backend add 10.0.0.1:any/tcp 10.1.0.1:80", NULL },
	{ "service add 10.0.0.1:any/tcp;backend add 10.0.0.1:any/tcp 10.1.0.1", NULL },
	{ "service add 10.0.0.0/28:80/tcp forward nat;backend add 10.0.0.0/28:80/tcp 10.1.0.1:8080", NULL },

	/* a backend that is the service */
	{ "service add 10.0.0.1:80/tcp;backend add 10.0.0.1:80/tcp 10.0.0.1",
	  "that is the service itself; name another host or port" },
	{ "service add 10.0.0.1:80/tcp;backend add 10.0.0.1:80/tcp 10.0.0.1:8080", NULL },
	{ "service add 127.0.0.1:80/udp forward local;backend add 127.0.0.1:80/udp 127.0.0.1:81", NULL },
	{ "service add 10.0.0.1:80/tcp;backend add 10.0.0.1:80/tcp 127.0.0.1:8080",
	  "a loopback address, which fullnat does not reach" },
	{ "service add 10.0.0.1:80/tcp forward nat;backend add 10.0.0.1:80/tcp 127.9.9.9",
	  "a loopback address, which nat does not reach" },
	{ "service add 10.0.0.1:80/tcp forward dsr;backend add 10.0.0.1:80/tcp 127.0.0.1",
	  "a loopback address, which dsr does not reach" },
	{ "service add 10.0.0.1:80/tcp forward ipip;backend add 10.0.0.1:80/tcp ::1",
	  "a loopback address, which ipip does not reach" },
	{ "service add 127.0.0.1:80/udp forward local;backend add 127.0.0.1:80/udp 127.0.0.1",
	  "the service itself" },
	{ "service add 10.0.0.1:80/tcp forward dsr;backend add 10.0.0.1:80/tcp 10.0.0.1",
	  "the service itself; name another host\n" },
	{ "service add 10.0.0.1:80/tcp forward ipip;backend add 10.0.0.1:80/tcp 10.0.0.1",
	  "the service itself" },
	{ "service add 10.0.0.1:80/tcp forward gue;backend add 10.0.0.1:80/tcp 10.0.0.1",
	  "the service itself" },
	{ "service add 10.0.0.0/28:80/tcp forward dsr;backend add 10.0.0.0/28:80/tcp 10.0.0.5",
	  "the service itself" },
	{ "service add 10.0.0.0/28:80-90/tcp;backend add 10.0.0.0/28:80-90/tcp 10.0.0.5:85",
	  "the service itself" },
	{ "service add 10.0.0.0/28:80-90/tcp;backend add 10.0.0.0/28:80-90/tcp 10.0.0.5:91", NULL },
	{ "service add 10.0.0.0/28:any/tcp forward nat;backend add 10.0.0.0/28:any/tcp 10.0.0.5",
	  "the service itself" },
	{ "service add 10.0.0.0/28:any/tcp forward local;backend add 10.0.0.0/28:any/tcp 10.0.0.1", NULL },

	/* icmp */
	{ "service add 10.0.0.1/icmp;backend add 10.0.0.1/icmp 10.1.0.1", NULL },
	{ "service add [2001:db8::1]/icmp forward dsr;backend add [2001:db8::1]/icmp 2001:db8::2", NULL },
	{ "service add 10.0.0.1/icmp;backend add 10.0.0.1/icmp 10.1.0.1:80",
	  "icmp has no ports; leave it out" },
	{ "service add 10.0.0.1/icmp forward local", "this host answers pings by itself" },
	{ "service add 10.0.0.1/icmp timeout-closed 9", "an icmp service has timeout-idle only" },
	{ "service add 10.0.0.1/icmp timeout-idle 9 persistence none", NULL },
	{ "service add 10.0.0.1/icmp icmp-reply on", "its backends answer" },
	{ "service add 10.0.0.1/icmp;service add 10.0.0.1:80/tcp icmp-reply on",
	  "pings of its address are 10.0.0.1/icmp's already" },
	{ "service add 10.0.0.1:80/tcp icmp-reply on;service add 10.0.0.0/28/icmp",
	  "pings of its address are 10.0.0.1:80/tcp's already" },
	{ "service add 10.0.0.1:80/tcp icmp-reply on;service add 10.0.0.2/icmp", NULL },
	{ "service add 10.0.0.1:80/tcp icmp-reply on;service set 10.0.0.1:80/tcp icmp-reply off;"
	  "service add 10.0.0.1/icmp", NULL },
	{ "service add 10.0.0.0/28:80/tcp icmp-reply on", "of services of one address only" },
	{ "service add 10.0.0.1:80/tcp icmp-reply yes", "icmp-reply 'yes': not on or off" },

	/* persistence */
	{ "service add 10.0.0.1:80/tcp persistence none",
	  "in fullnat a TCP connection cannot go to several backends; say 'persistence flow'" },
	{ "service add 10.0.0.1:80/tcp forward nat persistence none", "in nat a TCP connection" },
	{ "service add 10.0.0.1:80/tcp forward local persistence none", NULL },
	{ "service add 10.0.0.1:80/tcp forward dsr persistence none", NULL },
	{ "service add 10.0.0.1:80/tcp forward gue persistence none", NULL },
	{ "service add 10.0.0.1:80/udp persistence none", NULL },
	{ "service add 10.0.0.1:80/udp persistence flow", NULL },
	{ "service add 10.0.0.1:80/udp persistence nine",
	  "persistence 'nine': not flow, none or client; did you mean 'none'?" },
	{ "service add 10.0.0.1:80/udp persistence quic", "not built yet" },
	{ "service add 10.0.0.1:80/udp persistence client", NULL },
	{ "service add 10.0.0.1:80/udp persistence client mss off", NULL },
	{ "service add 10.0.0.1:80/tcp persistence client 7d;"
	  "service set 10.0.0.1:80/tcp persistence client 1ms;"
	  "service set 10.0.0.1:80/tcp persistence flow", NULL },
	{ "service add 10.0.0.1:80/tcp persistence client 8d",
	  "persistence client '8d': not a time from 1ms to 7d, as in 5m" },
	{ "service add 10.0.0.1:80/tcp persistence client 0", "persistence client '0': not a time" },
	{ "service add 10.0.0.1:80/tcp persistence client 5x", "persistence client '5x': not a time" },
	{ "service add 10.0.0.1:80/tcp persistence client soon", "'soon': unknown keyword" },

	/* on-unknown, grace, slow-start: of new flows */
	{ "service add 10.0.0.1:80/tcp on-unknown select grace 0 slow-start 90;"
	  "service set 10.0.0.1:80/tcp on-unknown auto grace off slow-start off", NULL },
	{ "service add 10.0.0.1:80/tcp on-unknown reset;service set 10.0.0.1:80/tcp on-unknown drop", NULL },
	{ "service add 10.0.0.1:80/tcp on-unknown rest",
	  "on-unknown 'rest': not auto, select, reset or drop; did you mean 'reset'?" },
	{ "service add 10.0.0.1:80/tcp grace 8d", "grace '8d': not a time up to 7d, as in 90s, and not 'off'" },
	{ "service add 10.0.0.1:80/tcp slow-start slow", "slow-start 'slow': not a time" },
	{ "service add 10.0.0.1:80/udp slow-start 9", NULL },
	{ "service add 10.0.0.1:80/udp grace 15m on-unknown auto", NULL },
	{ "service add 10.0.0.1:80/udp grace 9", "grace: only TCP tells old flows from new ones" },
	{ "service add 10.0.0.1/icmp on-unknown drop", "on-unknown: only TCP tells" },
	{ "service add 10.0.0.1:80/tcp forward dsr persistence none on-unknown select",
	  "on-unknown: with persistence none each packet is chosen for; leave it out" },
	{ "service add 10.0.0.1:80/tcp forward dsr persistence none grace off", "grace: with persistence" },
	{ "service add 10.0.0.1:80/udp persistence none slow-start 1", "slow-start: with persistence" },

	/* a backend's priority and max-flows */
	{ "service add 10.0.0.1:80/tcp;backend add 10.0.0.1:80/tcp 10.1.0.1 priority 65535 max-flows 1;"
	  "backend set 10.0.0.1:80/tcp 10.1.0.1 priority 0 max-flows off;"
	  "backend replace all 10.1.0.1 max-flows 4294967295", NULL },
	{ "service add 10.0.0.1:80/tcp;backend add 10.0.0.1:80/tcp 10.1.0.1 priority 65536",
	  "priority '65536': not a number from 0, the best, to 65535" },
	{ "service add 10.0.0.1:80/tcp;backend add 10.0.0.1:80/tcp 10.1.0.1 max-flows 0",
	  "max-flows '0': not a number from 1 to 4294967295, and not 'off'" },
	{ "service add 10.0.0.1:80/tcp;backend add 10.0.0.1:80/tcp 10.1.0.1 max-flows 4294967296",
	  "max-flows '4294967296': not a number" },
	{ "service add 10.0.0.1:80/udp persistence none;backend add 10.0.0.1:80/udp 10.1.0.1 max-flows 9",
	  "backend '10.1.0.1:80': max-flows: with persistence none each packet of 10.0.0.1:80/udp" },
	{ "service add 10.0.0.1:80/udp persistence none;backend add 10.0.0.1:80/udp 10.1.0.1;"
	  "backend set all 10.1.0.1 max-flows 9", "max-flows: with persistence none" },
	{ "service add 10.0.0.1:80/udp;backend add 10.0.0.1:80/udp 10.1.0.1 max-flows 9;"
	  "service set 10.0.0.1:80/udp persistence none", "max-flows: with persistence none" },

	/* mss */
	{ "service add 10.0.0.1:80/tcp mss 536", NULL },
	{ "service add 10.0.0.1:80/tcp mss 65495", NULL },
	{ "service add 10.0.0.1:80/tcp mss 535", "mss 535: not from 536, which every host takes, to 65495" },
	{ "service add 10.0.0.1:80/tcp mss 65496", "mss 65496: not from 536" },
	{ "service add [2001:db8::1]:80/tcp mss 1219", "mss 1219: not from 1220" },
	{ "service add [2001:db8::1]:80/tcp forward nat mss 1220", NULL },
	{ "service add 10.0.0.1:80/tcp mss 0", "mss '0': not a number of bytes, as in 1400, and not 'off'" },
	{ "service add 10.0.0.1:80/tcp mss 100000", "mss '100000': not a number of bytes" },
	{ "service add 10.0.0.1:80/udp mss 1400", "mss: only TCP has one" },
	{ "service add 10.0.0.1:80/tcp forward dsr mss 1400",
	  "in dsr answers do not pass here; on the backends say 'ip route ... advmss 1400'\n" },
	{ "service add 10.0.0.1:80/tcp forward ipip mss 1400",
	  "'ip route ... advmss 1400', or lower the tunnel's MTU" },
	{ "service add 10.0.0.1:80/tcp forward local mss 1400", "the sockets are this host's" },
	{ "service add 10.0.0.1:80/tcp mss 1400;service set 10.0.0.1:80/tcp mss off", NULL },

	/* src */
	{ "service add 10.0.0.1:80/tcp forward ipip src 10.2.0.1", NULL },
	{ "service add 10.0.0.1:80/tcp forward gue src 10.2.0.0/24,2001:db8::/64", NULL },
	{ "service add 10.0.0.1:80/tcp src 10.2.0.1",
	  "src: in fullnat there is no outer header; it is of ipip and gue" },
	{ "service add 10.0.0.1:80/tcp forward dsr src 10.2.0.1", "src: in dsr" },
	{ "service add 10.0.0.1:80/tcp forward ipip src 10.2.0.1/24",
	  "bits are set behind the prefix length; did you mean '10.2.0.0/24'?" },
	{ "service add 10.0.0.1:80/tcp forward ipip src 10.2.0.1,10.2.0.2", "two of IPv4" },
	{ "service add 10.0.0.1:80/tcp forward ipip src 10.2.0.1,", "src '': not an IPv4 or IPv6 address" },
	{ "service add 10.0.0.1:80/tcp forward ipip src 224.0.0.1", "not the address of one host" },
	{ "service add 10.0.0.1:80/tcp forward ipip src 0.0.0.0", "not the address of one host" },
	{ "service add 10.0.0.1:80/tcp forward ipip src ff02::1", "not the address of one host" },
	{ "service add 10.0.0.1:80/tcp forward ipip src ::", "not the address of one host" },
	{ "service add 10.0.0.1:80/tcp forward ipip src 127.0.0.1", "nothing goes out from a loopback" },
	{ "service add 10.0.0.1:80/tcp forward gue src 10.2.0.1,::1", "nothing goes out from a loopback" },
	{ "service add 10.0.0.1:80/tcp forward ipip src 10.2.0.0/33", "out of range" },
	{ "service add 10.0.0.1:80/tcp forward ipip src 10.2.0.1;"
	  "backend add 10.0.0.1:80/tcp 2001:db8::2",
	  "the src of 10.0.0.1:80/tcp is IPv4 only; add one of IPv6" },
	{ "service add 10.0.0.1:80/tcp forward ipip;backend add 10.0.0.1:80/tcp 10.1.0.1;"
	  "service set 10.0.0.1:80/tcp src 2001:db8::1", "is IPv6 only; add one of IPv4" },
	{ "service add 10.0.0.1:80/tcp forward ipip src 10.2.0.1,2001:db8::1;"
	  "backend add 10.0.0.1:80/tcp 2001:db8::2", NULL },
	{ "service add 10.0.0.1:80/tcp forward ipip src 10.2.0.1;"
	  "service set 10.0.0.1:80/tcp src off;backend add 10.0.0.1:80/tcp 2001:db8::2", NULL },

	/* on-empty, ports */
	{ "service add 10.0.0.1:80/tcp on-empty reject", NULL },
	{ "service add 10.0.0.1:80/tcp on-empty drop", NULL },
	{ "service add 10.0.0.1:80/tcp on-empty pass", NULL },
	{ "service add 10.0.0.1:80/tcp on-empty rejct", "not reject, drop or pass; did you mean 'reject'?" },
	{ "service add 10.0.0.1:80/tcp forward nat ports 2000-3000",
	  "ports: in nat no source port is translated; leave it out" },

	/* which services are the same */
	{ "service add 10.0.0.1:80/tcp;service add 10.0.0.0/28:80/tcp;service add 10.0.0.1:any/tcp;"
	  "service add 10.0.0.1:80-90/tcp;service add 10.0.0.1:85-95/tcp;service add 10.0.0.0/24:80/tcp", NULL },
	{ "service add 10.0.0.1:any/tcp;service add 10.0.0.1:*/tcp", "10.0.0.1:any/tcp' is there already" },
	{ "service add 10.0.0.0/28/icmp;service add 10.0.0.0/28/icmp", "10.0.0.0/28/icmp' is there already" },
	{ "service add 10.0.0.0/28:80/tcp;service set 10.0.0.0/27:80/tcp mss 1400", "no such service" },
	{ "service add 10.0.0.1:80-90/tcp;service del 10.0.0.1:80/tcp", "no such service" },

	/* before it is in the kernel, a service may change as it likes, if its backends can */
	{ "service add 10.0.0.1:80/tcp;service set 10.0.0.1:80/tcp forward dsr", NULL },
	{ "service add 10.0.0.1:80/tcp;backend add 10.0.0.1:80/tcp 10.1.0.1:8080;"
	  "service set 10.0.0.1:80/tcp forward dsr", "in dsr the port stays" },
	{ "service add 10.0.0.1:80/tcp forward ipip;backend add 10.0.0.1:80/tcp 2001:db8::2;"
	  "service replace 10.0.0.1:80/tcp", "which fullnat needs" },
};
/* clang-format on */

static void what_does_not_go_together_is_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		struct model m;
		const char *said;

		model_init(&m);
		said = edit_says(&m, rows[i].lines);
		if (rows[i].says ? !strstr(said, rows[i].says) : !!*said)
			fail_msg("'%s' says '%s', not '%s'", rows[i].lines, said,
				 rows[i].says ? rows[i].says : "");
		if (strchr(said, '\n') != strrchr(said, '\n'))
			fail_msg("'%s' says more than a line: '%s'", rows[i].lines, said);
		model_free(&m);
	}
}

/* A model with one service that is in the kernel. */
static void make_old(struct model *m, const char *line)
{
	model_init(m);
	assert_string_equal(edit_says(m, line), "");
	m->services[0].id = 7;
}

static void mode_and_persistence_of_a_service_stay(void **state)
{
	static const struct row changes[] = {
		{ "service set 10.0.0.1:80/udp forward nat",
		  "forward cannot change from fullnat to nat while it is there; 'service del' it "
		  "and 'service add' it again" },
		{ "service replace 10.0.0.1:80/udp forward gue", "from fullnat to gue" },
		{ "service set 10.0.0.1:80/udp persistence none",
		  "persistence cannot change from flow to none" },
		{ "service set 10.0.0.1:80/udp forward fullnat persistence flow", NULL },
		{ "service set 10.0.0.1:80/udp persistence client 9", NULL },
		{ "service set 10.0.0.1:80/udp on-empty drop icmp-reply on ports 2000-3000",
		  NULL },
		{ "service set 10.0.0.1:80/udp timeout-idle 9 comment x", NULL },
		{ "service replace 10.0.0.1:80/udp", NULL },
		{ "service del 10.0.0.1:80/udp;service add 10.0.0.1:80/udp forward nat",
		  NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(changes); i++) {
		struct model m;
		const char *said;

		make_old(&m, "service add 10.0.0.1:80/udp");
		said = edit_says(&m, changes[i].lines);
		if (changes[i].says ? !strstr(said, changes[i].says) : !!*said)
			fail_msg("'%s' says '%s'", changes[i].lines, said);
		model_free(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_go_together_is_refused),
		cmocka_unit_test(mode_and_persistence_of_a_service_stay),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
