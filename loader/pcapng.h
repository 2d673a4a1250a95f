/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pcapng.h - write packets to a pcapng file, each with a comment.
 *
 * Our own, because nothing that Debian packages does it: libpcap reads pcapng but writes
 * only the old format, which has no comments; Wireshark's libwiretap is no public library
 * (other functions in each release, 100 MB with what it needs); and DPDK's librte_pcapng
 * wants its own packet buffers.  What is written here are three kinds of block
 * (draft-ietf-opsawg-pcapng, 4.1 to 4.3).
 */
#ifndef LB_PCAPNG_H
#define LB_PCAPNG_H

#include <stdbool.h>
#include <linux/types.h>

struct pcapng;

struct pcapng_packet {
	__u64 time_ns;	       /* CLOCK_REALTIME */
	const char *interface; /* its name; a new one is described first */
	bool is_out;
	const void *bytes;
	__u32 kept;    /* bytes that are there */
	__u32 length;  /* bytes that it had */
	__u64 verdict; /* XDP_* */
	const char *comment;
};

/* NULL: errno says why not. */
struct pcapng *pcapng_create(const char *path);
/* Each 0, or -errno once anything could not be written. */
int pcapng_write(struct pcapng *p, const struct pcapng_packet *packet);
int pcapng_flush(struct pcapng *p);
int pcapng_close(struct pcapng *p);

#endif /* LB_PCAPNG_H */
