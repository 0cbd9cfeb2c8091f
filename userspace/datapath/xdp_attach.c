/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/datapath/xdp.h"
#include "userspace/util/log.h"

#define MODULE	    "xdp"
#define LINK_PREFIX "link_"

static void link_path(const struct tandem_datapath *dp, const char *name, char *path)
{
	snprintf(path, PATH_MAX, "%.*s/" LINK_PREFIX "%s", PATH_MAX - 32, dp->dir, name);
}

/* ---- one interface ---- */

/* Put the program where an earlier run's was. False when there is no such link (any more). */
static bool take_link(struct tandem_datapath *dp, struct xdp_interface *at, const char *path)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);

	at->link_fd = bpf_obj_get(path);
	if (at->link_fd < 0)
		return false;
	/* A link whose interface went away has ifindex 0; the name may be another's now. */
	if (bpf_obj_get_info_by_fd(at->link_fd, &info, &len) == 0 &&
	    info.type == BPF_LINK_TYPE_XDP && (int)info.xdp.ifindex == at->ifindex &&
	    bpf_link_update(at->link_fd, tandem_xdp_program_fd(dp), NULL) == 0)
		return true;
	bpf_link_detach(at->link_fd);
	close(at->link_fd);
	at->link_fd = -1;
	unlink(path);
	return false;
}

/* In the driver if it can, else in front of the stack. */
static int create_link(struct tandem_datapath *dp, struct xdp_interface *at)
{
	static const uint32_t modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	int err = 0;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = modes[i]);

		/* In front of the stack the copies of a frame are one in memory. */
		if (modes[i] == XDP_FLAGS_SKB_MODE)
			tandem_xdp_copies_stop(dp);
		at->link_fd = bpf_link_create(tandem_xdp_program_fd(dp), at->ifindex, BPF_XDP,
					      &opts);
		if (at->link_fd >= 0)
			return 0;
		err = -errno;
		if (err == -EBUSY || err == -EEXIST || err == -EPERM)
			break;
	}
	return err;
}

static bool runs_natively(const struct xdp_interface *at)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);

	return bpf_xdp_query(at->ifindex, 0, &opts) == 0 && opts.attach_mode == XDP_ATTACHED_DRV;
}

static int attach_one(struct tandem_datapath *dp, struct xdp_interface *at, char *why,
		      size_t why_size)
{
	char path[PATH_MAX];
	int err;

	at->ifindex = (int)if_nametoindex(at->name);
	if (!at->ifindex) {
		snprintf(why, why_size, "there is no interface %s", at->name);
		return -ENODEV;
	}
	link_path(dp, at->name, path);
	if (!take_link(dp, at, path)) {
		err = create_link(dp, at);
		if (err) {
			snprintf(why, why_size, "%s: %s", at->name,
				 err == -EBUSY || err == -EEXIST ? "another XDP program is on it"
								 : strerror(-err));
			return err;
		}
		at->created = true;
		if (bpf_obj_pin(at->link_fd, path)) {
			err = -errno;
			snprintf(why, why_size, "%s: the link cannot be pinned: %s", at->name,
				 strerror(-err));
			return err;
		}
	}
	at->native = runs_natively(at);
	return 0;
}

/* ---- all of them ---- */

static bool configured(const struct tandem_datapath *dp, const char *name)
{
	for (size_t i = 0; i < dp->interfaces_count; i++) {
		if (strcmp(dp->interfaces[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Links of an earlier run on interfaces that are not ours any more. */
static void drop_stale_links(const struct tandem_datapath *dp)
{
	DIR *dir = opendir(dp->dir);
	const struct dirent *entry;
	char path[PATH_MAX];
	int fd;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name + strlen(LINK_PREFIX);

		if (strncmp(entry->d_name, LINK_PREFIX, strlen(LINK_PREFIX)) ||
		    configured(dp, name))
			continue;
		link_path(dp, name, path);
		fd = bpf_obj_get(path);
		if (fd >= 0) {
			bpf_link_detach(fd);
			close(fd);
		}
		unlink(path);
		tandem_log(TANDEM_LOG_INFO, MODULE, "detached from %s, which is not configured",
			   name);
	}
	closedir(dir);
}

static int describe(struct tandem_datapath *dp)
{
	size_t size = dp->interfaces_count * (IF_NAMESIZE + 16) + sizeof(dp->module.why) + 64;
	size_t len = 0;

	dp->describe = calloc(1, size);
	if (!dp->describe)
		return -ENOMEM;
	for (size_t i = 0; i < dp->interfaces_count; i++) {
		const struct xdp_interface *at = &dp->interfaces[i];

		len += (size_t)snprintf(dp->describe + len, size - len, "%s%s on %s", i ? ", " : "",
					at->native ? "native" : "generic", at->name);
	}
	if (dp->module.used)
		snprintf(dp->describe + len, size - len, "; SRTP by the kernel module");
	else if (*dp->module.why)
		snprintf(dp->describe + len, size - len, "; SRTP by XDP itself: %s",
			 dp->module.why);
	return 0;
}

int tandem_xdp_attach(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
		      char *why, size_t why_size)
{
	int err;

	dp->interfaces = calloc(cfg->interfaces_count, sizeof(*dp->interfaces));
	if (!dp->interfaces)
		return -ENOMEM;
	for (size_t i = 0; i < cfg->interfaces_count; i++) {
		struct xdp_interface *at = &dp->interfaces[i];

		/* The same one twice would be a link to update, which is what it gets. */
		at->link_fd = -1;
		snprintf(at->name, sizeof(at->name), "%s", cfg->interfaces[i]);
		dp->interfaces_count++;
		err = attach_one(dp, at, why, why_size);
		if (err)
			return err;
	}
	drop_stale_links(dp);
	tandem_xdp_tx_open(dp);
	return describe(dp);
}

void tandem_xdp_detach(struct tandem_datapath *dp, bool created_only)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < dp->interfaces_count; i++) {
		struct xdp_interface *at = &dp->interfaces[i];

		if (at->link_fd < 0 || (created_only && !at->created))
			continue;
		bpf_link_detach(at->link_fd);
		link_path(dp, at->name, path);
		unlink(path);
	}
}
