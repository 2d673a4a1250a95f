// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_local_sockets.c - lb_local on tc egress, and what real sockets send through it.
 *
 * A test run has no partial checksums; the stack does.  Requests are put on the wire of
 * `back` as the chain lets them up, the answers are caught at its other end: once with the
 * checksum left to the device, which then has the pseudo-header's sum in it, once whole.
 */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk.h"

/* clang-format off */
#define VIP	"10.0.0.20"
#define VIP6	"2001:db8::20"
#define OWN	"10.0.0.10"
#define OWN6	"2001:db8::10"
#define PORT	31337

static const struct talk world = {
	.name = "world",
	.services = { { ON(VIP, 80, TCP, LOCAL), BACKENDS({ OWN, 8080 }) },
		      { ON(VIP, 53, UDP, LOCAL), BACKENDS({ OWN, 5353 }) },
		      { ON(VIP6, 80, TCP, LOCAL), BACKENDS({ OWN6, 8080 }) },
		      { ON(VIP6, 53, UDP, LOCAL), BACKENDS({ OWN6, 5353 }) } },
};
/* clang-format on */

static int wire; /* the other end of `back` */
static __u32 wire_ifindex;

static int open_wire(void **state)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts);
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };

	talk_open(state);
	hook.ifindex = hosts_back;
	assert_return_code(bpf_tc_hook_create(&hook), errno);
	opts.prog_fd = stage_program(&talk_stage, "lb_local");
	assert_return_code(bpf_tc_attach(&hook, &opts), errno);

	wire_ifindex = if_nametoindex("back-end");
	at.sll_ifindex = wire_ifindex;
	wire = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	assert_return_code(wire, errno);
	assert_return_code(bind(wire, (void *)&at, sizeof(at)), errno);
	assert_return_code(setsockopt(wire, SOL_PACKET, PACKET_AUXDATA, &(int){ 1 },
				      sizeof(int)),
			   errno);
	return 0;
}

static int close_wire(void **state)
{
	close(wire);
	return talk_close(state);
}

/* A client's packet through the chain, and on to the stack. */
static void come_in(const struct layer *in)
{
	struct run r;

	stage_run_layers(talk_parse, in, hosts_back, &r);
	assert_int_equal(r.verdict, XDP_PASS);
	assert_int_equal(send(wire, r.pkt, r.len, 0), r.len);
}

/* Is it what we look for, and not the network's own talk? */
static bool is_reply(const __u8 *pkt, size_t len, const struct sockaddr_ll *from)
{
	__u8 protocol = pkt[12] == 0x86 ? pkt[20] : pkt[23];

	return from->sll_pkttype != PACKET_OUTGOING && len >= 42 &&
	       (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP);
}

/* The next reply on the wire; ret_partial: its checksum is left to the device. */
static size_t go_out(__u8 *pkt, bool *ret_partial)
{
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct pollfd ready = { .fd = wire, .events = POLLIN };
	struct sockaddr_ll from;
	struct iovec iov = { pkt, PACKET_MAX };
	struct tpacket_auxdata aux;
	ssize_t len;

	for (;;) {
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control,
				      .msg_controllen = sizeof(control) };

		if (poll(&ready, 1, 2000) != 1)
			fail_msg("nothing came out");
		len = recvmsg(wire, &msg, 0);
		assert_return_code(len, errno);
		if (!is_reply(pkt, len, &from))
			continue;
		memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(aux));
		*ret_partial = aux.tp_status & TP_STATUS_CSUMNOTREADY;
		return len;
	}
}

/* The sum over all that a checksum covers, 0xffff if it is right. */
static __u16 whole_sum(const __u8 *pkt, size_t len)
{
	bool ip6 = pkt[12] == 0x86;
	size_t l4 = ETH_HLEN + (ip6 ? 40 : 20);
	__u8 protocol = ip6 ? pkt[20] : pkt[23];
	__u32 pseudo = packet_sum(pkt + ETH_HLEN + (ip6 ? 8 : 12), ip6 ? 32 : 8, 0);

	return packet_sum(pkt + l4, len - l4, pseudo + protocol + (len - l4));
}

/* The sum of the pseudo-header alone, and what is in the field of the checksum. */
static void pseudo_sums(const __u8 *pkt, size_t len, __u16 *ret_want, __u16 *ret_have)
{
	bool ip6 = pkt[12] == 0x86;
	size_t l4 = ETH_HLEN + (ip6 ? 40 : 20);
	__u8 protocol = ip6 ? pkt[20] : pkt[23];
	const __u8 *check = pkt + l4 + (protocol == IPPROTO_TCP ? 16 : 6);
	__u32 pseudo = packet_sum(pkt + ETH_HLEN + (ip6 ? 8 : 12), ip6 ? 32 : 8, 0);

	pseudo += protocol + (len - l4);
	*ret_want = packet_sum(NULL, 0, pseudo);
	*ret_have = check[0] << 8 | check[1];
}

static void expect_from(const char *address, __u16 port, bool partial)
{
	__u8 pkt[PACKET_MAX];
	bool was_partial;
	size_t len = go_out(pkt, &was_partial);
	__be32 want[4];
	bool ip6 = world_address(address, want) == 6;
	__u16 sum, have;

	assert_memory_equal(pkt + ETH_HLEN + (ip6 ? 8 : 12), want, ip6 ? 16 : 4);
	assert_int_equal(pkt[ETH_HLEN + (ip6 ? 40 : 20)] << 8 |
				 pkt[ETH_HLEN + (ip6 ? 41 : 21)],
			 port);
	assert_int_equal(was_partial, partial);
	if (!ip6)
		assert_int_equal(packet_sum(pkt + ETH_HLEN, 20, 0), 0xffff);
	if (!partial) {
		assert_int_equal(whole_sum(pkt, len), 0xffff);
		return;
	}
	pseudo_sums(pkt, len, &sum, &have);
	assert_int_equal(have, sum);
}

static int serve(const char *address, __u16 port, int type)
{
	struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in at4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	__be32 words[4];
	bool ip6 = world_address(address, words) == 6;
	int fd = socket(ip6 ? AF_INET6 : AF_INET, type, 0);

	memcpy(&at6.sin6_addr, words, 16);
	memcpy(&at4.sin_addr, words, 4);
	assert_return_code(fd, errno);
	assert_return_code(bind(fd, ip6 ? (void *)&at6 : (void *)&at4,
				ip6 ? sizeof(at6) : sizeof(at4)),
			   errno);
	if (type == SOCK_STREAM)
		assert_return_code(listen(fd, 1), errno);
	return fd;
}

/* Send back what came. */
static void echo(int fd)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char text[64];
	ssize_t n = recvfrom(fd, text, sizeof(text), 0, (void *)&from, &size);

	assert_return_code(n, errno);
	assert_int_equal(sendto(fd, text, n, 0, (void *)&from, size), n);
}

static void check_all(bool partial)
{
	int tcp = serve(OWN, 8080, SOCK_STREAM), udp = serve(OWN, 5353, SOCK_DGRAM);
	int tcp6 = serve(OWN6, 8080, SOCK_STREAM), udp6 = serve(OWN6, 5353, SOCK_DGRAM);

	talk_begin(&world);
	come_in(PKT(ETH(.dst = BACK_MAC), IP4(CLIENT, VIP), TCP(PORT, 80, SYN)));
	expect_from(VIP, 80, partial);
	come_in(PKT(ETH(.dst = BACK_MAC), IP6(CLIENT6, VIP6), TCP(PORT, 80, SYN)));
	expect_from(VIP6, 80, partial);
	come_in(PKT(ETH(.dst = BACK_MAC), IP4(CLIENT, VIP), UDP(PORT, 53), DATA("?")));
	echo(udp);
	expect_from(VIP, 53, partial);
	come_in(PKT(ETH(.dst = BACK_MAC), IP6(CLIENT6, VIP6), UDP(PORT, 53), DATA("?")));
	echo(udp6);
	expect_from(VIP6, 53, partial);
	assert_int_equal(stage_reason(&talk_stage, LB_REASON_REPLY), 4);
	close(tcp);
	close(tcp6);
	close(udp);
	close(udp6);
}

static void checksums_left_to_the_device(void **state)
{
	(void)state;
	check_all(true);
}

static void whole_checksums(void **state)
{
	(void)state;
	hosts_run("ethtool -K back tx off >/dev/null");
	check_all(false);
}

int main(void)
{
	const struct CMUnitTest units[] = {
		cmocka_unit_test(checksums_left_to_the_device),
		cmocka_unit_test(whole_checksums),
	};

	return cmocka_run_group_tests_name("local_sockets", units, open_wire, close_wire);
}
