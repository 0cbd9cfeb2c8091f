/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * By which device and to which neighbour datagrams leave, so that they can be handed to the
 * device as frames (frame.c): the kernel's own way down, through its IP layer, is half of what it
 * costs to send. What is known here is a cache of what the kernel would do. Whatever is not
 * known, or not that simple (local, fragmented, tunnelled, no Ethernet), goes the kernel's way,
 * which is always right.
 *
 * Routes are asked for, one for each pair of addresses; neighbours are heard of. A change that the
 * kernel tells of voids all ways at once, and without one a way lasts AGE_NS. Asking has a
 * budget, so that a storm of changes costs speed and not the worker's time. The packet
 * that finds its way missing goes the kernel's way, and that once in AGE_NS keeps the kernel's
 * neighbour entry in use: it looks after those that are.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/addr.h"
#include "userspace/datapath/route.h"
#include "userspace/util/sparse.h"
#include "userspace/uring/worker.h"

#define WAYS	    65536 /* a power of two */
#define PROBES	    4
#define NEIGHBOURS  65536
#define AGE_NS	    5000000000ULL
#define RETRY_NS    100000000ULL /* what has no way may soon have one */
#define LISTEN_NS   10000000ULL	 /* between two looks at what the kernel tells */
#define READS	    64		 /* messages to one look */
#define ASK_NS	    1000000ULL	 /* one question each, */
#define ASK_BURST   64		 /* after so many */
#define SEND_BUFFER (64 << 20)
#define INTERACTIVE 6 /* TC_PRIO_INTERACTIVE: media, for queues that go by priority */
#define GROUP(name) (1U << (RTNLGRP_##name - 1))
#define GROUPS                                                                                     \
	(GROUP(LINK) | GROUP(NEIGH) | GROUP(IPV4_ROUTE) | GROUP(IPV6_ROUTE) | GROUP(IPV4_RULE) |   \
	 GROUP(IPV6_RULE) | GROUP(IPV4_IFADDR) | GROUP(IPV6_IFADDR) | GROUP(NEXTHOP))

/* ---- devices ---- */

static void device_close(struct uring_device *device)
{
	if (device->ifindex)
		close(device->fd);
	*device = (struct uring_device){ 0 };
}

/* Address and MTU as they are now. An error if frames cannot be handed to it as they are. */
static int device_read(struct uring_device *device)
{
	struct ifreq ifr = { 0 };

	if (!if_indextoname((unsigned int)device->ifindex, ifr.ifr_name) ||
	    ioctl(device->fd, SIOCGIFFLAGS, &ifr) < 0)
		return -errno;
	if (!(ifr.ifr_flags & IFF_UP) || ifr.ifr_flags & (IFF_LOOPBACK | IFF_NOARP))
		return -EOPNOTSUPP;
	if (ioctl(device->fd, SIOCGIFMTU, &ifr) < 0)
		return -errno;
	device->mtu = ifr.ifr_mtu > 0 ? (uint32_t)ifr.ifr_mtu : 0;
	if (ioctl(device->fd, SIOCGIFHWADDR, &ifr) < 0)
		return -errno;
	memcpy(device->mac, ifr.ifr_hwaddr.sa_data, sizeof(device->mac));
	return ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER ? 0 : -EOPNOTSUPP;
}

/* It sends only: of protocol 0, it hears nothing. */
static int device_open(struct uring_device *device, int ifindex)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = ifindex };
	int err;

	device->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (device->fd < 0)
		return -errno;
	device->ifindex = ifindex;
	setsockopt(device->fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ SEND_BUFFER }, sizeof(int));
	setsockopt(device->fd, SOL_SOCKET, SO_PRIORITY, &(int){ INTERACTIVE }, sizeof(int));
	err = bind(device->fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno
								       : device_read(device);
	if (err)
		device_close(device);
	return err;
}

/* NULL: none that takes frames, or there are too many. */
static struct uring_device *device_get(struct uring_ways *ways, int ifindex)
{
	struct uring_device *place = NULL;

	for (uint32_t i = 0; i < URING_DEVICES; i++) {
		if (ways->devices[i].ifindex == ifindex)
			return &ways->devices[i];
		if (!ways->devices[i].ifindex && !place)
			place = &ways->devices[i];
	}
	return place && device_open(place, ifindex) == 0 ? place : NULL;
}

/* Nothing of the ways leads to a device any more when this is called. */
static void devices_reread(struct uring_ways *ways)
{
	for (uint32_t i = 0; i < URING_DEVICES; i++) {
		if (ways->devices[i].ifindex && device_read(&ways->devices[i]))
			device_close(&ways->devices[i]);
	}
}

/* ---- neighbours ---- */

struct neighbour_key {
	struct ip_addr ip;
	int ifindex;
};

static void neighbours_forget(struct uring_ways *ways)
{
	tandem_hash_clean(&ways->neighbours);
	tandem_hash_init(&ways->neighbours, sizeof(struct neighbour_key));
	ways->macs_free = TANDEM_NO_SLOT;
	ways->macs_fresh = 0;
	ways->gen++;
}

static void neighbour_lost(struct uring_ways *ways, const struct neighbour_key *key, uint32_t i)
{
	tandem_hash_remove(&ways->neighbours, key);
	ways->macs[i].next_free = ways->macs_free;
	ways->macs_free = i;
	ways->gen++;
}

/* One that there is no room for is not known, which does no harm. */
static void neighbour_new(struct uring_ways *ways, const struct neighbour_key *key,
			  const uint8_t *mac)
{
	uint32_t i = ways->macs_free;

	if (i == TANDEM_NO_SLOT && ways->macs_fresh == NEIGHBOURS)
		return;
	if (i == TANDEM_NO_SLOT)
		i = ways->macs_fresh;
	if (tandem_hash_set(&ways->neighbours, key, i))
		return;
	if (i == ways->macs_fresh)
		ways->macs_fresh++;
	else
		ways->macs_free = ways->macs[i].next_free;
	memcpy(ways->macs[i].mac, mac, sizeof(ways->macs[i].mac));
}

/* Most of what is told is that an entry is as good as before. */
static void neighbour_told(struct uring_ways *ways, const struct tandem_neighbour *n)
{
	const struct neighbour_key key = { .ip = n->ip, .ifindex = n->ifindex };
	uint32_t i = tandem_hash_get(&ways->neighbours, &key);

	if (i == TANDEM_HASH_NONE) {
		if (n->usable)
			neighbour_new(ways, &key, n->mac);
	} else if (!n->usable) {
		neighbour_lost(ways, &key, i);
	} else if (memcmp(ways->macs[i].mac, n->mac, sizeof(n->mac)) != 0) {
		memcpy(ways->macs[i].mac, n->mac, sizeof(n->mac));
		ways->gen++;
	}
}

/* ---- what the kernel tells ---- */

/* True when ways are void for another reason than a neighbour. */
static bool read_message(struct uring_ways *ways, const struct nlmsghdr *nlh)
{
	struct tandem_neighbour n;

	switch (nlh->nlmsg_type) {
	case NLMSG_DONE:
		return false;
	case NLMSG_ERROR: /* it could not tell of all neighbours just now */
		ways->unheard = true;
		return false;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		if (tandem_neighbour_read(nlh, &n))
			neighbour_told(ways, &n);
		return false;
	}
	return true;
}

static void read_messages(struct uring_ways *ways, const char *buf, ssize_t len)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	bool other = false;

	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len))
		other |= read_message(ways, nlh);
	if (other) {
		ways->gen++;
		devices_reread(ways);
	}
}

void tandem_uring_ways_listen(struct tandem_datapath *dp)
{
	_Alignas(struct nlmsghdr) char buf[8192];
	struct uring_ways *ways = &dp->ways;
	uint64_t now = dp->env.now_ns;
	ssize_t len;

	if (ways->listen_fd < 0 || now - ways->listened_ns < LISTEN_NS)
		return;
	ways->listened_ns = now;
	if (ways->unheard && tandem_neighbours_ask(ways->listen_fd) == 0)
		ways->unheard = false;
	for (int i = 0; i < READS; i++) {
		len = recv(ways->listen_fd, buf, sizeof(buf), 0);
		if (len > 0) {
			read_messages(ways, buf, len);
			continue;
		}
		if (len == 0 || errno != ENOBUFS)
			return;
		/* Something was said that will not be said again. */
		neighbours_forget(ways);
		devices_reread(ways);
		ways->unheard = true;
	}
}

/* ---- ways ---- */

/* Fills in all but the key and, as there may be none, leaves the device away; how long this holds. */
static uint64_t way_ask(struct uring_ways *ways, struct uring_way *way)
{
	const struct uring_device *device;
	struct neighbour_key key = { 0 };
	struct tandem_route route;
	uint32_t i;

	way->device = URING_DEVICES;
	if (tandem_route_find(ways->ask_fd, &way->remote, &way->local, &route))
		return RETRY_NS;
	device = device_get(ways, route.oif);
	if (!device)
		return AGE_NS;
	key.ip = route.next;
	key.ifindex = route.oif;
	i = tandem_hash_get(&ways->neighbours, &key);
	if (i == TANDEM_HASH_NONE)
		return RETRY_NS;
	way->device = (uint32_t)(device - ways->devices);
	way->mtu = route.mtu && route.mtu < device->mtu ? route.mtu : device->mtu;
	memcpy(way->dmac, ways->macs[i].mac, sizeof(way->dmac));
	return AGE_NS;
}

static bool may_ask(struct uring_ways *ways, uint64_t now)
{
	if (now < ways->asked_ns)
		return false;
	if (now - ways->asked_ns > ASK_BURST * ASK_NS)
		ways->asked_ns = now - ASK_BURST * ASK_NS;
	ways->asked_ns += ASK_NS;
	return true;
}

static bool way_is(const struct uring_way *way, const struct ip_addr *local,
		   const struct ip_addr *remote)
{
	return ip_addr_equal(&way->remote, remote) && ip_addr_equal(&way->local, local);
}

/* Its own place, or else the one whose time is up first. */
static struct uring_way *way_place(struct uring_ways *ways, const struct ip_addr *local,
				   const struct ip_addr *remote)
{
	uint32_t hash = env_mix(remote->d[0] ^ env_mix(remote->d[1]) ^
				((uint64_t)env_mix(local->d[0] ^ env_mix(local->d[1])) << 32));
	struct uring_way *place = NULL;

	for (uint32_t i = 0; i < PROBES; i++) {
		struct uring_way *way = &ways->ways[(hash + i) & (WAYS - 1)];

		if (way_is(way, local, remote))
			return way;
		if (!place || way->expires_ns < place->expires_ns)
			place = way;
	}
	return place;
}

const struct uring_way *tandem_uring_way(struct tandem_datapath *dp, const struct ip_addr *local,
					 const struct ip_addr *remote)
{
	struct uring_ways *ways = &dp->ways;
	uint64_t now = dp->env.now_ns;
	struct uring_way *way;

	if (!ways->ways)
		return NULL;
	way = way_place(ways, local, remote);
	if (way->gen == ways->gen && now < way->expires_ns && way_is(way, local, remote))
		return way->device == URING_DEVICES ? NULL : way;
	if (may_ask(ways, now)) {
		way->local = *local;
		way->remote = *remote;
		way->expires_ns = now + way_ask(ways, way);
		way->gen = ways->gen;
	}
	return NULL;
}

/* ---- life ---- */

void tandem_uring_ways_open(struct tandem_datapath *dp)
{
	struct uring_ways *ways = &dp->ways;

	ways->ask_fd = tandem_route_open(0);
	ways->listen_fd = tandem_route_open(GROUPS);
	ways->macs = tandem_sparse_alloc(NEIGHBOURS, sizeof(*ways->macs));
	if (ways->ask_fd >= 0 && ways->listen_fd >= 0 && ways->macs)
		ways->ways = tandem_sparse_alloc(WAYS, sizeof(*ways->ways));
	neighbours_forget(ways);
	ways->unheard = true;
}

void tandem_uring_ways_close(struct tandem_datapath *dp)
{
	struct uring_ways *ways = &dp->ways;

	for (uint32_t i = 0; i < URING_DEVICES; i++)
		device_close(&ways->devices[i]);
	if (ways->ask_fd >= 0)
		close(ways->ask_fd);
	if (ways->listen_fd >= 0)
		close(ways->listen_fd);
	tandem_hash_clean(&ways->neighbours);
	tandem_sparse_free(ways->macs, NEIGHBOURS, sizeof(*ways->macs));
	tandem_sparse_free(ways->ways, WAYS, sizeof(*ways->ways));
	*ways = (struct uring_ways){ .ask_fd = -1, .listen_fd = -1 };
}
