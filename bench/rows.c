// SPDX-License-Identifier: GPL-2.0-only
/*
 * rows.c - which rows there are.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "row.h"

/* clang-format off */
#define K64	(1 << 16)
#define M1	(1 << 20)
#define M2	(1 << 21)

#define ON(f, p, m)	.service = { f, IPPROTO_##p, LB_FORWARD_##m, "hash", false }

/* @n flows, where half of the table is free at least: none is pushed out. */
#define KNOWN(name, f, p, m, n, b)							\
	{ name, PATH_KNOWN, ON(f, p, m), n, (n) == M1 ? M2 : M1, b, false }
#define REPLY(f, m, b)									\
	{ "tcp-reply", PATH_REPLY, ON(f, TCP, m), 1, M1, b, false }
#define NEW(f, m, slots, b)								\
	{ "new-flow", PATH_NEW, ON(f, TCP, m), slots, slots, b, false }
#define NOT_OURS(f, b)									\
	{ "not-for-a-service", PATH_NOT_OURS, ON(f, TCP, IPIP), 1, M1, b, false }
#define POLICY(name, object)								\
	{ "policy-" name, PATH_CHOICE,							\
	  { 4, IPPROTO_UDP, LB_FORWARD_IPIP, object, true }, K64, K64, 64, false }

#define LINKED(name, path, m, n, t)							\
	{ "linked-" name, path, ON(4, TCP, m), n, t, SMALL4, true }
#define TWO(name, path)									\
	{ "two-cpus-" name, path, ON(4, TCP, IPIP), 1, M1, SMALL4, false }
#define MEMORY(f)									\
	{ "memory", PATH_MEMORY, ON(f, TCP, FULLNAT), M1, M1, 0, false }

/* All that a TCP packet of IPv6 is made of has 74 bytes. */
#define SMALL4	64
#define SMALL6	80
#define LARGE	1514	/* 1,500 of IP */

#define BY_FLOWS(name, f, p, m, b)							\
	KNOWN(name, f, p, m, 1, b), KNOWN(name, f, p, m, K64, b),			\
	KNOWN(name, f, p, m, M1, b)
#define BY_BYTES(m)									\
	KNOWN("tcp-known", 4, TCP, m, 1, SMALL4), KNOWN("tcp-known", 4, TCP, m, 1, LARGE),\
	KNOWN("tcp-known", 6, TCP, m, 1, SMALL6), KNOWN("tcp-known", 6, TCP, m, 1, LARGE)

#define FLOOR(name, path, n)								\
	{ "floor-" name, path, { 4, IPPROTO_UDP, LB_FORWARD_NONE, NULL, false },	\
	  n, 2 * (n) < K64 ? K64 : 2 * (n), SMALL4, false }

const struct row rows[] = {
	FLOOR("loop", PATH_LOOP, 1), FLOOR("tail-call", PATH_TAIL_CALL, 1),
	FLOOR("lru", PATH_LRU, 1), FLOOR("lru", PATH_LRU, K64), FLOOR("lru", PATH_LRU, M1),

	NOT_OURS(4, SMALL4), NOT_OURS(6, SMALL6),

	BY_FLOWS("tcp-known", 4, TCP, IPIP, SMALL4),
	BY_FLOWS("tcp-known", 6, TCP, IPIP, SMALL6),
	BY_FLOWS("udp-known", 4, UDP, IPIP, SMALL4),
	BY_FLOWS("udp-known", 6, UDP, IPIP, SMALL6),
	BY_FLOWS("tcp-known", 4, TCP, FULLNAT, SMALL4),
	BY_FLOWS("tcp-known", 6, TCP, FULLNAT, SMALL6),

	NEW(4, IPIP, K64, SMALL4), NEW(4, IPIP, M1, SMALL4),
	NEW(6, IPIP, K64, SMALL6), NEW(6, IPIP, M1, SMALL6),
	NEW(4, FULLNAT, K64, SMALL4), NEW(4, FULLNAT, M1, SMALL4),
	NEW(6, FULLNAT, K64, SMALL6), NEW(6, FULLNAT, M1, SMALL6),

	KNOWN("tcp-known", 4, TCP, FULLNAT, 1, LARGE),
	KNOWN("tcp-known", 6, TCP, FULLNAT, 1, LARGE),
	REPLY(4, FULLNAT, SMALL4), REPLY(4, FULLNAT, LARGE),
	REPLY(6, FULLNAT, SMALL6), REPLY(6, FULLNAT, LARGE),
	KNOWN("tcp-known", 4, TCP, IPIP, 1, LARGE),
	KNOWN("tcp-known", 6, TCP, IPIP, 1, LARGE),
	BY_BYTES(NAT), BY_BYTES(DSR), BY_BYTES(GUE), BY_BYTES(LOCAL),

	POLICY("round-robin", "round_robin"),
	POLICY("weighted", "weighted"),
	POLICY("hash", "hash"),
	POLICY("random", "random"),
	POLICY("least-conn", "least_conn"),
	POLICY("p2c", "p2c"),
	POLICY("primary-standby", "primary_standby"),
	POLICY("source-hash", "source_hash"),
	POLICY("match", "match"),

	LINKED("tcp-known", PATH_KNOWN, IPIP, 1, M1),
	LINKED("tcp-known", PATH_KNOWN, FULLNAT, 1, M1),
	LINKED("new-flow", PATH_NEW, IPIP, K64, K64),
	LINKED("new-flow", PATH_NEW, FULLNAT, K64, K64),
	LINKED("not-for-a-service", PATH_NOT_OURS, IPIP, 1, M1),

	TWO("apart", PATH_APART), TWO("same-service", PATH_SAME_SERVICE),
	TWO("same-flow", PATH_SAME_FLOW),
	MEMORY(4), MEMORY(6),
};
/* clang-format on */
const size_t n_rows = sizeof(rows) / sizeof(rows[0]);

const char *row_mode(const struct row *row)
{
	static const char *const name[] = {
		[LB_FORWARD_FULLNAT] = "fullnat", [LB_FORWARD_NAT] = "nat",
		[LB_FORWARD_DSR] = "dsr",	  [LB_FORWARD_IPIP] = "ipip",
		[LB_FORWARD_GUE] = "gue",	  [LB_FORWARD_LOCAL] = "local",
	};

	return name[row->service.mode];
}

void row_name(const struct row *row, char *ret, size_t size)
{
	snprintf(ret, size, "%s/%s/ipv%d/%u/%u", row->name, row_mode(row) ?: "none",
		 row->service.family, row->flows, row->bytes);
}

bool row_is_floor(const struct row *row)
{
	return row->path >= PATH_LOOP;
}

bool row_is_of_two(const struct row *row)
{
	return row->path >= PATH_SAME_FLOW && row->path <= PATH_APART;
}
