// SPDX-License-Identifier: GPL-2.0-only
/*
 * live - send packets of many flows on an interface, count those that reach backends.
 *
 *     live send DEV [OPTION]...	prints one JSON object
 *     live floor DEV		loads the program that sends all to the first backend, and stays
 *
 * `send` puts its own XDP program on DEV, so that all that comes back is counted at once
 * where it arrives; it is gone when `send` ends.  Time is taken by the generator itself,
 * every 16,384 packets: the system call that runs it also waits for the kernel's grace
 * periods.  Everything happens on one CPU, the one that the process is bound to.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "live.h"

#define WARM_UP 8 /* blocks; they tell the rate, too */

struct send {
	const char *dev;
	int index;
	struct ether_addr to;
	struct in_addr source, dest;
	__u16 port;
	bool udp, opens;
	__u32 flows;
	double seconds;
	struct live_config config;
	struct live_counts *counts;
};

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	union {
		struct tcphdr tcp;
		struct udphdr udp;
	};
	__u8 data[LIVE_SIZE - sizeof(struct ethhdr) - sizeof(struct iphdr) -
		  sizeof(struct tcphdr)];
} __attribute__((packed));
_Static_assert(sizeof(struct frame) == LIVE_SIZE, "frame");

static struct bpf_program *program(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);

	if (!prog)
		errx(1, "the object has no program %s", name);
	return prog;
}

static struct bpf_object *object_open(const char *folder)
{
	struct bpf_object *obj;
	char path[4096];

	snprintf(path, sizeof(path), "%s/live.bpf.o", folder);
	obj = bpf_object__open_file(path, NULL);
	if (!obj)
		err(1, "cannot open %s", path);
	return obj;
}

/* The generator's counts, as they are in the kernel. */
static struct live_counts *counts_map(struct bpf_object *obj)
{
	int fd = bpf_map__fd(bpf_object__find_map_by_name(obj, ".bss"));
	void *counts = mmap(NULL, sizeof(struct live_counts), PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);

	if (counts == MAP_FAILED)
		err(1, "cannot map the counts");
	return counts;
}

/* ---- the packet ------------------------------------------------------------------------ */

static __u32 sum_of(const void *data, size_t len)
{
	const __u8 *byte = data;
	__u32 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? byte[i] : byte[i] << 8;
	return sum;
}

static __be16 checksum(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return htons(~((sum & 0xffff) + (sum >> 16)));
}

static void frame_make(const struct send *s, bool opening, void *ret)
{
	__u16 len = LIVE_SIZE - sizeof(struct ethhdr) - sizeof(struct iphdr);
	struct frame f = {
		.eth = { .h_source = { 2, 0, 0, 0, 1, 0 }, .h_proto = htons(ETH_P_IP) },
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.tot_len = htons(len + sizeof(struct iphdr)),
			.protocol = s->udp ? IPPROTO_UDP : IPPROTO_TCP,
			.saddr = s->source.s_addr,
			.daddr = s->dest.s_addr },
	};
	__u32 sum;

	memcpy(f.eth.h_dest, &s->to, ETH_ALEN);
	f.ip.check = checksum(sum_of(&f.ip, sizeof(f.ip)));
	sum = sum_of(&f.ip.saddr, 8) + f.ip.protocol + len;
	if (s->udp) {
		f.udp = (struct udphdr){ .dest = htons(s->port), .len = htons(len) };
		f.udp.check = checksum(sum + sum_of(&f.udp, len));
	} else {
		f.tcp = (struct tcphdr){ .dest = htons(s->port),
					 .doff = 5,
					 .seq = htonl(opening ? 1 : 2),
					 .window = htons(512) };
		f.tcp.syn = opening;
		f.tcp.ack = !opening;
		f.tcp.check = checksum(sum + sum_of(&f.tcp, len));
	}
	memcpy(ret, &f, sizeof(f));
}

static void config_make(struct send *s)
{
	s->config.flows_mask = s->flows - 1;
	s->config.opens = s->opens;
	s->config.check_at = sizeof(struct ethhdr) + sizeof(struct iphdr) +
			     (s->udp ? offsetof(struct udphdr, check)
				     : offsetof(struct tcphdr, check));
	frame_make(s, false, s->config.packet);
	frame_make(s, true, s->config.opening);
}

/* ---- sending --------------------------------------------------------------------------- */

static void run(const struct send *s, int prog, __u32 packets)
{
	__u64 frame[LIVE_WORDS] = {};
	struct xdp_md ctx = { .data_end = sizeof(frame), .ingress_ifindex = s->index };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = packets,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (bpf_prog_test_run_opts(prog, &opts))
		err(1, "%s: cannot send", s->dev);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The rates of all blocks, packets a microsecond, sorted; returns how many there are. */
static int rates(const struct live_counts *c, double *ret)
{
	int n = c->sent / LIVE_BLOCK;

	if (n >= LIVE_STAMPS)
		n = LIVE_STAMPS - 1;
	for (int i = 0; i < n; i++)
		ret[i] = (c->stamp[i + 1].arrived - c->stamp[i].arrived) * 1e3 /
			 (c->stamp[i + 1].ns - c->stamp[i].ns);
	qsort(ret, n, sizeof(*ret), by_size);
	return n;
}

/* Warm up; then as many blocks as fit into the time. */
static void run_for(const struct send *s, int prog)
{
	const struct live_stamp *stamp = s->counts->stamp;
	double ns, blocks;

	run(s, prog, WARM_UP * LIVE_BLOCK + 1);
	ns = (stamp[WARM_UP].ns - stamp[0].ns) / WARM_UP;
	blocks = s->seconds * 1e9 / ns;
	if (blocks < 2)
		blocks = 2;
	if (blocks > LIVE_STAMPS - 1)
		blocks = LIVE_STAMPS - 1;
	memset(s->counts, 0, sizeof(*s->counts));
	run(s, prog, (__u32)blocks * LIVE_BLOCK + 1);
}

static void print(const struct live_counts *c)
{
	double rate[LIVE_STAMPS] = {};
	int n = rates(c, rate);

	printf("{\"sent\": %llu, \"arrived\": %llu, \"strays\": %llu, \"backends\": [",
	       c->sent, c->arrived, c->strays);
	for (int i = 0; i < LIVE_BACKENDS; i++)
		printf("%s%llu", i ? ", " : "", c->backend[i]);
	printf("], \"blocks\": %d, \"mpps\": %.4f, \"best\": %.4f}\n", n, rate[n / 2],
	       rate[n ? n - 1 : 0]);
}

static void do_send(struct send *s, const char *folder)
{
	struct bpf_object *obj = object_open(folder);
	int count, e;

	config_make(s);
	if (bpf_map__set_initial_value(bpf_object__find_map_by_name(obj, ".rodata"),
				       &s->config, sizeof(s->config)))
		err(1, "cannot configure the generator");
	if (bpf_object__load(obj))
		errx(1, "cannot load the generator");
	s->counts = counts_map(obj);
	count = bpf_program__fd(program(obj, "live_count"));
	e = bpf_xdp_attach(s->index, count, XDP_FLAGS_DRV_MODE, NULL);
	if (e)
		errx(1, "%s: cannot attach the counter: %s", s->dev, strerror(-e));
	if (s->opens)
		run(s, bpf_program__fd(program(obj, "live_send")), 2 * s->flows);
	else
		run_for(s, bpf_program__fd(program(obj, "live_send")));
	print(s->counts);
	bpf_xdp_detach(s->index, XDP_FLAGS_DRV_MODE, NULL);
	bpf_object__close(obj);
}

static void do_floor(const struct send *s, const char *folder)
{
	struct bpf_object *obj = object_open(folder);
	int e;

	if (bpf_object__load(obj))
		errx(1, "cannot load the floor");
	e = bpf_xdp_attach(s->index, bpf_program__fd(program(obj, "live_floor")),
			   XDP_FLAGS_DRV_MODE, NULL);
	if (e)
		errx(1, "%s: cannot attach the floor: %s", s->dev, strerror(-e));
	bpf_object__close(obj);
}

/* ---- what is asked for ----------------------------------------------------------------- */

static void address(const char *text, struct in_addr *ret)
{
	if (inet_pton(AF_INET, text, ret) != 1)
		errx(2, "'%s': not an IPv4 address", text);
}

static void want(struct send *s, const char *text)
{
	if (!strcmp(text, "mac"))
		s->config.want = LIVE_WANT_MAC;
	else if (!strcmp(text, "address"))
		s->config.want = LIVE_WANT_MAC | LIVE_WANT_ADDR;
	else
		errx(2, "'%s': not mac or address", text);
}

static void option(struct send *s, int letter)
{
	struct in_addr backends;

	switch (letter) {
	case 't':
		if (!ether_aton_r(optarg, &s->to))
			errx(2, "'%s': not a MAC address", optarg);
		break;
	case 's':
		address(optarg, &s->source);
		break;
	case 'd':
		address(optarg, &s->dest);
		break;
	case 'b':
		address(optarg, &backends);
		s->config.backends = backends.s_addr;
		break;
	case 'p':
		s->port = strtoul(optarg, NULL, 10);
		break;
	case 'f':
		s->flows = strtoul(optarg, NULL, 10);
		break;
	case 'n':
		s->seconds = strtod(optarg, NULL);
		break;
	case 'w':
		want(s, optarg);
		break;
	case 'u':
		s->udp = true;
		break;
	case 'o':
		s->opens = true;
		break;
	default:
		exit(2);
	}
}

static void options(struct send *s, int argc, char **argv)
{
	static const struct option known[] = {
		{ "to", required_argument, NULL, 't' },
		{ "source", required_argument, NULL, 's' },
		{ "dest", required_argument, NULL, 'd' },
		{ "backends", required_argument, NULL, 'b' },
		{ "port", required_argument, NULL, 'p' },
		{ "flows", required_argument, NULL, 'f' },
		{ "seconds", required_argument, NULL, 'n' },
		{ "want", required_argument, NULL, 'w' },
		{ "udp", no_argument, NULL, 'u' },
		{ "open", no_argument, NULL, 'o' },
		{},
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1)
		option(s, letter);
	if (!s->flows || s->flows > 32768 || s->flows & (s->flows - 1))
		errx(2, "flows: a power of two, 32768 at most");
}

int main(int argc, char **argv)
{
	struct send s = { .port = 80, .flows = 1024, .seconds = 0.3 };
	char folder[] = "/proc/self/exe", path[4096];
	ssize_t len = readlink(folder, path, sizeof(path) - 1);
	cpu_set_t cpu;

	if (argc < 3 || len < 0)
		errx(2, "usage: live send|floor DEV [OPTION]...");
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	s.dev = argv[2];
	s.index = if_nametoindex(s.dev);
	if (!s.index)
		err(1, "%s", s.dev);
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu) || setpriority(PRIO_PROCESS, 0, -20))
		err(1, "cannot have a CPU");
	options(&s, argc - 2, argv + 2);
	if (!strcmp(argv[1], "send"))
		do_send(&s, path);
	else if (!strcmp(argv[1], "floor"))
		do_floor(&s, path);
	else
		errx(2, "'%s': not send or floor", argv[1]);
	return 0;
}
