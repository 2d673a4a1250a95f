// SPDX-License-Identifier: GPL-2.0-only
/*
 * address.c - addresses, networks and backends as users write them.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

#define TEXT_MAX 128 /* longer than any backend */

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

	*ret = a;
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

/* Clear what is behind the prefix; true if there was anything. */
static bool mask(struct address *a, unsigned int length)
{
	__be32 cleared = 0;
	unsigned int i;

	for (i = 0; i < (a->family == 4 ? 1 : 4); i++) {
		unsigned int bits = length < 32 ? length : 32;
		__be32 behind = htonl(bits < 32 ? 0xffffffffU >> bits : 0);

		cleared |= a->word[i] & behind;
		a->word[i] &= ~behind;
		length -= bits;
	}
	return cleared;
}

static struct address last_address(const struct address *a, unsigned int length)
{
	struct address last = *a;
	unsigned int i;

	for (i = 0; i < (a->family == 4 ? 1 : 4); i++) {
		unsigned int bits = length < 32 ? length : 32;

		last.word[i] |= htonl(bits < 32 ? 0xffffffffU >> bits : 0);
		length -= bits;
	}
	return last;
}

const char *prefix_parse(const char *text, struct address *ret, unsigned int *ret_length)
{
	const char *wrong = network_parse(text, ret, ret_length);
	struct address last;
	bool has_bits;

	if (wrong) {
		ret->family = 0;
		return wrong;
	}

	has_bits = mask(ret, *ret_length);
	last = last_address(ret, *ret_length);
	wrong = check_host(ret);
	if (!wrong && check_host(&last))
		wrong = "the prefix holds addresses that are no host's";
	if (wrong)
		ret->family = 0;
	else if (has_bits)
		wrong = "bits are set behind the prefix length";
	return wrong;
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

bool address_is_loopback(const struct address *a)
{
	if (a->family == 4)
		return ntohl(a->word[0]) >> 24 == 127;
	return !(a->word[0] | a->word[1] | a->word[2]) && a->word[3] == htonl(1);
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

char *prefix_format(const struct address *a, unsigned int length, char *ret)
{
	size_t used;

	address_format(a, ret);
	used = strlen(ret);
	if (length < (a->family == 4 ? 32 : 128))
		snprintf(ret + used, ENDPOINT_TEXT_SIZE - used, "/%u", length);
	return ret;
}

char *backend_format(const struct address *a, __u16 port, char *ret)
{
	char ip[ADDRESS_TEXT_SIZE];
	size_t used;

	snprintf(ret, ENDPOINT_TEXT_SIZE, a->family == 4 ? "%s" : "[%s]",
		 address_format(a, ip));
	used = strlen(ret);
	if (port)
		snprintf(ret + used, ENDPOINT_TEXT_SIZE - used, ":%u", port);
	return ret;
}
