/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cluster/held.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/config/host.h"

int tandem_held_open(void)
{
	const struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_LINK,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (const struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

void tandem_held_drain(int fd)
{
	char buf[8192];

	/* what it says is read anew from the host, so that nothing can be missed */
	while (recv(fd, buf, sizeof(buf), 0) >= 0 || errno == ENOBUFS || errno == EINTR)
		continue;
}

int tandem_held_read(const struct ip_addr *const *addresses, bool *held, size_t n)
{
	struct tandem_host host;
	size_t i, j;
	int err = tandem_host_init(&host);

	if (err)
		return err;
	for (i = 0; i < n; i++) {
		held[i] = false;
		for (j = 0; j < host.addresses_count && !held[i]; j++)
			held[i] = tandem_ip_equal(addresses[i], &host.addresses[j].ip);
	}
	tandem_host_clean(&host);
	return 0;
}
