// SPDX-License-Identifier: GPL-2.0-only
/*
 * pcapng.c - write packets to a pcapng file, each with a comment.
 *
 * A block is its type, its length, a fixed part, options, and its length again, in the
 * byte order of whoever writes it; everything is padded to 32 bits.
 */
#include "pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INTERFACES 256
#define NAME_SIZE      48
#define BLOCK_SIZE     8192 /* two snap lengths of a packet, and more */

enum block_type { SECTION = 0x0a0d0d0a, INTERFACE = 1, PACKET = 6 };
enum option_code {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	SECTION_APPLICATION = 4,
	INTERFACE_NAME = 2,
	INTERFACE_RESOLUTION = 9,
	PACKET_FLAGS = 2,
	PACKET_VERDICT = 7,
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define ETHERNET	 1
#define NANOSECONDS	 9 /* of 10^-9 s */
#define INBOUND		 1
#define OUTBOUND	 2
#define VERDICT_XDP	 2 /* the eight bytes that follow are XDP's */

struct pcapng {
	FILE *file;
	int err;
	size_t n;
	char name[MAX_INTERFACES][NAME_SIZE]; /* index: id */
};

/* A block as it is put together. */
struct block {
	size_t n;
	__u8 byte[BLOCK_SIZE];
};

static void put(struct block *b, const void *bytes, size_t n)
{
	size_t padded = (n + 3) & ~3UL;

	if (b->n + padded > sizeof(b->byte))
		return; /* what is put is bounded: see pcapng_write() */
	memset(b->byte + b->n, 0, padded);
	if (n)
		memcpy(b->byte + b->n, bytes, n);
	b->n += padded;
}

static void put_word(struct block *b, __u32 word)
{
	put(b, &word, sizeof(word));
}

static void put_option(struct block *b, __u16 code, const void *value, __u16 n)
{
	const __u16 head[] = { code, n };

	put(b, head, sizeof(head));
	put(b, value, n);
}

static void begin(struct block *b, enum block_type type)
{
	b->n = 0;
	put_word(b, type);
	put_word(b, 0); /* its length, when it is known */
}

static void end(struct pcapng *p, struct block *b)
{
	__u32 length;

	put_option(b, OPTION_END, NULL, 0);
	length = b->n + sizeof(length);
	memcpy(b->byte + sizeof(length), &length, sizeof(length));
	put_word(b, length);
	if (!p->err && fwrite(b->byte, b->n, 1, p->file) != 1)
		p->err = -errno;
}

static void write_section(struct pcapng *p)
{
	static const char application[] = "lbctl " LB_VERSION;
	const __u16 version[] = { 1, 0 };
	const __u64 unknown = ~0ULL; /* the section's length */
	struct block b;

	begin(&b, SECTION);
	put_word(&b, BYTE_ORDER_MAGIC);
	put(&b, version, sizeof(version));
	put(&b, &unknown, sizeof(unknown));
	put_option(&b, SECTION_APPLICATION, application, strlen(application));
	end(p, &b);
}

static void write_interface(struct pcapng *p, const char *name)
{
	const __u16 link[] = { ETHERNET, 0 };
	const __u8 resolution = NANOSECONDS;
	struct block b;

	begin(&b, INTERFACE);
	put(&b, link, sizeof(link));
	put_word(&b, 0); /* no limit to what is kept */
	put_option(&b, INTERFACE_NAME, name, strlen(name));
	put_option(&b, INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
	end(p, &b);
}

static __u32 interface_id(struct pcapng *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (!strcmp(p->name[i], name))
			return i;
	if (p->n == MAX_INTERFACES)
		return 0;
	snprintf(p->name[p->n], NAME_SIZE, "%s", name);
	write_interface(p, p->name[p->n]);
	return p->n++;
}

struct pcapng *pcapng_create(const char *path)
{
	struct pcapng *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->file = fopen(path, "we");
	if (!p->file) {
		free(p);
		return NULL;
	}
	write_section(p);
	return p;
}

int pcapng_write(struct pcapng *p, const struct pcapng_packet *packet)
{
	__u32 id = interface_id(p, packet->interface),
	      kept = packet->kept < BLOCK_SIZE / 2 ? packet->kept : BLOCK_SIZE / 2;
	size_t comment = strnlen(packet->comment, BLOCK_SIZE / 4);
	const __u32 flags = packet->is_out ? OUTBOUND : INBOUND;
	__u8 verdict[1 + sizeof(packet->verdict)] = { VERDICT_XDP };
	struct block b;

	memcpy(verdict + 1, &packet->verdict, sizeof(packet->verdict));
	begin(&b, PACKET);
	put_word(&b, id);
	put_word(&b, packet->time_ns >> 32);
	put_word(&b, packet->time_ns);
	put_word(&b, kept);
	put_word(&b, packet->length);
	put(&b, packet->bytes, kept);
	put_option(&b, OPTION_COMMENT, packet->comment, comment);
	put_option(&b, PACKET_FLAGS, &flags, sizeof(flags));
	put_option(&b, PACKET_VERDICT, verdict, sizeof(verdict));
	end(p, &b);
	return p->err;
}

int pcapng_flush(struct pcapng *p)
{
	if (!p->err && fflush(p->file))
		p->err = -errno;
	return p->err;
}

int pcapng_close(struct pcapng *p)
{
	int err = pcapng_flush(p);

	if (fclose(p->file) && !err)
		err = -errno;
	free(p);
	return err;
}
