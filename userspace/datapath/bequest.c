/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/bequest.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void tandem_bequest_clean(struct tandem_bequest *bequest)
{
	while (bequest->fd_count)
		close(bequest->fds[--bequest->fd_count]);
	bequest->len = 0;
}

int tandem_bequest_add(struct tandem_bequest *bequest, int fd)
{
	int own;

	if (bequest->fd_count == TANDEM_BEQUEST_FDS)
		return -ENOSPC;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return -errno;
	bequest->fds[bequest->fd_count++] = own;
	return 0;
}
