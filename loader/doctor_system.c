// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_system.c - the kernel, the libraries and the rights that lbctl has.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <link.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

#define BPFFS			     "/sys/fs/bpf"
#define SYSCTL_NET		     "/proc/sys/net/core/"
#define VERSION(major, minor, patch) ((major)*1000000 + (minor)*1000 + (patch))

/* Since 6.12 the kernel counts a tail call as changing packet data, and the dispatcher of
 * libxdp before 1.5.5 does not. */
#define TRAP_KERNEL VERSION(6, 12, 0)
#define TRAP_LIBXDP VERSION(1, 5, 5)

#define OLDEST_KERNEL VERSION(5, 12, 0)
#define FREE_MEMLOCK  VERSION(5, 11, 0)

static int version_of(const char *text)
{
	int major = 0, minor = 0, patch = 0;

	sscanf(text, "%d.%d.%d", &major, &minor, &patch);
	return VERSION(major, minor, patch);
}

/* libxdp does not say its version, but the name of its file does. */
static int find_libxdp(struct dl_phdr_info *info, size_t size, void *ret)
{
	const char *name = strstr(info->dlpi_name, "libxdp.so");
	char *file;

	(void)size;
	if (!name)
		return 0;
	file = realpath(info->dlpi_name, NULL);
	name = file ? strstr(file, "libxdp.so.") : NULL;
	if (name)
		snprintf(ret, 32, "%s", name + strlen("libxdp.so."));
	free(file);
	return 1;
}

static void check_libxdp(struct doctor *d)
{
	char libxdp[32] = "";
	struct utsname kernel;

	uname(&kernel);
	dl_iterate_phdr(find_libxdp, libxdp);

	if (!libxdp[0])
		doctor_say(d, VERDICT_WARN, "libxdp", kernel.release, NULL,
			   "kernel %s; libxdp's version is not known", kernel.release);
	else if (version_of(kernel.release) >= TRAP_KERNEL &&
		 version_of(libxdp) < TRAP_LIBXDP &&
		 libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) == 1)
		doctor_say(
			d, VERDICT_WARN, "libxdp", kernel.release,
			"libxdp 1.5.5 or newer, or 'lbctl chain load' and 'unload'",
			"this kernel refuses the dispatcher of libxdp %s for a chain: lbctl's "
			"takes its place, and xdp-loader cannot change what is behind it",
			libxdp);
	else
		doctor_say(d, VERDICT_OK, "libxdp", kernel.release, NULL, "libxdp %s",
			   libxdp);
}

/* The flow table's buckets are claimed by compare-and-swap. */
static void check_kernel(struct doctor *d)
{
	struct utsname kernel;

	uname(&kernel);
	if (version_of(kernel.release) < OLDEST_KERNEL)
		doctor_say(d, VERDICT_FAIL, "kernel", kernel.release,
			   "Linux 6.1 or later",
			   "before 5.12, which cannot compare and swap in BPF");
	else
		doctor_say(d, VERDICT_OK, "kernel", kernel.release, NULL,
			   "can compare and swap in BPF");
}

static void check_types(struct doctor *d)
{
	static const struct {
		enum bpf_prog_type type;
		const char *name;
		enum verdict without;
		const char *means, *remedy;
	} types[] = {
		{ BPF_PROG_TYPE_XDP, "xdp", VERDICT_FAIL, "there is no chain",
		  "run it as root, on a kernel with CONFIG_BPF_SYSCALL" },
		{ BPF_PROG_TYPE_SCHED_CLS, "sched_cls", VERDICT_FAIL,
		  "next hops are not found",
		  "run it as root, on a kernel with CONFIG_NET_CLS_BPF" },
		{ BPF_PROG_TYPE_EXT, "ext", VERDICT_WARN,
		  "no dispatcher: the chain is alone on its interfaces",
		  "a kernel that loads them" },
		{ BPF_PROG_TYPE_TRACING, "tracing", VERDICT_WARN,
		  "xdpdump does not look into the chain", "lbctl trace" },
	};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (libbpf_probe_bpf_prog_type(types[i].type, NULL) == 1)
			doctor_say(d, VERDICT_OK, "type", types[i].name, NULL,
				   "programs of this type are loaded");
		else
			doctor_say(d, types[i].without, "type", types[i].name,
				   types[i].remedy,
				   "programs of this type are refused: %s",
				   types[i].means);
}

static void check_bpffs(struct doctor *d)
{
	struct statfs fs;

	if (!statfs(BPFFS, &fs) && fs.f_type == BPF_FS_MAGIC)
		doctor_say(d, VERDICT_OK, "bpffs", BPFFS, NULL, "mounted");
	else
		doctor_say(d, VERDICT_FAIL, "bpffs", BPFFS, "mount -t bpf bpf " BPFFS,
			   "not mounted: nothing can be pinned");
}

static unsigned long long read_capabilities(void)
{
	unsigned long long mask = 0;
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &mask) == 1)
			break;
	if (f)
		fclose(f);
	return mask;
}

static void check_capabilities(struct doctor *d)
{
	unsigned long long mask = read_capabilities();
	bool admin = mask & 1ULL << CAP_SYS_ADMIN;
	bool bpf = admin || (mask & 1ULL << CAP_BPF);
	bool perfmon = admin || (mask & 1ULL << CAP_PERFMON);
	bool net = mask & 1ULL << CAP_NET_ADMIN;

	if (bpf && perfmon && net && !admin)
		doctor_say(d, VERDICT_WARN, "capabilities", "lbctl", "run it as root",
			   "no CAP_SYS_ADMIN: the chain cannot be attached or detached");
	else if (bpf && perfmon && net)
		doctor_say(d, VERDICT_OK, "capabilities", "lbctl", NULL,
			   "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
	else
		doctor_say(d, VERDICT_FAIL, "capabilities", "lbctl", "run it as root",
			   "missing:%s%s%s", bpf ? "" : " CAP_BPF",
			   perfmon ? "" : " CAP_PERFMON", net ? "" : " CAP_NET_ADMIN");
}

/* Later kernels count maps among the memory of their maker's cgroup. */
static void check_memlock(struct doctor *d)
{
	struct rlimit limit = {};
	struct utsname kernel;

	uname(&kernel);
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (version_of(kernel.release) >= FREE_MEMLOCK)
		doctor_say(d, VERDICT_OK, "memlock", "lbctl", NULL,
			   "does not limit maps on this kernel");
	else if (limit.rlim_cur == RLIM_INFINITY)
		doctor_say(d, VERDICT_OK, "memlock", "lbctl", NULL, "unlimited");
	else
		doctor_say(d, VERDICT_WARN, "memlock", "lbctl", "ulimit -l unlimited",
			   "%llu bytes: maps may be refused",
			   (unsigned long long)limit.rlim_cur);
}

/*
 * Is what is loaded now translated?  The sysctl is only in the first network namespace.
 * Two instructions: return 0.
 */
static int ask_jit(void)
{
	struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "lb_doctor", "GPL", program,
			       2, NULL);
	int is_on = -1;

	if (fd < 0)
		return -1;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		is_on = info.jited_prog_len != 0;
	close(fd);
	return is_on;
}

static void check_jit(struct doctor *d)
{
	long value = doctor_read_number(SYSCTL_NET "bpf_jit_enable");

	if (value < 0)
		value = ask_jit();
	if (value > 0)
		doctor_say(d, VERDICT_OK, "jit", "kernel", NULL,
			   "programs are translated");
	else if (!value)
		doctor_say(d, VERDICT_WARN, "jit", "kernel",
			   "sysctl -w net.core.bpf_jit_enable=1",
			   "off: programs are interpreted, many times slower");
	else
		doctor_say(d, VERDICT_WARN, "jit", "kernel", "run it as root",
			   "cannot be seen");

	if (doctor_read_number(SYSCTL_NET "bpf_jit_harden") == 2)
		doctor_say(d, VERDICT_WARN, "jit", "net.core.bpf_jit_harden",
			   "sysctl -w net.core.bpf_jit_harden=1",
			   "is 2: constants are hidden in root's programs, too, which "
			   "makes them slower");
}

void doctor_system(struct doctor *d)
{
	check_kernel(d);
	check_libxdp(d);
	check_types(d);
	check_bpffs(d);
	check_capabilities(d);
	check_memlock(d);
	check_jit(d);
}
