// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame.c - write the frame that a row is about.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "frame.h"

#define FOREIGN	 "10.0.0.99" /* no service */
#define FOREIGN6 "2001:db8::99"

#define CLIENT_PORT 31337

static size_t header_size(int family, __u8 protocol)
{
	return 14 + (family == 4 ? 20 : 40) + (protocol == IPPROTO_TCP ? 20 : 8);
}

/* From @src, @sport to @dst, @dport; filled up to the row's size. */
static struct measure_frame make_frame(const struct row *row, const char *src,
				       __u16 sport, const char *dst, __u16 dport,
				       __u8 flags)
{
	static char data[PACKET_MAX];
	const struct balancer_service *to = &row->service;
	struct measure_frame f = { .family = to->family,
				   .protocol = to->protocol,
				   .ifindex = hosts_back,
				   .flows = 1 };
	size_t n_data = row->bytes - header_size(to->family, to->protocol);
	struct layer layers[] = {
		ETH(),
		{ .kind = to->family == 4 ? LAYER_IP4 : LAYER_IP6,
		  .src = src,
		  .dst = dst },
		{ .kind = to->protocol == IPPROTO_TCP ? LAYER_TCP : LAYER_UDP,
		  .sport = sport,
		  .dport = dport,
		  .flags = flags },
		{ .kind = LAYER_DATA, .data = data, .n_data = n_data },
		{ .kind = LAYER_END },
	};

	memset(data, 'x', sizeof(data));
	f.length = packet_build(f.data, layers);
	assert_int_equal(f.length, row->bytes);
	return f;
}

struct measure_frame frame_from_client(const struct row *row, __u8 flags)
{
	bool v4 = row->service.family == 4;
	/* The reply leaves by the interface that it came in by, as all the others do. */
	const char *client = row->path == PATH_REPLY
				     ? (v4 ? CLIENT : CLIENT6)
				     : (v4 ? REMOTE_CLIENT : REMOTE_CLIENT6);
	const char *to = v4 ? SERVICE : SERVICE6;

	if (row->path == PATH_NOT_OURS)
		to = v4 ? FOREIGN : FOREIGN6;
	return make_frame(row, client, CLIENT_PORT, to, BALANCER_PORT, flags);
}

struct measure_frame frame_from_backend(const struct row *row, const struct run *r)
{
	bool v4 = row->service.family == 4;
	const __u8 *l4 = r->pkt + (v4 ? 34 : 54);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	int af = v4 ? AF_INET : AF_INET6;

	inet_ntop(af, r->pkt + (v4 ? 30 : 38), src, sizeof(src));
	inet_ntop(af, r->pkt + (v4 ? 26 : 22), dst, sizeof(dst));
	return make_frame(row, src, l4[2] << 8 | l4[3], dst, l4[0] << 8 | l4[1], TH_ACK);
}
