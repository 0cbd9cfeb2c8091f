/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/control/listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "userspace/control/client.h"
#include "userspace/control/control.h"
#include "userspace/util/path.h"

/* Only a socket is ever removed, and only one that nobody listens on. */
static int clear_path(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (tandem_client_alive(path))
		return -EADDRINUSE;
	return unlink(path) ? -errno : 0;
}

static int bind_private(int fd, const struct sockaddr_un *sun)
{
	/* The mode must be right from the start: there is no fchmod() for a bound socket. */
	mode_t old = umask(0177);
	int ret = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) ? -errno : 0;

	umask(old);
	return ret;
}

int tandem_listener_open(const char *path, char *why, size_t why_size)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = -1, ret = -ENAMETOOLONG;

	if (strlen(path) >= sizeof(sun.sun_path))
		goto out;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	ret = tandem_path_make_parents(path, 0755);
	if (!ret)
		ret = clear_path(path);
	if (ret)
		goto out;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ret = fd < 0 ? -errno : bind_private(fd, &sun);
	if (!ret && listen(fd, TANDEM_CONTROL_MAX_CLIENTS))
		ret = -errno;
out:
	if (!ret)
		return fd;
	if (fd >= 0)
		close(fd);
	snprintf(why, why_size, "%s: %s", path,
		 ret == -EADDRINUSE ? "another relay is running there"
		 : ret == -EEXIST   ? "exists and is not a socket"
				    : strerror(-ret));
	return ret;
}
