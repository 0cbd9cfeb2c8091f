/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/kmod_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/genl.h"

static const char *why_not_there(void)
{
	return access("/proc/modules", F_OK)
		       ? "this kernel has no loadable modules"
		       : "the kernel module is not loaded: modprobe tandem (built by make kmod)";
}

const char *tandem_kmod_why(int err)
{
	switch (err) {
	case -EBUSY:
		return "the module holds calls of an earlier run with other media addresses, ports "
		       "or capacity: run with its configuration, or --fresh";
	case -EINVAL:
		return "the module does not take this configuration; is it of another version?";
	case -EPERM:
		return "CAP_NET_ADMIN is needed";
	default:
		return strerror(-err);
	}
}

int tandem_kmod_connect(struct tandem_genl *genl, char *why, size_t why_size)
{
	int err = tandem_genl_open(genl, TANDEM_GENL_NAME);

	if (err) {
		snprintf(why, why_size, "%s", err == -ENOENT ? why_not_there() : strerror(-err));
		return err;
	}
	if (genl->version == TANDEM_GENL_VERSION)
		return 0;
	tandem_genl_close(genl);
	snprintf(why, why_size, "%s", tandem_kmod_why(-EINVAL));
	return -EPROTONOSUPPORT;
}

/* A name in the namespace's abstract sockets: it goes with the process. */
int tandem_kmod_lock(int *fd, char *why, size_t why_size)
{
	static const char name[] = "tandem-kmod";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int err;

	memcpy(sa.sun_path + 1, name, sizeof(name) - 1);
	*fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*fd >= 0 &&
	    bind(*fd, (const struct sockaddr *)&sa,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(name))) == 0)
		return 0;
	err = -errno;
	snprintf(why, why_size, "%s",
		 err == -EADDRINUSE ? "another relay uses the module in this network namespace"
				    : strerror(-err));
	return err;
}

int tandem_kmod_command(struct tandem_genl *genl, uint8_t cmd)
{
	struct tandem_genl_request req;

	tandem_genl_begin(genl, &req, cmd, 0);
	return tandem_genl_talk(genl, &req, NULL, NULL);
}

int tandem_kmod_configure(struct tandem_genl *genl, const struct relay_config *relay,
			  uint32_t stream_capacity, char *why, size_t why_size)
{
	struct tandem_genl_request req;
	int err;

	tandem_genl_begin(genl, &req, TANDEM_CMD_CONFIG_SET, 0);
	tandem_genl_put(&req, TANDEM_ATTR_CONFIG, relay, sizeof(*relay));
	tandem_genl_put(&req, TANDEM_ATTR_STREAM_CAPACITY, &stream_capacity,
			sizeof(stream_capacity));
	err = tandem_genl_talk(genl, &req, NULL, NULL);
	if (err)
		snprintf(why, why_size, "%s", tandem_kmod_why(err));
	return err;
}
