/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * With a hundred thousand flows, asking the kernel for their next hops twice a second is the
 * largest part of what a packet costs, and nearly always for the same answer. The kernel tells
 * when something has changed, so the program is told to ask only then. It believes that for a
 * moment at a time (LEASE_NS), since a process that is stopped or killed tells nothing.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "relay.skel.h"
#include "userspace/datapath/xdp.h"
#include "userspace/util/log.h"
#include "userspace/util/thread.h"

#define MODULE	 "xdp"
#define LEASE_NS 300000000ULL
#define RENEW_MS 50
/*
 * A host whose neighbours come and go all the time must not have all flows ask all the time.
 * In between next hops age.
 */
#define CHANGES_APART_NS 500000000ULL

struct xdp_watch {
	struct relay_bpf *skel;
	uint64_t age_ns;
	uint64_t changed_ns;
	bool changed; /* since then */
	int netlink;
	int stop;
	pthread_t thread;
};

static const int groups[] = {
	RTNLGRP_LINK,	      RTNLGRP_NEIGH,	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE,
	RTNLGRP_IPV4_RULE,    RTNLGRP_IPV6_IFADDR,  RTNLGRP_IPV6_ROUTE,	 RTNLGRP_IPV6_RULE,
	RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF, RTNLGRP_NEXTHOP,
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts); /* the clock of the program */
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static int netlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int err = 0;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		err = -errno;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && !err; i++) {
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) < 0)
			err = -errno;
	}
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* That there is something to read is all that matters, or that there was too much. */
static bool netlink_drain(int fd)
{
	char buf[4096];
	bool any = false;
	ssize_t n;

	for (;;) {
		n = recv(fd, buf, sizeof(buf), MSG_TRUNC);
		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			return any;
		any = true;
	}
}

static void tell(struct xdp_watch *w)
{
	uint64_t now = now_ns();

	if (w->changed && now - w->changed_ns >= CHANGES_APART_NS) {
		__atomic_store_n(&w->skel->bss->ways_void_ns, now + w->age_ns, __ATOMIC_RELEASE);
		w->changed_ns = now;
		w->changed = false;
	}
	__atomic_store_n(&w->skel->bss->ways_watched_ns, w->changed ? 0 : now + LEASE_NS,
			 __ATOMIC_RELEASE);
}

static void *watch_main(void *arg)
{
	struct xdp_watch *w = arg;
	struct pollfd fds[] = { { .fd = w->netlink, .events = POLLIN },
				{ .fd = w->stop, .events = POLLIN } };

	while (!fds[1].revents) {
		if (netlink_drain(w->netlink))
			w->changed = true;
		tell(w);
		poll(fds, 2, RENEW_MS);
	}
	__atomic_store_n(&w->skel->bss->ways_watched_ns, 0, __ATOMIC_RELEASE);
	return NULL;
}

static void watch_free(struct xdp_watch *w)
{
	if (w->netlink >= 0)
		close(w->netlink);
	if (w->stop >= 0)
		close(w->stop);
	free(w);
}

static int watch_run(struct xdp_watch *w)
{
	w->netlink = netlink_open();
	if (w->netlink < 0)
		return w->netlink;
	w->stop = eventfd(0, EFD_CLOEXEC);
	if (w->stop < 0)
		return -errno;
	return tandem_thread_start(&w->thread, watch_main, w);
}

void tandem_xdp_watch_start(struct tandem_datapath *dp, uint64_t age_ns)
{
	struct xdp_watch *w = calloc(1, sizeof(*w));
	int err = w ? 0 : -ENOMEM;

	if (w) {
		*w = (struct xdp_watch){ .skel = dp->skel,
					 .age_ns = age_ns,
					 .changed = true, /* what an earlier run found is of then */
					 .netlink = -1,
					 .stop = -1 };
		err = watch_run(w);
	}
	if (!err) {
		dp->watch = w;
		return;
	}
	if (w)
		watch_free(w);
	tandem_log(TANDEM_LOG_WARNING, MODULE, "next hops are asked for every %llu ms: %s",
		   (unsigned long long)(age_ns / 1000000), strerror(-err));
}

void tandem_xdp_watch_stop(struct tandem_datapath *dp)
{
	const uint64_t one = 1;

	if (!dp->watch)
		return;
	while (write(dp->watch->stop, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(dp->watch->thread, NULL);
	watch_free(dp->watch);
	dp->watch = NULL;
}
