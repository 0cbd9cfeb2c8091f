/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/port.h"

#include <errno.h>
#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/util/log.h"

#define MODULE	    "port"
#define DESCRIPTORS 1024
#define POOL_CACHE  256
#define MBUFS_MIN   8191
#define CHAIN_MIN   1200 /* two mbufs cost more than copying what is shorter */
#define RSS_WANTED  (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP)

static int queues_setup(uint16_t id, uint16_t rx, uint16_t tx, struct rte_mempool *pool)
{
	int socket = rte_eth_dev_socket_id(id), err;
	uint16_t rx_desc = DESCRIPTORS, tx_desc = DESCRIPTORS;

	err = rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx_desc, &tx_desc);
	for (uint16_t q = 0; q < rx && !err; q++)
		err = rte_eth_rx_queue_setup(id, q, rx_desc, (unsigned int)socket, NULL, pool);
	for (uint16_t q = 0; q < tx && !err; q++)
		err = rte_eth_tx_queue_setup(id, q, tx_desc, (unsigned int)socket, NULL);
	return err;
}

static int ethdev_start(uint16_t id, uint16_t rx, uint16_t tx, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	int err = rte_eth_dev_info_get(id, &info);

	if (err)
		return err;
	conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (rx > 1 && info.flow_type_rss_offloads & RSS_WANTED) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = RSS_WANTED & info.flow_type_rss_offloads;
	}
	err = rte_eth_dev_configure(id, rx, tx, &conf);
	if (!err)
		err = queues_setup(id, rx, tx, pool);
	return err ? err : rte_eth_dev_start(id);
}

/* The entry of port n in the list: "tap:NAME", cut at the comma. False: there is none. */
static bool exception_of(const char *list, uint32_t n, char *text, size_t size)
{
	while (list && *list) {
		char *end;
		unsigned long port = strtoul(list, &end, 10);

		if (end != list && *end == '=' && port == n) {
			snprintf(text, size, "%.*s", (int)strcspn(end + 1, ","), end + 1);
			return true;
		}
		list += strcspn(list, ",");
		list += *list == ',';
	}
	return false;
}

static int exception_create(struct dpdk_port *port, const char *kind, char *name, size_t size)
{
	char args[128];

	if (!strcmp(kind, "tap")) {
		snprintf(name, size, "net_tap_exception%u", port->id);
		snprintf(args, sizeof(args), "iface=%s", port->device);
	} else if (!strcmp(kind, "virtio")) {
		snprintf(name, size, "virtio_user_exception%u", port->id);
		snprintf(args, sizeof(args),
			 "path=/dev/vhost-net,queues=1,queue_size=1024,iface=%s", port->device);
	} else {
		return -EINVAL;
	}
	return rte_vdev_init(name, args);
}

/*
 * The kernel's device takes the address of the NIC, whose frames are for it. Where the
 * kernel drives the NIC besides (af_packet), two devices of one address would both answer:
 * there the device keeps its own, and the port takes frames for every address.
 */
static int exception_address(const struct dpdk_port *port)
{
	struct rte_ether_addr mac;
	int err;

	if (port->ifindex) {
		err = rte_eth_promiscuous_enable(port->id);
		return err == -ENOTSUP ? 0 : err;
	}
	err = rte_eth_macaddr_get(port->id, &mac);
	return err ? err : rte_eth_dev_default_mac_addr_set(port->exception, &mac);
}

/*
 * Groups that media comes from, and neighbour discovery, which asks by multicast: the host's
 * kernel joins groups, but the NIC is not its own. What goes nowhere is dropped or punted.
 */
static void multicast_receive(const struct dpdk_port *port, uint32_t n)
{
	if (rte_eth_allmulticast_enable(port->id) && rte_eth_promiscuous_enable(port->id))
		tandem_log(TANDEM_LOG_WARNING, MODULE,
			   "port %u: its driver cannot be told to receive multicast", n);
}

static int exception_open(struct dpdk_port *port, const char *text, struct rte_mempool *pool)
{
	const char *colon = strchr(text, ':');
	char kind[16], name[RTE_ETH_NAME_MAX_LEN];
	int err;

	if (!strcmp(text, "none"))
		return 0;
	if (!colon || !colon[1] || strlen(colon + 1) >= sizeof(port->device))
		return -EINVAL;
	snprintf(kind, sizeof(kind), "%.*s", (int)(colon - text), text);
	snprintf(port->device, sizeof(port->device), "%s", colon + 1);
	err = exception_create(port, kind, name, sizeof(name));
	if (!err)
		err = rte_eth_dev_get_port_by_name(name, &port->exception);
	if (!err)
		err = exception_address(port);
	return err ? err : ethdev_start(port->exception, 1, 1, pool);
}

/* What the EAL found, and how many workers all of it can serve. */
static int ports_find(struct dpdk_ports *ports, uint16_t lcores)
{
	struct rte_eth_dev_info info;
	uint16_t id;
	int err;

	ports->workers = lcores;
	ports->chain_min = CHAIN_MIN;
	RTE_ETH_FOREACH_DEV(id)
	{
		struct dpdk_port *port = &ports->port[ports->count];

		if (ports->count == DPDK_MAX_PORTS)
			return -ENOSPC;
		err = rte_eth_dev_info_get(id, &info);
		if (err)
			return err;
		port->id = id;
		port->ifindex = (int)info.if_index;
		port->exception = DPDK_NO_EXCEPTION;
		rte_spinlock_init(&port->exception_lock);
		ports->workers = RTE_MIN(ports->workers, info.max_tx_queues);
		if (!(info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS))
			ports->chain_min = UINT32_MAX;
		ports->count++;
	}
	return ports->count ? 0 : -ENODEV;
}

static int pool_create(struct dpdk_ports *ports)
{
	unsigned int n = RTE_MAX(4U * DESCRIPTORS * ports->count * ports->workers,
				 (unsigned int)MBUFS_MIN);

	ports->pool = rte_pktmbuf_pool_create("tandem_frames", n, POOL_CACHE, 0,
					      RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!ports->pool)
		return -rte_errno;
	ports->clones = rte_pktmbuf_pool_create("tandem_clones", n, POOL_CACHE, 0, 0,
						SOCKET_ID_ANY);
	return ports->clones ? 0 : -rte_errno;
}

static int port_open(struct dpdk_ports *ports, uint32_t n, const char *exceptions, char *why,
		     size_t why_size)
{
	struct dpdk_port *port = &ports->port[n];
	struct rte_eth_dev_info info;
	char text[64];
	int err = rte_eth_dev_info_get(port->id, &info);

	if (err)
		return err;
	/*
	 * Packets of one 5-tuple must stay on one worker. RSS does that, and so does the
	 * kernel's fanout for af_packet; what has neither delivers all to the first queue.
	 */
	port->rx_queues = RTE_MIN(info.max_rx_queues, ports->workers);
	err = ethdev_start(port->id, port->rx_queues, ports->workers, ports->pool);
	if (err) {
		snprintf(why, why_size, "port %u (%s) does not start: %s", n, info.driver_name,
			 rte_strerror(-err));
		return err;
	}
	multicast_receive(port, n);
	if (exception_of(exceptions, n, text, sizeof(text)))
		err = exception_open(port, text, ports->pool);
	if (err) {
		snprintf(why, why_size, "exception path \"%s\" of port %u: %s", text, n,
			 rte_strerror(-err));
		return err;
	}
	tandem_log(TANDEM_LOG_INFO, MODULE, "port %u: %s, %u receive queues, punts to %s", n,
		   info.driver_name, port->rx_queues, port->device[0] ? port->device : "nowhere");
	return 0;
}

int dpdk_ports_open(struct dpdk_ports *ports, const char *exceptions, uint16_t lcores, char *why,
		    size_t why_size)
{
	int err;

	memset(ports, 0, sizeof(*ports));
	err = ports_find(ports, lcores);
	if (!err)
		err = pool_create(ports);
	if (err) {
		snprintf(why, why_size, "%s",
			 err == -ENODEV ? "the EAL found no port" : rte_strerror(-err));
		return err;
	}
	for (uint32_t n = 0; n < ports->count && !err; n++)
		err = port_open(ports, n, exceptions, why, why_size);
	return err;
}

void dpdk_ports_close(struct dpdk_ports *ports)
{
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	{
		rte_eth_dev_stop(id);
		rte_eth_dev_close(id);
	}
	ports->count = 0;
}

int dpdk_ports_link(const struct dpdk_ports *ports, struct dpdk_hops *hops)
{
	for (uint32_t n = 0; n < ports->count; n++) {
		const struct dpdk_port *port = &ports->port[n];
		unsigned int device = if_nametoindex(port->device);
		int err = 0;

		if (device)
			err = dpdk_hops_link(hops, (int)device, n, 0);
		else if (port->ifindex)
			err = dpdk_hops_link(hops, port->ifindex, n, 0);
		if (err)
			return err;
	}
	return 0;
}
