/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NET	   10U
#define SOURCE_ONE 100
#define ENDPOINTS  50000 /* ports of the source and of the sink */
#define END_BASE   10000

int tandem_lab_shell(const char *fmt, ...)
{
	char cmd[4096];
	va_list ap;
	int rc;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	rc = system(cmd);
	if (rc)
		fprintf(stderr, "bench: failed: %s\n", cmd);
	return rc ? -EIO : 0;
}

int tandem_lab_enter(int ns)
{
	return setns(ns, CLONE_NEWNET) ? -errno : 0;
}

static int present_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A namespace lives as long as its descriptor. Leaves the caller in the new one. */
static int new_namespace(void)
{
	if (unshare(CLONE_NEWNET))
		return -errno;
	if (tandem_lab_shell("ip link set lo up && sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "
			     "net.ipv6.conf.default.disable_ipv6=1"))
		return -EIO;
	return present_namespace();
}

int tandem_lab_mac(const char *name, uint8_t mac[6])
{
	struct ifreq req = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFHWADDR, &req))
		err = -errno;
	else
		memcpy(mac, req.ifr_hwaddr.sa_data, 6);
	close(fd);
	return err;
}

int tandem_lab_device(const char *name, struct rtnl_link_stats *stats)
{
	struct ifaddrs *list, *a;
	int err = -ENODEV;

	if (getifaddrs(&list))
		return -errno;
	for (a = list; a; a = a->ifa_next) {
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_PACKET && a->ifa_data &&
		    strcmp(a->ifa_name, name) == 0) {
			memcpy(stats, a->ifa_data, sizeof(*stats));
			err = 0;
			break;
		}
	}
	freeifaddrs(list);
	return err;
}

/*
 * veth from `name` here to `peer` in another namespace. Whatever the stack sends computes
 * its checksums, as it would for a NIC without offloads, and nothing is merged.
 */
static int veth(const char *name, const char *peer, int peer_ns)
{
	return tandem_lab_shell(
		"ip link add %s type veth peer name %s netns /proc/%d/fd/%d && "
		"ethtool -K %s tx off gso off gro off tso off >/dev/null 2>&1; "
		"nsenter --net=/proc/%d/fd/%d ethtool -K %s tx off gso off gro off tso off "
		">/dev/null 2>&1; "
		"ip link set %s up && nsenter --net=/proc/%d/fd/%d ip link set %s up",
		name, peer, (int)getpid(), peer_ns, name, (int)getpid(), peer_ns, peer, name,
		(int)getpid(), peer_ns, peer);
}

/* The two ends of a lane, in source and sink; mac is the next hop's. */
static int lane_end(int ns, const char *name, size_t lane, int side, const uint8_t next[6])
{
	int err = tandem_lab_enter(ns);

	if (err)
		return err;
	return tandem_lab_shell("ip addr add %u.%zu.%d.%d/24 dev %s && "
				"for i in $(seq 1 %d); do ip neigh replace %u.%zu.%d.$i lladdr "
				"%02x:%02x:%02x:%02x:%02x:%02x dev %s nud permanent; done",
				NET, lane, side, SOURCE_ONE, name, LAB_LOCALS, NET, lane, side,
				next[0], next[1], next[2], next[3], next[4], next[5], name);
}

static int relay_side(const char *name, size_t lane, int side, const uint8_t far[6])
{
	return tandem_lab_shell(
		"for i in $(seq 1 %d); do ip addr add %u.%zu.%d.$i/24 dev %s; done && "
		"ip neigh replace %u.%zu.%d.%d lladdr %02x:%02x:%02x:%02x:%02x:%02x dev %s nud "
		"permanent",
		LAB_LOCALS, NET, lane, side, name, NET, lane, side, SOURCE_ONE, far[0], far[1],
		far[2], far[3], far[4], far[5], name);
}

/* Sources are checked by the relays, not by the routes here. */
static int relay_settings(void)
{
	return tandem_lab_shell("sysctl -qw net.ipv4.conf.all.rp_filter=0 "
				"net.ipv4.conf.default.rp_filter=0");
}

static int names(struct lab_lane *at, const char *gen, const char *rx, struct lab *lab)
{
	int err = tandem_lab_enter(lab->source);

	at->gen_ifindex = if_nametoindex(gen);
	if (!err)
		err = tandem_lab_mac(gen, at->gen_mac);
	if (!err)
		err = tandem_lab_enter(lab->sink);
	at->rx_ifindex = if_nametoindex(rx);
	return err ? err : tandem_lab_mac(rx, at->rx_mac);
}

static int direct_lane(struct lab *lab)
{
	struct lab_lane *at = &lab->lanes[0];
	int err = tandem_lab_enter(lab->source);

	at->ns = -1;
	if (!err)
		err = veth("gen0", "rx0", lab->sink);
	if (!err)
		err = names(at, "gen0", "rx0", lab);
	memcpy(at->in_mac, at->rx_mac, 6);
	lab->lanes_count = 1;
	return err;
}

int tandem_lab_lane(struct lab *lab)
{
	size_t k = lab->lanes_count;
	struct lab_lane *at = &lab->lanes[k];
	char gen[IFNAMSIZ], rx[IFNAMSIZ];
	int err;

	if (k >= LAB_MAX_LANES)
		return -ENOSPC;
	snprintf(gen, sizeof(gen), "gen%zu", k);
	snprintf(rx, sizeof(rx), "rx%zu", k);
	at->ns = new_namespace();
	if (at->ns < 0)
		return at->ns;
	lab->lanes_count++;
	err = veth("in0", gen, lab->source);
	if (!err)
		err = veth("out0", rx, lab->sink);
	if (!err)
		err = tandem_lab_mac("in0", at->in_mac);
	if (!err)
		err = tandem_lab_mac("out0", at->out_mac);
	if (!err)
		err = names(at, gen, rx, lab);
	if (!err)
		err = tandem_lab_enter(at->ns);
	if (!err)
		err = relay_side("in0", k, 1, at->gen_mac);
	if (!err)
		err = relay_side("out0", k, 2, at->rx_mac);
	if (!err)
		err = relay_settings();
	if (!err)
		err = lane_end(lab->source, gen, k, 1, at->in_mac);
	if (!err)
		err = lane_end(lab->sink, rx, k, 2, at->out_mac);
	return err ? err : (int)k;
}

int tandem_lab_open(struct lab *lab)
{
	memset(lab, 0, sizeof(*lab));
	lab->source = lab->sink = -1;
	lab->home = present_namespace();
	if (lab->home < 0)
		return lab->home;
	lab->source = new_namespace();
	if (lab->source < 0)
		return lab->source;
	lab->sink = new_namespace();
	if (lab->sink < 0)
		return lab->sink;
	return direct_lane(lab);
}

int tandem_lab_here(struct lab *lab)
{
	memset(lab, 0, sizeof(*lab));
	lab->home = present_namespace();
	lab->source = lab->sink = lab->home < 0 ? -1 : dup(lab->home);
	if (lab->source < 0)
		return lab->home < 0 ? lab->home : -errno;
	lab->lanes[0].ns = -1;
	lab->lanes_count = 1;
	return 0;
}

void tandem_lab_close(struct lab *lab)
{
	for (size_t i = 1; i < lab->lanes_count; i++) {
		if (lab->lanes[i].ns >= 0)
			close(lab->lanes[i].ns);
	}
	if (lab->source >= 0)
		close(lab->source);
	if (lab->sink >= 0 && lab->sink != lab->source)
		close(lab->sink);
	if (lab->home >= 0) {
		tandem_lab_enter(lab->home);
		close(lab->home);
	}
}

uint32_t tandem_lab_locals(uint32_t flows)
{
	return (flows + LAB_PORTS - 1) / LAB_PORTS;
}

static uint32_t address(size_t lane, uint32_t side, uint32_t host)
{
	return NET << 24 | (uint32_t)lane << 16 | side << 8 | host;
}

void tandem_lab_way(size_t lane, uint32_t i, struct lab_way *way)
{
	uint16_t end = (uint16_t)(END_BASE + i % ENDPOINTS);
	uint16_t port = (uint16_t)(LAB_PORT_BASE + i % LAB_PORTS);

	way->source = (struct lab_end){ address(lane, 1, SOURCE_ONE), end };
	way->in = (struct lab_end){ address(lane, 1, 1 + i / LAB_PORTS), port };
	way->out = (struct lab_end){ address(lane, 2, 1 + i / LAB_PORTS), port };
	way->sink = (struct lab_end){ address(lane, 2, SOURCE_ONE), end };
}
