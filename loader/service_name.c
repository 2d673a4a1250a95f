// SPDX-License-Identifier: GPL-2.0-only
/*
 * service_name.c - services as users write them.
 *
 * IP[/LEN][:(PORT|LO-HI|any|*)]/(tcp|udp|icmp), IPv6 in brackets.  A prefix of one address
 * and a range of one port are that address and that port; `*` is `any`.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "number.h"

#define TEXT_MAX 128 /* longer than any service */

static const char BAD_PORT[] =
	"the port is not a number from 1 to 65535, a range of these, or 'any'";
static const char NO_BRACKETS[] = "IPv6 needs brackets, as in [2001:db8::1]:80/tcp";

/* Parts of a text that was cut up; NULL: not there. */
struct parts {
	char *ip, *length, *port;
	bool bracketed;
};

static const char *parse_port(char *text, __u16 *ret_first, __u16 *ret_last)
{
	unsigned long first, last;
	char *dash;

	if (!strcmp(text, "any") || !strcmp(text, "*")) {
		*ret_first = 0;
		*ret_last = 65535;
		return NULL;
	}

	dash = strchr(text, '-');
	if (dash)
		*dash = '\0';
	if (!number_parse(text, 1, 65535, &first))
		return BAD_PORT;
	last = first;
	if (dash && !number_parse(dash + 1, 1, 65535, &last))
		return BAD_PORT;
	if (last < first)
		return "the range of ports ends before it begins";

	*ret_first = first;
	*ret_last = last;
	return NULL;
}

static const char *parse_protocol(const char *text, __u8 *ret)
{
	if (!strcmp(text, "tcp"))
		*ret = IPPROTO_TCP;
	else if (!strcmp(text, "udp"))
		*ret = IPPROTO_UDP;
	else if (!strcmp(text, "icmp"))
		*ret = IPPROTO_ICMP;
	else
		return "the protocol is not tcp, udp or icmp";
	return NULL;
}

/* Cut "IP[/LEN][:PORT]" up in place. */
static const char *cut(char *text, struct parts *ret)
{
	char *rest;

	memset(ret, 0, sizeof(*ret));
	ret->bracketed = *text == '[';
	ret->ip = text + ret->bracketed;
	if (ret->bracketed) {
		rest = strchr(text, ']');
		if (!rest)
			return "the ']' is missing";
		*rest++ = '\0';
		if (strchr(ret->ip, '/'))
			return "the prefix length stands behind the ']', as in "
			       "[2001:db8::]/64:80/tcp";
		if (!strchr(ret->ip, ':'))
			return "brackets are for IPv6 addresses";
	} else {
		rest = strchr(text, ':');
		if (rest && strchr(rest + 1, ':'))
			return NO_BRACKETS;
		rest = text + strcspn(text, "/:");
	}

	if (*rest == '/') {
		*rest++ = '\0';
		ret->length = rest;
		rest += strcspn(rest, ":");
	}
	if (*rest == ':') {
		*rest++ = '\0';
		ret->port = rest;
		return NULL;
	}
	return *rest ? "':PORT' is expected after ']'" : NULL;
}

static const char *parse_address(const struct parts *p, struct service_name *ret)
{
	char text[TEXT_MAX];
	unsigned int length;
	const char *wrong;

	if (!p->length) {
		wrong = address_parse(p->ip, &ret->address);
		ret->prefix = ret->address.family == 4 ? 32 : 128;
		if (wrong)
			ret->address.family = 0;
		return wrong;
	}
	snprintf(text, sizeof(text), "%.60s/%.60s", p->ip, p->length);
	wrong = prefix_parse(text, &ret->address, &length);
	ret->prefix = length;
	return wrong;
}

static const char *parse_parts(char *text, const char *protocol, struct service_name *ret)
{
	struct parts p;
	const char *wrong;

	wrong = parse_protocol(protocol, &ret->protocol);
	if (!wrong)
		wrong = cut(text, &p);
	if (wrong)
		return wrong;

	if (ret->protocol == IPPROTO_ICMP && p.port)
		return "icmp has no ports, as in 10.0.0.10/icmp";
	if (ret->protocol != IPPROTO_ICMP && !p.port)
		return "the port is missing, as in 10.0.0.10:80/tcp or 10.0.0.10:any/tcp";
	if (p.port)
		wrong = parse_port(p.port, &ret->port, &ret->port_last);
	if (wrong)
		return wrong;

	wrong = parse_address(&p, ret);
	if (ret->protocol == IPPROTO_ICMP && ret->address.family == 6)
		ret->protocol = IPPROTO_ICMPV6;
	return wrong;
}

const char *service_parse(const char *text, struct service_name *ret)
{
	char copy[TEXT_MAX], *slash;

	memset(ret, 0, sizeof(*ret));
	if (strlen(text) >= sizeof(copy))
		return "too long for a service";
	strcpy(copy, text);

	slash = strrchr(copy, '/');
	if (!slash)
		return "the protocol is missing, as in 10.0.0.10:80/tcp";
	*slash = '\0';
	return parse_parts(copy, slash + 1, ret);
}

static void append_ports(const struct service_name *name, char *ret)
{
	size_t used = strlen(ret), room = ENDPOINT_TEXT_SIZE - used;

	if (name->protocol == IPPROTO_ICMP || name->protocol == IPPROTO_ICMPV6)
		return;
	if (!name->port && name->port_last == 65535)
		snprintf(ret + used, room, ":any");
	else if (name->port != name->port_last)
		snprintf(ret + used, room, ":%u-%u", name->port, name->port_last);
	else
		snprintf(ret + used, room, ":%u", name->port);
}

char *service_format(const struct service_name *name, char *ret)
{
	const struct address *a = &name->address;
	size_t used;

	backend_format(a, 0, ret);
	used = strlen(ret);
	if (name->prefix < (a->family == 4 ? 32 : 128))
		snprintf(ret + used, ENDPOINT_TEXT_SIZE - used, "/%u", name->prefix);
	append_ports(name, ret);
	used = strlen(ret);
	snprintf(ret + used, ENDPOINT_TEXT_SIZE - used, "/%s",
		 protocol_name(name->protocol));
	return ret;
}

char *service_text(const struct model_service *s, char *ret)
{
	const struct service_name name = model_name(s);

	return service_format(&name, ret);
}

const char *protocol_name(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	default:
		return "icmp";
	}
}
