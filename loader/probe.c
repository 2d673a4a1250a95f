// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe.c - does a backend take packets for an address of which it does not speak?
 *
 * Answers are taken where they come in: the service's address may be one of this host, too,
 * whose stack would not believe that they come from elsewhere.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "netlink.h"

#define WAIT_MS	    400 /* for answers, each of two times */
#define GUE_PORT    6080
#define PACKET_SIZE 256

struct packet {
	size_t size;
	__u8 data[PACKET_SIZE];
};

struct sockets {
	int routed; /* whole IP packets, to where the kernel sends them */
	int framed; /* IP packets, to a MAC address; answers come here, too */
};

/* One family at a time. */
struct talk {
	struct sockets s;
	__u8 family;
	__u16 id; /* of our pings */
	struct probe *probes;
	size_t n;
};

/* ---- packets ------------------------------------------------------------------------------- */

static size_t head_size(__u8 family)
{
	return family == 4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
}

static __u32 add_up(const void *data, size_t size, __u32 sum)
{
	const __u8 *byte = data;
	size_t i;

	for (i = 0; i < size; i++)
		sum += i % 2 ? byte[i] : byte[i] << 8;
	return sum;
}

static __be16 checksum(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* The header of what @p has, to be put before it; @carries is an IPPROTO_*. */
static void put_ip(struct packet *p, const struct address *from, const struct address *to,
		   __u8 carries)
{
	size_t head = head_size(to->family);
	struct ip6_hdr ip6 = { .ip6_flow = htonl(6U << 28),
			       .ip6_plen = htons(p->size),
			       .ip6_nxt = carries,
			       .ip6_hlim = 64 };
	struct iphdr ip = { .version = 4,
			    .ihl = 5,
			    .tot_len = htons(head + p->size),
			    .ttl = 64,
			    .protocol = carries,
			    .saddr = from->word[0],
			    .daddr = to->word[0] };

	memmove(p->data + head, p->data, p->size);
	p->size += head;
	if (to->family == 4) {
		ip.check = checksum(add_up(&ip, sizeof(ip), 0));
		memcpy(p->data, &ip, sizeof(ip));
		return;
	}
	memcpy(&ip6.ip6_src, from->word, 16);
	memcpy(&ip6.ip6_dst, to->word, 16);
	memcpy(p->data, &ip6, sizeof(ip6));
}

static void make_ping(struct packet *p, const struct address *from,
		      const struct address *to, __u16 id, __u16 sequence)
{
	bool is4 = to->family == 4;
	struct icmphdr ping = { .type = is4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST };
	__u32 sum = 0;

	ping.un.echo.id = id;
	ping.un.echo.sequence = htons(sequence);
	if (!is4)
		sum = add_up(from->word, 16, add_up(to->word, 16, 0)) + sizeof(ping) +
		      IPPROTO_ICMPV6;
	ping.checksum = checksum(add_up(&ping, sizeof(ping), sum));
	memcpy(p->data, &ping, sizeof(ping));
	p->size = sizeof(ping);
	put_ip(p, from, to, is4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* As progs/encap.bpf.h does. */
static void put_tunnel(struct packet *p, const struct probe *probe)
{
	struct udphdr udp = { .source = htons(0xc000),
			      .dest = htons(GUE_PORT),
			      .len = htons(sizeof(udp) + p->size) };
	__u8 carries = probe->service.family == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;

	if (probe->forward == LB_FORWARD_GUE) {
		memmove(p->data + sizeof(udp), p->data, p->size);
		memcpy(p->data, &udp, sizeof(udp));
		p->size += sizeof(udp);
		carries = IPPROTO_UDP;
	}
	put_ip(p, &probe->source, &probe->backend, carries);
}

/* ---- sockets ------------------------------------------------------------------------------- */

/* Only ICMP: what else comes to a balancer is too much to be looked at. */
static int filter_icmp(int fd, __u8 family)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, family == 4 ? 9 : 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			 family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, PACKET_SIZE),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = 4, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int open_sockets(struct sockets *s, __u8 family)
{
	int type = htons(family == 4 ? ETH_P_IP : ETH_P_IPV6), err;

	s->framed = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, type);
	s->routed = socket(family == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
			   IPPROTO_RAW);
	if (s->framed >= 0 && s->routed >= 0 && !filter_icmp(s->framed, family))
		return 0;
	err = -errno;
	if (s->framed >= 0)
		close(s->framed);
	if (s->routed >= 0)
		close(s->routed);
	return err;
}

static void send_routed(const struct talk *t, const struct packet *p,
			const struct address *to)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memcpy(&in4.sin_addr, to->word, 4);
	memcpy(&in6.sin6_addr, to->word, 16);
	if (to->family == 4)
		sendto(t->s.routed, p->data, p->size, 0, (void *)&in4, sizeof(in4));
	else
		sendto(t->s.routed, p->data, p->size, 0, (void *)&in6, sizeof(in6));
}

/* Routed, the kernel would ask for the destination, which is not to be found. */
static void send_framed(const struct talk *t, const struct packet *p,
			const struct probe *probe)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(t->family == 4 ? ETH_P_IP : ETH_P_IPV6),
		.sll_ifindex = probe->ifindex,
		.sll_halen = ETH_ALEN,
	};

	if (netlink_neighbour(&probe->backend, probe->ifindex, to.sll_addr) > 0)
		sendto(t->s.framed, p->data, p->size, 0, (void *)&to, sizeof(to));
}

/* ---- answers ------------------------------------------------------------------------------- */

/* Each probe has two sequence numbers: of its own address, and of the service's. */
static bool take_answer(const struct talk *t)
{
	struct packet p = {};
	ssize_t size = recv(t->s.framed, p.data, sizeof(p.data), MSG_DONTWAIT);
	size_t head = head_size(t->family);
	const struct icmphdr *ping;
	__u16 sequence;

	if (t->family == 4)
		head = 4 * (p.data[0] & 15);
	ping = (const void *)(p.data + head);
	if (size < (ssize_t)(head + sizeof(*ping)) || ping->un.echo.id != t->id ||
	    ping->type != (t->family == 4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
		return false;
	sequence = ntohs(ping->un.echo.sequence);
	if (sequence / 2U >= t->n)
		return false;
	if (sequence % 2)
		t->probes[sequence / 2].takes = true;
	else
		t->probes[sequence / 2].answers = true;
	return true;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until there are @wanted answers, or nobody seems to answer any more. */
static void wait_for(const struct talk *t, size_t wanted)
{
	struct pollfd poller = { .fd = t->s.framed, .events = POLLIN };
	long until = now_ms() + WAIT_MS, left;

	while (wanted && (left = until - now_ms()) > 0)
		if (poll(&poller, 1, left) > 0)
			wanted -= take_answer(t);
}

/* ---- the two questions ----------------------------------------------------------------------- */

static size_t ask_backends(const struct talk *t)
{
	struct packet p;
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		const struct probe *probe = &t->probes[i];

		if (probe->backend.family != t->family)
			continue;
		make_ping(&p, &probe->source, &probe->backend, t->id, 2 * i);
		send_routed(t, &p, &probe->backend);
		n++;
	}
	return n;
}

static size_t ask_services(const struct talk *t)
{
	struct packet p;
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		const struct probe *probe = &t->probes[i];

		if (probe->backend.family != t->family || !probe->answers)
			continue;
		make_ping(&p, &probe->source, &probe->service, t->id, 2 * i + 1);
		if (probe->forward == LB_FORWARD_DSR) {
			send_framed(t, &p, probe);
		} else {
			put_tunnel(&p, probe);
			send_routed(t, &p, &probe->backend);
		}
		n++;
	}
	return n;
}

int probe_all(struct probe *probes, size_t n)
{
	struct talk t = { .id = getpid(), .probes = probes, .n = n };
	int err;

	for (t.family = 4; t.family <= 6; t.family += 2) {
		err = open_sockets(&t.s, t.family);
		if (err)
			return err;
		wait_for(&t, ask_backends(&t));
		wait_for(&t, ask_services(&t));
		close(t.s.framed);
		close(t.s.routed);
	}
	return 0;
}
