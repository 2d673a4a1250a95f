/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * address.h - addresses, services and backends as users write them.
 *
 * Strict: no leading zeros, no shortened IPv4, no scope, IPv6 with a port in brackets.
 * What is printed is what is read.
 */
#ifndef LB_ADDRESS_H
#define LB_ADDRESS_H

#include <stdbool.h>
#include "model.h"

#define ADDRESS_TEXT_SIZE  48 /* "[" IPv6 "]" and its NUL */
#define ENDPOINT_TEXT_SIZE 80 /* the same "/127:10000-65535/tcp" */

/* NULL, or what is wrong with the text: half a sentence that follows "'TEXT': ". */
const char *address_parse(const char *text, struct address *ret);
/* Bits behind the prefix: @ret is what was meant.  Wrong otherwise: its family is 0. */
const char *service_parse(const char *text, struct service_name *ret);
/* Port 0: none was given. */
const char *backend_parse(const char *text, struct address *ret, __u16 *ret_port);
/* ADDR[/LEN], also with bits behind the prefix. */
const char *network_parse(const char *text, struct address *ret,
			  unsigned int *ret_length);
/* The same, of hosts.  Bits behind the prefix are wrong: @ret is then without them. */
const char *prefix_parse(const char *text, struct address *ret, unsigned int *ret_length);

int address_compare(const struct address *a, const struct address *b);
bool address_in_network(const struct address *a, const struct address *network,
			unsigned int length);
/* Loopback is allowed; unspecified, multicast and broadcast are nobody's address. */
bool address_is_host(const struct address *a);
bool address_is_loopback(const struct address *a);
struct address address_from_words(__u8 family, const __be32 word[4]);

/* Into a buffer of at least the size above; they return the buffer. */
char *address_format(const struct address *a, char *ret);
/* ADDR[/LEN]: a whole address has no length. */
char *prefix_format(const struct address *a, unsigned int length, char *ret);
/* Port 0: none. */
char *backend_format(const struct address *a, __u16 port, char *ret);
char *service_format(const struct service_name *name, char *ret);
char *service_text(const struct model_service *s, char *ret);
const char *protocol_name(__u8 protocol);

#endif /* LB_ADDRESS_H */
