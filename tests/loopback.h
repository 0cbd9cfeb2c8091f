/* SPDX-License-Identifier: GPL-2.0-only */
/* A network namespace with a loopback alone, where the ports of a test are free. */
#ifndef TANDEM_TESTS_LOOPBACK_H
#define TANDEM_TESTS_LOOPBACK_H

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Move this thread into one. 0; -EPERM where it stays on the host's, for want of rights. */
static inline int loopback_enter(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, err = 0;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

#endif
