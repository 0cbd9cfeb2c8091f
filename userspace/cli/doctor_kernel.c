/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "userspace/cli/doctor.h"

/* From this version on BPF memory is accounted to the cgroup, not to RLIMIT_MEMLOCK. */
#define MEMLOCK_FREE_MAJOR 5
#define MEMLOCK_FREE_MINOR 11
#define MEMLOCK_NEEDED	   (256ULL << 20)

static bool kernel_at_least(unsigned int major, unsigned int minor)
{
	struct utsname uts;
	unsigned int have_major = 0, have_minor = 0;

	if (uname(&uts) || sscanf(uts.release, "%u.%u", &have_major, &have_minor) != 2)
		return false;
	return have_major > major || (have_major == major && have_minor >= minor);
}

static void check_version(struct tandem_doctor *doctor)
{
	struct utsname uts;

	if (!uname(&uts))
		tandem_doctor_add(doctor, "kernel", TANDEM_FINDING_INFO, "%s %s %s", uts.sysname,
				  uts.release, uts.machine);
}

static void check_btf(struct tandem_doctor *doctor)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		tandem_doctor_add(doctor, "btf", TANDEM_FINDING_OK, "/sys/kernel/btf/vmlinux");
	else
		tandem_doctor_add(doctor, "btf", TANDEM_FINDING_INFO,
				  "the kernel shows no types of its own (CONFIG_DEBUG_INFO_BTF)");
}

static uint64_t effective_capabilities(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	uint64_t caps = 0;
	char line[256];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "CapEff: %" SCNx64, &caps) == 1)
			break;
	}
	fclose(f);
	return caps;
}

static void check_capabilities(struct tandem_doctor *doctor)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} needed[] = { { "CAP_NET_ADMIN", 12 }, { "CAP_PERFMON", 38 }, { "CAP_BPF", 39 } };
	const uint64_t sys_admin = 1ULL << 21;
	uint64_t caps = effective_capabilities();
	char missing[128] = "";

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		/* CAP_SYS_ADMIN contains the two that were split off from it. */
		if ((caps & (1ULL << needed[i].bit)) || (i > 0 && (caps & sys_admin)))
			continue;
		strcat(missing, missing[0] ? ", " : "");
		strcat(missing, needed[i].name);
	}
	if (missing[0])
		tandem_doctor_add(doctor, "capabilities", TANDEM_FINDING_WARNING,
				  "XDP needs %s: run as root, or grant them", missing);
	else
		tandem_doctor_add(doctor, "capabilities", TANDEM_FINDING_OK,
				  "CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON");
}

/* The nearest folder of path that exists. */
static void existing_parent(const char *path, char *buf, size_t size)
{
	snprintf(buf, size, "%s", path);
	while (access(buf, F_OK) != 0) {
		char *slash = strrchr(buf, '/');

		if (!slash || slash == buf) {
			snprintf(buf, size, "/");
			return;
		}
		*slash = '\0';
	}
}

static void check_bpffs(struct tandem_doctor *doctor, const char *bpf_dir)
{
	char dir[512];
	struct statfs fs;

	existing_parent(bpf_dir, dir, sizeof(dir));
	if (!statfs(dir, &fs) && fs.f_type == BPF_FS_MAGIC)
		tandem_doctor_add(doctor, "bpffs", TANDEM_FINDING_OK, "%s is on one", dir);
	else
		tandem_doctor_add(
			doctor, "bpffs", TANDEM_FINDING_WARNING,
			"%.200s is not on a BPF file system: mount -t bpf bpf /sys/fs/bpf",
			bpf_dir);
}

static void check_memlock(struct tandem_doctor *doctor)
{
	struct rlimit limit;

	if (kernel_at_least(MEMLOCK_FREE_MAJOR, MEMLOCK_FREE_MINOR)) {
		tandem_doctor_add(doctor, "memlock", TANDEM_FINDING_OK,
				  "BPF memory does not count against it on this kernel");
		return;
	}
	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= MEMLOCK_NEEDED)
		tandem_doctor_add(doctor, "memlock", TANDEM_FINDING_OK, "the limit is high enough");
	else
		tandem_doctor_add(doctor, "memlock", TANDEM_FINDING_WARNING,
				  "limited to %llu KiB; set LimitMEMLOCK=infinity",
				  (unsigned long long)limit.rlim_max / 1024);
}

static void check_io_uring(struct tandem_doctor *doctor)
{
	FILE *f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int value = 0;

	/* Kernels before 6.6 do not have the switch. */
	if (f && fscanf(f, "%d", &value) != 1)
		value = 0;
	if (f)
		fclose(f);
	if (value == 2 || (value == 1 && geteuid() != 0))
		tandem_doctor_add(doctor, "io_uring", TANDEM_FINDING_FAILURE,
				  "switched off: sysctl kernel.io_uring_disabled=0");
	else
		tandem_doctor_add(doctor, "io_uring", TANDEM_FINDING_OK,
				  "not switched off (kernel.io_uring_disabled)");
}

void tandem_doctor_kernel(struct tandem_doctor *doctor, const char *bpf_dir)
{
	check_version(doctor);
	check_btf(doctor);
	check_capabilities(doctor);
	check_bpffs(doctor, bpf_dir);
	check_memlock(doctor);
	check_io_uring(doctor);
}

static void check_writable(struct tandem_doctor *doctor, const char *name, const char *path)
{
	char dir[512];

	if (access(path, F_OK) == 0) {
		if (access(path, R_OK | W_OK) == 0)
			tandem_doctor_add(doctor, name, TANDEM_FINDING_OK, "%.250s", path);
		else
			tandem_doctor_add(doctor, name, TANDEM_FINDING_FAILURE, "%.250s: %s", path,
					  strerror(errno));
		return;
	}
	existing_parent(path, dir, sizeof(dir));
	if (access(dir, W_OK | X_OK) == 0)
		tandem_doctor_add(doctor, name, TANDEM_FINDING_OK, "%.250s will be made", path);
	else
		tandem_doctor_add(doctor, name, TANDEM_FINDING_FAILURE,
				  "%.200s cannot be made: %.80s: %s", path, dir, strerror(errno));
}

void tandem_doctor_files(struct tandem_doctor *doctor, const struct tandem_config *cfg)
{
	if (strcmp(cfg->database, ":memory:") == 0)
		tandem_doctor_add(doctor, "database", TANDEM_FINDING_INFO,
				  "in memory: a restart forgets registrations and calls");
	else
		check_writable(doctor, "database", cfg->database);
	check_writable(doctor, "control socket", cfg->control_socket);
}
