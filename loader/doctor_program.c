// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_program.c - other people's XDP programs on an interface: what they keep from the
 * chain, and what the chain keeps from them.
 *
 * Of xdp-filter (xdp-tools) we know where it writes down which ports it denies: replies of
 * backends come to translated ports, and it does not know that they are replies.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "address.h"
#include "dispatcher.h"
#include "doctor.h"
#include "made.h"

#define FILTER	     "xdpfilt_"	    /* how names of its programs begin */
#define FILTER_DENY  "xdpfilt_dny_" /* that deny all but what is listed */
#define FILTER_PORTS "/sys/fs/bpf/xdp-filter/filter_ports"

/* Bits in an element of filter_ports, index = port. */
enum { FILTER_DST = 1 << 1, FILTER_TCP = 1 << 2, FILTER_UDP = 1 << 3 };

/* ---- ports that xdp-filter denies --------------------------------------------------------- */

#define N_PORTS 65536

/* The bits of each port; NULL: no such map, or no memory.  The caller frees. */
static __u8 *read_ports(void)
{
	int cpus = libbpf_num_possible_cpus(), fd = bpf_obj_get(FILTER_PORTS), i;
	__u64 *values = cpus > 0 ? calloc(cpus, sizeof(*values)) : NULL;
	__u8 *flags = fd >= 0 && values ? calloc(N_PORTS, 1) : NULL;
	__u32 port, key;

	for (port = 0; flags && port < N_PORTS; port++) {
		key = htons(port);
		if (bpf_map_lookup_elem(fd, &key, values))
			continue;
		for (i = 0; i < cpus; i++)
			flags[port] |= values[i];
	}
	free(values);
	if (fd >= 0)
		close(fd);
	return flags;
}

static void check_ports(struct doctor *d, const __u8 *flags,
			const struct model_service *s, bool denies_rest)
{
	__u8 want = FILTER_DST | (s->protocol == IPPROTO_UDP ? FILTER_UDP : FILTER_TCP);
	unsigned int all = s->port_high - s->port_low + 1, n = 0;
	char name[ENDPOINT_TEXT_SIZE];
	__u32 port, first = 0;

	for (port = s->port_low; port <= s->port_high; port++) {
		bool is_listed = (flags[port] & want) == want;

		if (is_listed != denies_rest && !n++)
			first = port;
	}
	service_text(s, name);
	if (!n)
		doctor_say(d, VERDICT_OK, "ports", name, NULL,
			   "xdp-filter denies none of %u-%u", s->port_low, s->port_high);
	else
		doctor_say(d, n == all ? VERDICT_FAIL : VERDICT_WARN, "ports", name,
			   denies_rest ? "xdp-filter port PORT, of each of them"
				       : "lbctl service set ... ports LO-HI without it",
			   "xdp-filter denies %u of its %u translated ports, port %u "
			   "first: that many flows get no replies",
			   n, all, first);
}

static void check_filter(struct doctor *d, const struct model *m, const char *program)
{
	bool denies_rest = !strncmp(program, FILTER_DENY, strlen(FILTER_DENY));
	__u8 *flags = read_ports();
	size_t i;

	for (i = 0; flags && i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];
		bool has_ports = s->protocol == IPPROTO_TCP || s->protocol == IPPROTO_UDP;

		if (s->forward == LB_FORWARD_FULLNAT && has_ports)
			check_ports(d, flags, s, denies_rest);
	}
	free(flags);
}

/* ---- who is there ----------------------------------------------------------------------- */

static void say_before(struct doctor *d, const struct patient *p,
		       const struct xdp_program *program)
{
	const char *name = xdp_program__name(program);

	if (xdp_program__chain_call_enabled(program, XDP_PASS))
		doctor_say(d, VERDICT_OK, "program", p->name, NULL,
			   "%s (priority %u) runs before the chain, which does not see "
			   "what it drops",
			   name, xdp_program__run_prio(program));
	else
		doctor_say(d, VERDICT_FAIL, "program", p->name,
			   "load it with PASS among its chain-call actions",
			   "%s (priority %u) runs before the chain and does not go on at "
			   "PASS: nothing comes to the chain",
			   name, xdp_program__run_prio(program));
}

/* libxdp's tools take it as theirs, but cannot build it anew. */
static void check_dispatcher(struct doctor *d, const struct patient *p,
			     const struct xdp_multiprog *all)
{
	if (dispatcher_is_ours(all))
		doctor_say(
			d, VERDICT_OK, "dispatcher", p->name, NULL,
			"lbctl's: others come and go by 'lbctl chain load' and 'unload'");
	else
		doctor_say(d, VERDICT_OK, "dispatcher", p->name, NULL, "libxdp's own");
}

static void check_beside(struct doctor *d, const struct snapshot *s,
			 const struct patient *p, struct xdp_multiprog *all)
{
	struct xdp_program *program = NULL;
	bool is_before = true;

	check_dispatcher(d, p, all);
	while ((program = xdp_multiprog__next_prog(program, all))) {
		const char *name = xdp_program__name(program);

		if (xdp_program__id(program) == p->dev->program) {
			is_before = false;
		} else if (is_before) {
			say_before(d, p, program);
			if (!strncmp(name, FILTER, strlen(FILTER)))
				check_filter(d, &s->model, name);
		} else {
			doctor_say(d, VERDICT_OK, "program", p->name, NULL,
				   "%s (priority %u) runs after the chain and sees only "
				   "what that passes",
				   name, xdp_program__run_prio(program));
		}
	}
}

/* The chain is not here: would it find room? */
static void check_room(struct doctor *d, const struct patient *p,
		       struct xdp_multiprog *all)
{
	struct xdp_program *first = xdp_multiprog__main_prog(all);
	char remedy[REMEDY_SIZE];

	snprintf(remedy, sizeof(remedy), "ip link set %s xdp off, or xdp-loader for it",
		 p->name);
	if (xdp_multiprog__is_legacy(all))
		doctor_say(d, VERDICT_FAIL, "program", p->name, remedy,
			   "%s (id %u) is attached without the dispatcher: the chain "
			   "cannot be",
			   xdp_program__name(first), xdp_program__id(first));
	else
		doctor_say(d, VERDICT_OK, "program", p->name, NULL,
			   "behind a dispatcher with %d programs, as the chain can be",
			   xdp_multiprog__program_count(all));
}

void doctor_programs(struct doctor *d, const struct snapshot *s, const struct patient *p)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex(p->ifindex);

	if (libxdp_get_error(all))
		return;
	if (!p->dev)
		check_room(d, p, all);
	else if (!xdp_multiprog__is_legacy(all))
		check_beside(d, s, p, all);
	xdp_multiprog__close(all);
}
