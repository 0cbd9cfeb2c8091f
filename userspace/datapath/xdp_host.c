/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "userspace/datapath/netlink.h"
#include "userspace/datapath/xdp.h"
#include "userspace/util/log.h"

#define MODULE "xdp"
#define BPFFS  "/sys/fs/bpf"

static const char *const forwarding[] = {
	"/proc/sys/net/ipv4/conf/lo/forwarding",
	"/proc/sys/net/ipv6/conf/lo/forwarding",
};

/* ---- the folder for pins ---- */

static bool on_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

static int make_folders(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", dir);
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int need_bpffs(const char *dir)
{
	if (strncmp(dir, BPFFS "/", strlen(BPFFS) + 1) || on_bpffs(BPFFS))
		return 0;
	if (mount("bpf", BPFFS, "bpf", 0, "mode=0700") < 0)
		return -errno;
	tandem_log(TANDEM_LOG_INFO, MODULE, "mounted a bpf file system on " BPFFS);
	return 0;
}

int tandem_xdp_host_dir(const char *dir, int *fd, char *why, size_t why_size)
{
	int err = need_bpffs(dir);

	if (err) {
		snprintf(why, why_size,
			 "no bpf file system on " BPFFS ", and none can be mounted: %s",
			 strerror(-err));
		return err;
	}
	err = make_folders(dir);
	if (err || !on_bpffs(dir)) {
		snprintf(why, why_size, "%s: %s", dir,
			 err ? strerror(-err) : "not on a bpf file system");
		return err ? err : -EINVAL;
	}
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	if (flock(*fd, LOCK_EX | LOCK_NB) < 0) {
		snprintf(why, why_size, "another relay is running with %s", dir);
		return -EBUSY;
	}
	return 0;
}

/* ---- routes ---- */

static int read_flag(const char *path)
{
	char value = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, &value, 1);
	close(fd);
	return n == 1 ? value - '0' : -EIO;
}

static int raise_flag(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write(fd, "1", 1) == 1 ? 0 : -errno;
	close(fd);
	return err;
}

int tandem_xdp_host_routes(char *why, size_t why_size)
{
	for (size_t i = 0; i < sizeof(forwarding) / sizeof(forwarding[0]); i++) {
		int value = read_flag(forwarding[i]), err;

		if (value == 1 || value == -ENOENT) /* set already; or no such family here */
			continue;
		err = raise_flag(forwarding[i]);
		if (err) {
			snprintf(why, why_size,
				 "%s cannot be set to 1, without which there are no "
				 "routes for the program: %s",
				 forwarding[i], strerror(-err));
			return err;
		}
		tandem_log(TANDEM_LOG_INFO, MODULE, "set %s to 1", forwarding[i]);
	}
	return 0;
}

/* ---- probe ---- */

static void say(struct tandem_probe *probe, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct tandem_probe *probe, const char *fmt, ...)
{
	size_t len = strlen(probe->detail);
	va_list ap;

	if (len && len + 2 < sizeof(probe->detail))
		len += (size_t)snprintf(probe->detail + len, sizeof(probe->detail) - len, "; ");
	va_start(ap, fmt);
	vsnprintf(probe->detail + len, sizeof(probe->detail) - len, fmt, ap);
	va_end(ap);
}

static bool capable(int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

static bool probe_rights(struct tandem_probe *probe)
{
	bool bpf = capable(CAP_BPF) || capable(CAP_SYS_ADMIN);
	bool net = capable(CAP_NET_ADMIN);

	if (!bpf)
		say(probe, "CAP_BPF is missing");
	if (!net)
		say(probe, "CAP_NET_ADMIN is missing");
	return bpf && net;
}

static bool probe_kernel(struct tandem_probe *probe)
{
	struct utsname name;

	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL) == 1 &&
	    libbpf_probe_bpf_map_type(BPF_MAP_TYPE_DEVMAP_HASH, NULL) == 1 &&
	    libbpf_probe_bpf_map_type(BPF_MAP_TYPE_LRU_HASH, NULL) == 1 &&
	    libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_fib_lookup, NULL) == 1)
		return true;
	uname(&name);
	say(probe, "kernel %s lacks XDP or one of its map types", name.release);
	return false;
}

static bool probe_bpffs(struct tandem_probe *probe, const char *dir)
{
	if (on_bpffs(BPFFS) || strncmp(dir, BPFFS "/", strlen(BPFFS) + 1))
		return true;
	if (access(BPFFS, F_OK) == 0 && capable(CAP_SYS_ADMIN)) {
		say(probe, BPFFS " will be mounted");
		return true;
	}
	say(probe, "no bpf file system on " BPFFS);
	return false;
}

static bool probe_routes(struct tandem_probe *probe)
{
	if (read_flag(forwarding[0]) == 1 || access(forwarding[0], W_OK) == 0)
		return true;
	say(probe, "%s is not 1 and cannot be set", forwarding[0]);
	return false;
}

static bool probe_interface(struct tandem_probe *probe, const char *name)
{
	int ifindex = (int)if_nametoindex(name);
	uint64_t features = 0;
	int err;

	if (!ifindex) {
		say(probe, "there is no interface %s", name);
		return false;
	}
	err = tandem_netlink_xdp_features(ifindex, &features);
	if (err)
		say(probe, "%s: the kernel does not tell whether native", name);
	else if (features & TANDEM_XDP_BASIC)
		say(probe, "native on %s", name);
	else
		say(probe, "generic on %s (its driver has no XDP)", name);
	return true;
}

int tandem_xdp_probe(const struct tandem_datapath_config *cfg, struct tandem_probe *probe)
{
	const char *srtp;
	bool usable;

	memset(probe, 0, sizeof(*probe));
	libbpf_set_print(NULL);
	usable = probe_rights(probe);
	usable = usable && probe_kernel(probe);
	usable &= probe_bpffs(probe, cfg->bpf_dir);
	usable &= probe_routes(probe);
	if (!cfg->interfaces_count) {
		say(probe, "no interface to attach to");
		usable = false;
	}
	for (size_t i = 0; i < cfg->interfaces_count; i++)
		usable &= probe_interface(probe, cfg->interfaces[i]);
	srtp = usable ? tandem_xdp_module_probe() : NULL;
	if (srtp)
		say(probe, "%s", srtp);
	probe->usable = usable;
	return usable ? 0 : -EOPNOTSUPP;
}
