/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/addr.h"
#include "userspace/datapath/netlink.h"
#include "userspace/datapath/xdp.h"
#include "userspace/util/log.h"

#define MODULE	      "xdp"
#define TX_REFRESH_NS 1000000000ULL

/* As bpf/maps.bpf.h has them. */
struct vlan_device {
	uint32_t ifindex;
	uint16_t tci;
	uint16_t pad;
};

struct local_device {
	uint32_t ifindex;
	uint16_t mtu;
	uint16_t vlan_tci;
	uint8_t mac[6];
	uint16_t pad;
};

/* What is learnt of the interfaces in one go. */
struct scan {
	struct tandem_datapath *dp;
	struct tandem_link *links;
	size_t count;
	struct local_device locals[TANDEM_MAX_LOCALS];
};

static const struct xdp_interface *ours(const struct tandem_datapath *dp, int ifindex)
{
	for (size_t i = 0; i < dp->interfaces_count; i++) {
		if (dp->interfaces[i].ifindex == ifindex)
			return &dp->interfaces[i];
	}
	return NULL;
}

/* ---- VLAN devices, and devices of media addresses ---- */

static void vlan_write(const struct tandem_datapath *dp, const struct tandem_link *link)
{
	const uint32_t key = (uint32_t)link->ifindex;
	const struct vlan_device value = { .ifindex = (uint32_t)link->lower, .tci = link->vlan };

	if (link->vlan && ours(dp, link->lower))
		bpf_map_update_elem(tandem_xdp_vlans_fd(dp), &key, &value, BPF_ANY);
}

static void link_h(const struct tandem_link *link, void *arg)
{
	struct scan *scan = arg;
	struct tandem_link *more;

	vlan_write(scan->dp, link);
	more = realloc(scan->links, (scan->count + 1) * sizeof(*more));
	if (!more)
		return;
	scan->links = more;
	scan->links[scan->count++] = *link;
}

static void device_of(struct local_device *device, const struct tandem_link *link)
{
	device->ifindex = (uint32_t)(link->vlan ? link->lower : link->ifindex);
	device->vlan_tci = link->vlan;
	device->mtu = (uint16_t)(link->mtu < UINT16_MAX ? link->mtu : UINT16_MAX);
	memcpy(device->mac, link->mac, sizeof(device->mac));
}

static void address_h(const struct ip_addr *ip, int ifindex, void *arg)
{
	struct scan *scan = arg;
	const struct relay_config *relay = &scan->dp->table.relay;

	for (uint32_t i = 0; i < relay->locals_count; i++) {
		if (!ip_addr_equal(&relay->locals[i], ip))
			continue;
		for (size_t k = 0; k < scan->count; k++) {
			if (scan->links[k].ifindex == ifindex)
				device_of(&scan->locals[i], &scan->links[k]);
		}
	}
}

/* Those that are as they were are not written, for programs read them meanwhile. */
static void locals_write(const struct scan *scan)
{
	int fd = tandem_xdp_local_devices_fd(scan->dp);
	struct local_device there;

	for (uint32_t i = 0; i < TANDEM_MAX_LOCALS; i++) {
		if (bpf_map_lookup_elem(fd, &i, &there) == 0 &&
		    memcmp(&there, &scan->locals[i], sizeof(there)) == 0)
			continue;
		bpf_map_update_elem(fd, &i, &scan->locals[i], BPF_ANY);
	}
}

static void scan_links(struct tandem_datapath *dp)
{
	struct scan scan = { .dp = dp };

	/* What cannot be asked for now stays as it was. */
	if (tandem_netlink_links(link_h, &scan) == 0 &&
	    tandem_netlink_addresses(address_h, &scan) == 0)
		locals_write(&scan);
	free(scan.links);
}

/* ---- devices ---- */

/*
 * A driver that cannot take redirected frames drops them, while a frame without a
 * way out is punted and so still arrives. A veth can take them once its peer has
 * an XDP program, which may come at any time; from generic mode, all can.
 */
static bool can_send(const struct tandem_datapath *dp, const struct xdp_interface *to)
{
	uint64_t features;
	bool native = false;

	for (size_t i = 0; i < dp->interfaces_count; i++)
		native |= dp->interfaces[i].native;
	return !native || tandem_netlink_xdp_features(to->ifindex, &features) ||
	       features & TANDEM_XDP_XMIT;
}

static void tx_remove(struct tandem_datapath *dp, struct xdp_interface *to)
{
	const uint32_t key = (uint32_t)to->ifindex;

	to->tx = false;
	bpf_map_delete_elem(tandem_xdp_tx_ports_fd(dp), &key);
	tandem_log(TANDEM_LOG_WARNING, MODULE,
		   "%s cannot take redirected frames; what leaves there goes through io_uring",
		   to->name);
}

/* Let frames out by devices that are new. Without their copies' ways (err) they stay out. */
static void tx_enter(struct tandem_datapath *dp, struct xdp_interface *to, int err)
{
	if (!err)
		err = tandem_xdp_tx_write(dp, to);
	if (err)
		tx_remove(dp, to);
	else
		tandem_log(TANDEM_LOG_INFO, MODULE, "%s takes redirected frames", to->name);
}

static void tx_update(struct tandem_datapath *dp, bool first)
{
	bool moved = first;
	int err;

	for (size_t i = 0; i < dp->interfaces_count; i++) {
		struct xdp_interface *to = &dp->interfaces[i];
		bool tx = can_send(dp, to);

		to->tx_new = tx && !to->tx;
		moved |= tx != to->tx;
		if (!tx && (to->tx || first))
			tx_remove(dp, to);
		to->tx = tx;
	}
	if (!moved)
		return;
	err = tandem_xdp_copies_renew(dp);
	for (size_t i = 0; i < dp->interfaces_count; i++) {
		if (dp->interfaces[i].tx_new)
			tx_enter(dp, &dp->interfaces[i], err);
	}
}

static void tx_scan(struct tandem_datapath *dp, bool first)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
	if (!first && now - dp->tx_checked_ns < TX_REFRESH_NS)
		return;
	tx_update(dp, first);
	scan_links(dp);
	dp->tx_checked_ns = now;
}

/* Ways out that an earlier run had and this one has not. */
static void drop_stale(const struct tandem_datapath *dp)
{
	int fd = tandem_xdp_tx_ports_fd(dp);
	uint32_t key, next;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (!ours(dp, (int)key))
			bpf_map_delete_elem(fd, &key);
	}
}

void tandem_xdp_tx_open(struct tandem_datapath *dp)
{
	drop_stale(dp);
	tx_scan(dp, true);
}

void tandem_xdp_tx_refresh(struct tandem_datapath *dp)
{
	tx_scan(dp, false);
}
