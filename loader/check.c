// SPDX-License-Identifier: GPL-2.0-only
/*
 * check.c - which services and backends cannot be.
 */
#include "check.h"

#include <netinet/in.h>

#include "address.h"
#include "report.h"
#include "settings.h"

#define MSS_LEAST4 536 /* what every host takes: RFC 9293, RFC 8200 */
#define MSS_LEAST6 1220
#define MSS_MOST   65495 /* in the largest IPv4 packet */

static bool is_icmp(const struct model_service *s)
{
	return s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6;
}

static bool is_tunnel(const struct model_service *s)
{
	return s->forward == LB_FORWARD_IPIP || s->forward == LB_FORWARD_GUE;
}

/* Packets reach the backend as they came: with the service's address and port. */
static bool is_untouched(const struct model_service *s)
{
	return is_tunnel(s) || s->forward == LB_FORWARD_DSR;
}

static enum outcome check_forward(const struct model_service *s, const char *name)
{
	const char *mode = forward_name(s->forward);

	if (s->forward == LB_FORWARD_LOCAL && is_icmp(s)) {
		report("service '%s': forward local: this host answers pings by itself; "
		       "choose another mode, or leave the service out",
		       name);
		return REFUSED;
	}
	if (s->per_packet && s->protocol == IPPROTO_TCP &&
	    (s->forward == LB_FORWARD_FULLNAT || s->forward == LB_FORWARD_NAT)) {
		report("service '%s': persistence none: in %s a TCP connection cannot go "
		       "to several backends; say 'persistence flow'",
		       name, mode);
		return REFUSED;
	}
	if (s->forward != LB_FORWARD_FULLNAT &&
	    (s->port_low != MODEL_PORT_LOW || s->port_high != MODEL_PORT_HIGH)) {
		report("service '%s': ports: in %s no source port is translated; leave "
		       "it out",
		       name, mode);
		return REFUSED;
	}
	return DONE;
}

/* Where answers do not pass here, only the backend can say what it takes. */
static enum outcome refuse_mss(const struct model_service *s, const char *name)
{
	if (s->forward == LB_FORWARD_LOCAL)
		report("service '%s': mss: in local the sockets are this host's; say "
		       "'ip route ... advmss %u' for its routes to the clients",
		       name, s->mss);
	else
		report("service '%s': mss: in %s answers do not pass here; on the backends "
		       "say 'ip route ... advmss %u'%s",
		       name, forward_name(s->forward), s->mss,
		       is_tunnel(s) ? ", or lower the tunnel's MTU" : "");
	return REFUSED;
}

static enum outcome check_mss(const struct model_service *s, const char *name)
{
	__u32 least = s->address.family == 4 ? MSS_LEAST4 : MSS_LEAST6;

	if (!s->mss)
		return DONE;
	if (s->protocol != IPPROTO_TCP) {
		report("service '%s': mss: only TCP has one; leave it out", name);
		return REFUSED;
	}
	if (s->mss < least || s->mss > MSS_MOST) {
		report("service '%s': mss %u: not from %u, which every host takes, to %u",
		       name, s->mss, least, MSS_MOST);
		return REFUSED;
	}
	if (s->forward != LB_FORWARD_FULLNAT && s->forward != LB_FORWARD_NAT)
		return refuse_mss(s, name);
	return DONE;
}

static enum outcome check_source(const struct model_service *s, const char *name)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (!address_is_loopback(&s->source[i].address))
			continue;
		report("service '%s': src: nothing goes out from a loopback address; name "
		       "one of this host's others",
		       name);
		return REFUSED;
	}
	if (is_tunnel(s) || !(s->source[0].address.family | s->source[1].address.family))
		return DONE;
	report("service '%s': src: in %s there is no outer header; it is of ipip and gue",
	       name, forward_name(s->forward));
	return REFUSED;
}

/* What is asked for a flow, where there are none; and of what only TCP has. */
static enum outcome check_new_flows(const struct model_service *s, const char *name)
{
	const char *word = NULL;

	if (s->grace_ms != MODEL_GRACE_MS)
		word = "grace";
	if (s->on_unknown != LB_ON_UNKNOWN_AUTO)
		word = "on-unknown";
	if (word && s->protocol != IPPROTO_TCP) {
		report("service '%s': %s: only TCP tells old flows from new ones; leave it "
		       "out",
		       name, word);
		return REFUSED;
	}
	if (s->slow_start_ms)
		word = "slow-start";
	if (!word || !s->per_packet)
		return DONE;
	report("service '%s': %s: with persistence none each packet is chosen for; leave "
	       "it out",
	       name, word);
	return REFUSED;
}

/* Does @icmp forward the pings that @s would have the balancer answer? */
static bool takes_pings_of(const struct model_service *icmp,
			   const struct model_service *s)
{
	return is_icmp(icmp) && s->icmp_reply &&
	       address_in_network(&s->address, &icmp->address, icmp->prefix);
}

static enum outcome check_icmp_reply(const struct model *m, const struct model_service *s,
				     const char *name)
{
	char other[ENDPOINT_TEXT_SIZE];
	size_t i;

	if (s->icmp_reply && s->prefix != (s->address.family == 4 ? 32 : 128)) {
		report("service '%s': icmp-reply: of services of one address only", name);
		return REFUSED;
	}
	if (!s->icmp_reply && !is_icmp(s))
		return DONE;
	if (takes_pings_of(s, s)) {
		report("service '%s': icmp-reply: its backends answer; leave it out",
		       name);
		return REFUSED;
	}

	for (i = 0; i < m->n_services; i++) {
		const struct model_service *o = &m->services[i];

		if (!takes_pings_of(s, o) && !takes_pings_of(o, s))
			continue;
		report("service '%s': pings of its address are %s's already; say "
		       "'icmp-reply off', or delete the icmp service",
		       name, service_text(o, other));
		return REFUSED;
	}
	return DONE;
}

enum outcome check_service(const struct model *m, const struct model_service *s)
{
	char name[ENDPOINT_TEXT_SIZE];
	enum outcome outcome;
	size_t i;

	service_text(s, name);
	outcome = check_forward(s, name);
	if (!outcome)
		outcome = check_mss(s, name);
	if (!outcome)
		outcome = check_source(s, name);
	if (!outcome)
		outcome = check_icmp_reply(m, s, name);
	if (!outcome)
		outcome = check_new_flows(s, name);
	for (i = 0; i < s->n_backends && !outcome; i++)
		outcome = check_backend(s, &s->backends[i]);
	return outcome;
}

static enum outcome check_port(const struct model_service *s,
			       const struct model_backend *b, const char *text,
			       const char *name)
{
	const char *mode = forward_name(s->forward);

	if (b->port && is_icmp(s)) {
		report("backend '%s': icmp has no ports; leave it out", text);
		return REFUSED;
	}
	if (is_untouched(s) && b->port != model_backend_port(s, 0)) {
		report("backend '%s': in %s the port stays that of %s; leave it out",
		       text, mode, name);
		return REFUSED;
	}
	if (b->port && s->port != s->port_last && s->forward != LB_FORWARD_FULLNAT) {
		report("backend '%s': %s has several ports, and in %s a backend keeps the "
		       "client's; leave the port out",
		       text, name, mode);
		return REFUSED;
	}
	return DONE;
}

/* Would what is sent to @b be for the service again? */
static bool is_inside(const struct model_service *s, const struct model_backend *b)
{
	if (!address_in_network(&b->address, &s->address, s->prefix))
		return false;
	if (is_untouched(s))
		return true;
	if (s->forward == LB_FORWARD_LOCAL && !model_is_exact(s))
		return false; /* it goes up the stack */
	return !b->port || (b->port >= s->port && b->port <= s->port_last);
}

static enum outcome check_family(const struct model_service *s,
				 const struct model_backend *b, const char *text,
				 const char *name)
{
	const struct address *same = &s->source[b->address.family == 6].address;
	const struct address *other = &s->source[b->address.family != 6].address;

	if (b->address.family != s->address.family && !is_tunnel(s)) {
		report("backend '%s': not of the family of %s, which %s needs; ipip and "
		       "gue do not",
		       text, name, forward_name(s->forward));
		return REFUSED;
	}
	if (other->family && !same->family) {
		report("backend '%s': the src of %s is IPv%u only; add one of IPv%u",
		       text, name, other->family, b->address.family);
		return REFUSED;
	}
	return DONE;
}

enum outcome check_backend(const struct model_service *s, const struct model_backend *b)
{
	char name[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE];
	enum outcome outcome;

	service_text(s, name);
	backend_format(&b->address, b->port, text);
	outcome = check_family(s, b, text, name);
	if (!outcome)
		outcome = check_port(s, b, text, name);
	if (!outcome && s->forward != LB_FORWARD_LOCAL &&
	    address_is_loopback(&b->address)) {
		report("backend '%s': a loopback address, which %s does not reach; name "
		       "another host's, or make the service with 'forward local'",
		       text, forward_name(s->forward));
		return REFUSED;
	}
	if (!outcome && b->max_flows && s->per_packet) {
		report("backend '%s': max-flows: with persistence none each packet of %s is "
		       "chosen for; leave it out",
		       text, name);
		return REFUSED;
	}
	if (outcome || !is_inside(s, b))
		return outcome;

	report("backend '%s': that is the service itself; name another host%s", text,
	       is_untouched(s) ? "" : " or port");
	return REFUSED;
}

enum outcome check_change(const struct model_service *old,
			  const struct model_service *new)
{
	char name[ENDPOINT_TEXT_SIZE];

	if (old->forward == new->forward && old->per_packet == new->per_packet)
		return DONE;
	service_text(new, name);
	if (old->forward != new->forward)
		report("service '%s': forward cannot change from %s to %s while it is "
		       "there; 'service del' it and 'service add' it again",
		       name, forward_name(old->forward), forward_name(new->forward));
	else
		report("service '%s': persistence cannot change from %s to %s while it is "
		       "there; 'service del' it and 'service add' it again",
		       name, persistence_name(old), persistence_name(new));
	return REFUSED;
}
