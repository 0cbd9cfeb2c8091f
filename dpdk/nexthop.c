/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/nexthop.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <rte_errno.h>
#include <rte_jhash.h>
#include <rte_ring_elem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/addr.h"
#include "userspace/datapath/netlink.h"
#include "userspace/datapath/route.h"
#include "userspace/util/endpoint.h"
#include "userspace/util/sparse.h"

#define HOPS	   65536 /* a power of two */
#define PROBES	   16
#define HOP_LINKS  64
#define HOP_ADDRS  256
#define MISSES	   1024 /* questions of workers on their way; a power of two */
#define SLICE	   256	/* entries refreshed at a tick */
#define SOUGHT	   256
#define REFRESH_NS 1000000000ULL
#define RETRY_NS   10000000ULL	  /* what has no way: not asked for again sooner, for rules */
#define IDLE_NS	   10000000000ULL /* unused for so long: not refreshed any more */
#define GROUPS                                                                                     \
	(RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | \
	 RTMGRP_IPV6_IFADDR)

struct hop_key {
	struct ip_addr remote;
	struct ip_addr local;
};

/* seq: 0 while free, odd while the control thread writes it. */
struct hop_entry {
	uint32_t seq;
	uint32_t reason; /* REASON_COUNT: there is a way */
	struct hop_key key;
	struct nexthop nh;
	uint64_t used_ns; /* by a worker */
	uint64_t asked_ns;
};

struct hop_link {
	int ifindex;
	uint32_t port;
	uint16_t vlan_tci;
	uint16_t mtu;
	uint8_t mac[6];
	bool found; /* a VLAN device, not one that was named */
};

/* An address that the kernel has on one of the links. */
struct hop_addr {
	struct ip_addr ip;
	int ifindex;
};

struct dpdk_hops {
	struct hop_entry *entries;
	struct rte_ring *misses; /* struct hop_key each */
	struct hop_link links[HOP_LINKS];
	uint32_t links_count;
	struct hop_addr addrs[HOP_ADDRS];
	uint32_t addrs_count;
	uint32_t cursor;	       /* where refreshing goes on */
	uint64_t stale_ns;	       /* what was asked for before this is old */
	struct hop_key sought[SOUGHT]; /* of rules, without a neighbour when they were set */
	uint32_t sought_count;
	int ask_fd;
	int listen_fd;
};

int dpdk_hops_alloc(struct dpdk_hops **hopsp)
{
	struct dpdk_hops *hops = calloc(1, sizeof(*hops));
	char name[RTE_RING_NAMESIZE];
	int err = 0;

	if (!hops)
		return -ENOMEM;
	hops->listen_fd = -1;
	hops->ask_fd = tandem_route_open(0);
	if (hops->ask_fd >= 0)
		hops->listen_fd = tandem_route_open(GROUPS);
	if (hops->ask_fd < 0 || hops->listen_fd < 0)
		err = hops->ask_fd < 0 ? hops->ask_fd : hops->listen_fd;
	snprintf(name, sizeof(name), "hops_%p", (void *)hops);
	hops->entries = tandem_sparse_alloc(HOPS, sizeof(*hops->entries));
	hops->misses = rte_ring_create_elem(name, sizeof(struct hop_key), MISSES, SOCKET_ID_ANY,
					    RING_F_SC_DEQ);
	if (!err && !(hops->entries && hops->misses))
		err = -ENOMEM;
	if (err) {
		dpdk_hops_free(hops);
		return err;
	}
	*hopsp = hops;
	return 0;
}

void dpdk_hops_free(struct dpdk_hops *hops)
{
	if (!hops)
		return;
	if (hops->ask_fd >= 0)
		close(hops->ask_fd);
	if (hops->listen_fd >= 0)
		close(hops->listen_fd);
	rte_ring_free(hops->misses);
	tandem_sparse_free(hops->entries, HOPS, sizeof(*hops->entries));
	free(hops);
}

int dpdk_hops_fd(const struct dpdk_hops *hops)
{
	return hops->listen_fd;
}

/* ---- interfaces ---- */

/* MTU and address of the interface, as they are now. */
static void link_read(struct hop_link *link)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (if_indextoname((unsigned int)link->ifindex, ifr.ifr_name)) {
		if (!ioctl(fd, SIOCGIFMTU, &ifr))
			link->mtu = ifr.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)ifr.ifr_mtu;
		if (!ioctl(fd, SIOCGIFHWADDR, &ifr))
			memcpy(link->mac, ifr.ifr_hwaddr.sa_data, sizeof(link->mac));
	}
	close(fd);
}

static struct hop_link *link_find(struct dpdk_hops *hops, int ifindex)
{
	for (uint32_t i = 0; i < hops->links_count; i++) {
		if (hops->links[i].ifindex == ifindex)
			return &hops->links[i];
	}
	return NULL;
}

static int link_add(struct dpdk_hops *hops, int ifindex, uint32_t port, uint16_t vlan_tci,
		    bool found)
{
	struct hop_link *link = &hops->links[hops->links_count];

	if (hops->links_count == HOP_LINKS)
		return -ENOSPC;
	*link = (struct hop_link){
		.ifindex = ifindex, .port = port, .vlan_tci = vlan_tci, .found = found
	};
	link_read(link);
	hops->links_count++;
	return 0;
}

static void vlan_h(const struct tandem_link *device, void *arg)
{
	struct dpdk_hops *hops = arg;
	struct hop_link *lower = device->vlan ? link_find(hops, device->lower) : NULL;

	if (lower && !lower->vlan_tci)
		link_add(hops, device->ifindex, lower->port, device->vlan, true);
}

/* Which address is on which link: what says where packets to a group leave. */
static void addrs_rescan(struct dpdk_hops *hops)
{
	struct ifaddrs *list, *i;

	hops->addrs_count = 0;
	if (getifaddrs(&list))
		return;
	for (i = list; i && hops->addrs_count < HOP_ADDRS; i = i->ifa_next) {
		struct hop_addr *addr = &hops->addrs[hops->addrs_count];
		struct tandem_endpoint ep;

		if (!i->ifa_addr || tandem_endpoint_from_sockaddr(&ep, i->ifa_addr))
			continue;
		addr->ip = ep.ip;
		addr->ifindex = (int)if_nametoindex(i->ifa_name);
		if (link_find(hops, addr->ifindex))
			hops->addrs_count++;
	}
	freeifaddrs(list);
}

static void links_rescan(struct dpdk_hops *hops)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < hops->links_count; i++) {
		if (hops->links[i].found)
			continue;
		hops->links[kept] = hops->links[i];
		link_read(&hops->links[kept++]);
	}
	hops->links_count = kept;
	tandem_netlink_links(vlan_h, hops);
	addrs_rescan(hops);
}

int dpdk_hops_link(struct dpdk_hops *hops, int ifindex, uint32_t port, uint16_t vlan_tci)
{
	int err = link_add(hops, ifindex, port, vlan_tci, false);

	if (!err)
		links_rescan(hops);
	return err;
}

/* ---- the table ---- */

static uint32_t key_hash(const struct hop_key *key)
{
	return rte_jhash_32b((const uint32_t *)key, sizeof(*key) / 4, 0);
}

static bool key_equal(const struct hop_key *a, const struct hop_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* A copy of an entry that was not being written; false when it was, or is free. */
static bool entry_copy(const struct hop_entry *e, struct hop_entry *copy)
{
	uint32_t seq = __atomic_load_n(&e->seq, __ATOMIC_ACQUIRE);

	if (!seq || seq & 1)
		return false;
	*copy = *e;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&e->seq, __ATOMIC_RELAXED) == seq;
}

uint32_t dpdk_hops_get(struct dpdk_hops *hops, const struct ip_addr *remote,
		       const struct ip_addr *local, uint32_t l3_len, struct nexthop *nh,
		       uint64_t now_ns)
{
	struct hop_key key = { *remote, *local };
	uint32_t hash = key_hash(&key);
	struct hop_entry copy;

	for (uint32_t i = 0; i < PROBES; i++) {
		struct hop_entry *e = &hops->entries[(hash + i) & (HOPS - 1)];

		if (!entry_copy(e, &copy) || !key_equal(&copy.key, &key))
			continue;
		__atomic_store_n(&e->used_ns, now_ns, __ATOMIC_RELAXED);
		if (copy.reason != REASON_COUNT)
			return copy.reason;
		if (copy.nh.mtu && l3_len > copy.nh.mtu)
			return REASON_too_big;
		*nh = copy.nh;
		return REASON_COUNT;
	}
	rte_ring_enqueue_elem(hops->misses, &key, sizeof(key));
	return REASON_no_neighbour;
}

static void hop_from(struct nexthop *nh, const struct hop_link *link)
{
	nh->ifindex = link->port + 1;
	nh->vlan_tci = link->vlan_tci;
	nh->mtu = link->mtu;
	memcpy(nh->smac, link->mac, sizeof(nh->smac));
}

/* A group is on every link; the one that the sender's address is on is meant. */
static uint32_t group_hop(struct dpdk_hops *hops, const struct hop_key *key, struct nexthop *nh)
{
	for (uint32_t i = 0; i < hops->addrs_count; i++) {
		const struct hop_link *link = link_find(hops, hops->addrs[i].ifindex);

		if (!link || !ip_addr_equal(&hops->addrs[i].ip, &key->local))
			continue;
		hop_from(nh, link);
		group_mac(&key->remote, nh->dmac);
		return REASON_COUNT;
	}
	return REASON_no_route;
}

static uint32_t ask_kernel(struct dpdk_hops *hops, const struct hop_key *key, struct nexthop *nh)
{
	const struct hop_link *link;
	struct tandem_route route;

	memset(nh, 0, sizeof(*nh));
	if (ip_addr_is_group(&key->remote))
		return group_hop(hops, key, nh);
	if (tandem_route_find(hops->ask_fd, &key->remote, &key->local, &route))
		return REASON_no_route;
	link = link_find(hops, route.oif);
	if (!link)
		return REASON_no_egress_port;
	if (tandem_neighbour_find(hops->ask_fd, route.oif, &route.next, nh->dmac))
		return REASON_no_neighbour;
	hop_from(nh, link);
	if (route.mtu && route.mtu < link->mtu)
		nh->mtu = (uint16_t)route.mtu;
	return REASON_COUNT;
}

/* Where key is or shall be: its own entry, else a free one, else the one longest unused. */
static struct hop_entry *entry_place(struct dpdk_hops *hops, const struct hop_key *key)
{
	struct hop_entry *place = NULL;
	uint32_t hash = key_hash(key);

	for (uint32_t i = 0; i < PROBES; i++) {
		struct hop_entry *e = &hops->entries[(hash + i) & (HOPS - 1)];

		if (e->seq && key_equal(&e->key, key))
			return e;
		if (!place || (place->seq && (!e->seq || e->used_ns < place->used_ns)))
			place = e;
	}
	return place;
}

static void entry_ask(struct dpdk_hops *hops, struct hop_entry *e, const struct hop_key *key,
		      uint64_t now_ns)
{
	bool other = !e->seq || !key_equal(&e->key, key);
	struct nexthop nh;
	uint32_t reason = ask_kernel(hops, key, &nh), seq = e->seq | 1;

	__atomic_store_n(&e->seq, seq, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	e->key = *key;
	e->reason = reason;
	e->nh = nh;
	e->asked_ns = now_ns;
	if (other)
		e->used_ns = now_ns;
	__atomic_store_n(&e->seq, seq + 1 ? seq + 1 : 2, __ATOMIC_RELEASE);
}

/* Have the kernel look for the neighbour; it is asked again as soon as something has changed. */
static void neighbour_seek(struct dpdk_hops *hops, const struct hop_key *key)
{
	struct tandem_route route;

	if (hops->sought_count < SOUGHT)
		hops->sought[hops->sought_count++] = *key;
	if (!tandem_route_find(hops->ask_fd, &key->remote, &key->local, &route))
		tandem_neighbour_seek(hops->ask_fd, route.oif, &route.next);
}

void dpdk_hops_resolve(struct dpdk_hops *hops, const struct ip_addr *remote,
		       const struct ip_addr *local, uint64_t now_ns)
{
	struct hop_key key = { *remote, *local };
	struct hop_entry *e = entry_place(hops, &key);

	/* Many legs and many flows go to one address. */
	if (e->seq && key_equal(&e->key, &key) && e->asked_ns >= hops->stale_ns &&
	    now_ns - e->asked_ns < (e->reason == REASON_COUNT ? REFRESH_NS : RETRY_NS))
		return;
	entry_ask(hops, e, &key, now_ns);
	if (e->reason == REASON_no_neighbour)
		neighbour_seek(hops, &key);
}

/* ---- keeping it right ---- */

static void misses_answer(struct dpdk_hops *hops, uint64_t now_ns)
{
	struct hop_entry *e;
	struct hop_key key;

	/* Many packets of one burst ask for the same. */
	while (!rte_ring_dequeue_elem(hops->misses, &key, sizeof(key))) {
		e = entry_place(hops, &key);
		if (!e->seq || !key_equal(&e->key, &key))
			entry_ask(hops, e, &key, now_ns);
	}
}

/* Those whose neighbour was found, or not for long, are left to the refresh. */
static void sought_answer(struct dpdk_hops *hops, uint64_t now_ns)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < hops->sought_count; i++) {
		const struct hop_key key = hops->sought[i];
		struct hop_entry *e = entry_place(hops, &key);

		if (!e->seq || !key_equal(&e->key, &key) || e->reason != REASON_no_neighbour ||
		    now_ns - e->used_ns > IDLE_NS)
			continue;
		if (e->asked_ns < now_ns)
			entry_ask(hops, e, &key, now_ns);
		if (e->reason == REASON_no_neighbour)
			hops->sought[kept++] = key;
	}
	hops->sought_count = kept;
}

static bool kernel_changed(const struct dpdk_hops *hops)
{
	char buf[8192];
	bool changed = false;
	ssize_t len;

	/* Full buffers too (ENOBUFS) mean that something has changed. */
	while ((len = recv(hops->listen_fd, buf, sizeof(buf), 0)) > 0 ||
	       (len < 0 && errno == ENOBUFS))
		changed = true;
	return changed;
}

void dpdk_hops_tick(struct dpdk_hops *hops, uint64_t now_ns)
{
	uint32_t asked = 0;

	if (kernel_changed(hops)) {
		links_rescan(hops);
		hops->stale_ns = now_ns;
		sought_answer(hops, now_ns);
	}
	misses_answer(hops, now_ns);
	for (uint32_t i = 0; i < HOPS / 16 && asked < SLICE; i++) {
		struct hop_entry *e = &hops->entries[hops->cursor++ & (HOPS - 1)];
		struct hop_key key;

		if (!e->seq || now_ns - e->used_ns > IDLE_NS)
			continue;
		if (e->asked_ns >= hops->stale_ns && now_ns - e->asked_ns < REFRESH_NS)
			continue;
		key = e->key;
		entry_ask(hops, e, &key, now_ns);
		asked++;
	}
}
