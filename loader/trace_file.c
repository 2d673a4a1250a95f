// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace_file.c - one traced packet as packets of a pcapng file.
 *
 * The packet as it came is on an interface of its device's name; as it left, if that was
 * otherwise, on one with "(out)" behind the name.  The comment is the same on both.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#include "reason.h"
#include "trace.h"

#define COMMENT_SIZE 512

static void make_comment(const struct trace_names *n, const struct lb_trace_event *e,
			 char *ret)
{
	char service[TRACE_TEXT_SIZE], backend[TRACE_TEXT_SIZE];
	const char *of = trace_service(n, e, service), *to = trace_backend(n, e, backend);

	snprintf(ret, COMMENT_SIZE, "%s: %s (%s), by %s%s%s%s%s", trace_verdict(e),
		 reason_name(e->reason), reason_info[e->reason].means, trace_stage(e),
		 of ? ", service " : "", of ? of : "", to ? ", backend " : "",
		 to ? to : "");
}

/* A redirected frame bears the address of the interface that it leaves by. */
static __u32 device_of(const struct trace_names *n, const struct lb_trace_event *e,
		       const __u8 *out)
{
	int i;

	if (e->verdict != XDP_REDIRECT || e->kept_out < ETH_HLEN)
		return e->ifindex;
	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &n->state->devices[i];

		if (dev->ifindex && dev->ifindex != e->ifindex &&
		    !memcmp(dev->mac, out + ETH_ALEN, ETH_ALEN))
			return dev->out ? dev->out : dev->ifindex;
	}
	return e->ifindex;
}

static bool is_changed(const struct lb_trace_event *e, const __u8 *in, const __u8 *out)
{
	if (!e->kept_out)
		return false;
	return e->verdict != XDP_PASS || e->length_in != e->length_out ||
	       memcmp(in, out, e->kept_out);
}

int trace_write(struct pcapng *file, const struct trace_names *n,
		const struct lb_trace_event *e)
{
	const __u8 *in = (const __u8 *)(e + 1), *out = in + e->kept_in;
	char comment[COMMENT_SIZE], name[TRACE_TEXT_SIZE + 8];
	struct pcapng_packet packet = {
		.time_ns = trace_time(n, e),
		.interface = name,
		.bytes = in,
		.kept = e->kept_in,
		.length = e->length_in,
		.verdict = e->verdict,
		.comment = comment,
	};
	int err;

	make_comment(n, e, comment);
	trace_device(n, e->ifindex, name);
	err = pcapng_write(file, &packet);
	if (err || !is_changed(e, in, out))
		return err;

	trace_device(n, device_of(n, e, out), name);
	strcat(name, " (out)");
	packet.is_out = true;
	packet.bytes = out;
	packet.kept = e->kept_out;
	packet.length = e->length_out;
	return pcapng_write(file, &packet);
}
