// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor_system.c - the kernel, the libraries and the rights that lbctl has.
 */
#include <bpf/libbpf.h>
#include <link.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include "doctor.h"

#define BPFFS			     "/sys/fs/bpf"
#define VERSION(major, minor, patch) ((major)*1000000 + (minor)*1000 + (patch))

/* Since 6.12 the kernel counts a tail call as changing packet data, and the dispatcher of
 * libxdp before 1.5.5 does not. */
#define TRAP_KERNEL VERSION(6, 12, 0)
#define TRAP_LIBXDP VERSION(1, 5, 5)

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

static void check_versions(struct doctor *d)
{
	char libxdp[32] = "";
	struct utsname kernel;

	uname(&kernel);
	dl_iterate_phdr(find_libxdp, libxdp);

	if (!libxdp[0])
		doctor_say(d, VERDICT_WARN, "libxdp", kernel.release, NULL,
			   "kernel %s; libxdp's version is not known", kernel.release);
	else if (version_of(kernel.release) >= TRAP_KERNEL &&
		 version_of(libxdp) < TRAP_LIBXDP)
		doctor_say(
			d, VERDICT_WARN, "libxdp", kernel.release,
			"libxdp 1.5.5 or newer",
			"libxdp %s cannot put a chain behind its dispatcher on this kernel: "
			"it is attached alone",
			libxdp);
	else
		doctor_say(d, VERDICT_OK, "libxdp", kernel.release, NULL, "libxdp %s",
			   libxdp);
}

static void check_dispatcher(struct doctor *d)
{
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) == 1)
		doctor_say(d, VERDICT_OK, "dispatcher", "kernel", NULL,
			   "programs can be replaced, as the dispatcher needs it");
	else
		doctor_say(
			d, VERDICT_WARN, "dispatcher", "kernel",
			"a kernel with BPF_PROG_TYPE_EXT",
			"it does not load programs of type ext: the chain is alone on its "
			"interfaces");
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

static void check_jit(struct doctor *d)
{
	long value = doctor_read_number("/proc/sys/net/core/bpf_jit_enable");

	if (value > 0)
		doctor_say(d, VERDICT_OK, "jit", "net.core.bpf_jit_enable", NULL,
			   "is %ld", value);
	else if (!value)
		doctor_say(d, VERDICT_WARN, "jit", "net.core.bpf_jit_enable",
			   "sysctl -w net.core.bpf_jit_enable=1",
			   "is 0: programs are interpreted, many times slower");
}

void doctor_system(struct doctor *d)
{
	check_versions(d);
	check_dispatcher(d);
	check_bpffs(d);
	check_capabilities(d);
	check_jit(d);
}
