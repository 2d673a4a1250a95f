// SPDX-License-Identifier: GPL-2.0-only
/*
 * address.c - addresses, services and backends as users write them.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

#define TEXT_MAX 128 /* longer than any service */

static const char BAD_PORT[] = "the port is not a number from 1 to 65535";

static const char *check_host(const struct address *a)
{
	if (a->family == 6 && !a->word[0] && !a->word[1] && a->word[2] == htonl(0xffff))
		return "an IPv4 address in IPv6 clothes; write it as IPv4";
	if (a->family == 6 && (ntohl(a->word[0]) & 0xffc00000) == 0xfe800000)
		return "a link-local address; it means something else on each interface";
	if (!address_is_host(a))
		return "not the address of one host";
	return NULL;
}

static const char *parse_any(const char *text, struct address *ret)
{
	struct address a = {};

	if (inet_pton(AF_INET, text, a.word) == 1)
		a.family = 4;
	else if (inet_pton(AF_INET6, text, a.word) == 1)
		a.family = 6;
	else
		return "not an IPv4 or IPv6 address";

	*ret = a;
	return NULL;
}

const char *address_parse(const char *text, struct address *ret)
{
	const char *wrong = parse_any(text, ret);

	return wrong ? wrong : check_host(ret);
}

const char *network_parse(const char *text, struct address *ret, unsigned int *ret_length)
{
	char copy[TEXT_MAX], *slash;
	unsigned long length;
	const char *wrong;

	if (strlen(text) >= sizeof(copy))
		return "too long for an address";
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';

	wrong = parse_any(copy, ret);
	if (wrong)
		return wrong;

	length = ret->family == 4 ? 32 : 128;
	if (slash && !number_parse(slash + 1, 0, length, &length))
		return "the prefix length is out of range";

	*ret_length = length;
	return NULL;
}

/*
 * Split "IP:PORT" or "[IP]:PORT" or an IP in place.  @ret_port is NULL if there is no
 * port.
 */
static const char *split_port(char *text, char **ret_ip, char **ret_port)
{
	char *end, *colon = strchr(text, ':');

	*ret_port = NULL;
	*ret_ip = text;
	if (*text != '[') {
		if (colon && strchr(colon + 1, ':'))
			return NULL; /* IPv6 alone, or nonsense */
		if (colon) {
			*colon = '\0';
			*ret_port = colon + 1;
		}
		return NULL;
	}

	end = strchr(text, ']');
	if (!end)
		return "the ']' is missing";
	*ret_ip = text + 1;
	*end = '\0';
	if (!strchr(*ret_ip, ':'))
		return "brackets are for IPv6 addresses";
	if (end[1] == ':')
		*ret_port = end + 2;
	else if (end[1])
		return "':PORT' is expected after ']'";
	return NULL;
}

static const char *parse_service_port(const char *text, __u16 *ret)
{
	unsigned long port;

	if (!strcmp(text, "any") || !strcmp(text, "*"))
		return "services on any port are not built yet";
	if (strchr(text, '-') && strspn(text, "0123456789-") == strlen(text) &&
	    *text != '-')
		return "services on a range of ports are not built yet";
	if (!number_parse(text, 1, 65535, &port))
		return BAD_PORT;

	*ret = port;
	return NULL;
}

static const char *parse_protocol(const char *text, __u8 *ret)
{
	if (!strcmp(text, "tcp"))
		*ret = IPPROTO_TCP;
	else if (!strcmp(text, "udp"))
		*ret = IPPROTO_UDP;
	else if (!strcmp(text, "icmp"))
		return "icmp services are not built yet";
	else
		return "the protocol is not tcp or udp";
	return NULL;
}

static const char *parse_service_ip(char *ip, bool bracketed, bool has_port,
				    struct address *ret)
{
	const char *wrong;

	if (strchr(ip, '/'))
		return "services on a prefix are not built yet";

	wrong = address_parse(ip, ret);
	if (wrong && !bracketed && !has_port && strchr(ip, ':'))
		return "IPv6 needs brackets, as in [2001:db8::1]:80/tcp";
	if (wrong)
		return wrong;
	if (ret->family == 6 && !bracketed)
		return "IPv6 needs brackets, as in [2001:db8::1]:80/tcp";
	return NULL;
}

const char *service_parse(const char *text, struct service_name *ret)
{
	char copy[TEXT_MAX], *slash, *ip, *port;
	struct service_name name = {};
	const char *wrong;

	if (strlen(text) >= sizeof(copy))
		return "too long for a service";
	strcpy(copy, text);

	slash = strrchr(copy, '/');
	if (!slash)
		return "the protocol is missing, as in 10.0.0.10:80/tcp";
	*slash = '\0';

	wrong = parse_protocol(slash + 1, &name.protocol);
	if (!wrong)
		wrong = split_port(copy, &ip, &port);
	if (!wrong)
		wrong = parse_service_ip(ip, ip != copy, port, &name.address);
	if (wrong)
		return wrong;
	if (!port)
		return "the port is missing, as in 10.0.0.10:80/tcp";

	wrong = parse_service_port(port, &name.port);
	if (!wrong)
		*ret = name;
	return wrong;
}

const char *backend_parse(const char *text, struct address *ret, __u16 *ret_port)
{
	char copy[TEXT_MAX], *ip, *port;
	unsigned long number = 0;
	const char *wrong;

	if (strlen(text) >= sizeof(copy))
		return "too long for a backend";
	strcpy(copy, text);

	wrong = split_port(copy, &ip, &port);
	if (!wrong)
		wrong = address_parse(ip, ret);
	if (!wrong && port && !number_parse(port, 1, 65535, &number))
		wrong = BAD_PORT;
	if (!wrong)
		*ret_port = number;
	return wrong;
}

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->word, b->word, sizeof(a->word));
}

bool address_in_network(const struct address *a, const struct address *network,
			unsigned int length)
{
	unsigned int i;

	if (a->family != network->family)
		return false;

	for (i = 0; length; i++) {
		unsigned int bits = length < 32 ? length : 32;
		__u32 mask = 0xffffffffU << (32 - bits);

		if ((ntohl(a->word[i]) ^ ntohl(network->word[i])) & mask)
			return false;
		length -= bits;
	}
	return true;
}

bool address_is_host(const struct address *a)
{
	__u32 first = ntohl(a->word[0]);

	if (a->family == 4)
		return first >> 24 && first >> 24 < 224;
	if (first >> 24 == 0xff)
		return false;
	return a->word[0] | a->word[1] | a->word[2] | a->word[3];
}

struct address address_from_words(__u8 family, const __be32 word[4])
{
	struct address a = { .family = family };

	memcpy(a.word, word, family == 4 ? sizeof(word[0]) : sizeof(a.word));
	return a;
}

char *address_format(const struct address *a, char *ret)
{
	if (!inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->word, ret,
		       ADDRESS_TEXT_SIZE))
		strcpy(ret, "?");
	return ret;
}

char *backend_format(const struct address *a, __u16 port, char *ret)
{
	char ip[ADDRESS_TEXT_SIZE];

	snprintf(ret, ENDPOINT_TEXT_SIZE, a->family == 4 ? "%s:%u" : "[%s]:%u",
		 address_format(a, ip), port);
	return ret;
}

char *service_format(const struct service_name *name, char *ret)
{
	size_t used;

	backend_format(&name->address, name->port, ret);
	used = strlen(ret);
	snprintf(ret + used, ENDPOINT_TEXT_SIZE - used, "/%s",
		 protocol_name(name->protocol));
	return ret;
}

char *service_text(const struct model_service *s, char *ret)
{
	const struct service_name name = { .address = s->address,
					   .port = s->port,
					   .protocol = s->protocol };

	return service_format(&name, ret);
}

const char *protocol_name(__u8 protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : "udp";
}
