/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network that next hops are found in, once for real in a namespace of our own (for
 * bpf_fib_lookup), once as a table for the userspace environment.
 *
 *   v0  10.1.0.1/24 fd01::1/64   02:00:00:00:01:01   peers .2 ::2  02:00:00:00:01:02
 *   v7  10.7.0.1/24              02:00:00:00:07:01   peer  .2      02:00:00:00:07:02
 *       stands for VLAN 7 on v0, since not every test kernel has VLAN devices
 *   v4  10.4.0.1/24              02:00:00:00:04:01   peer  .2      02:00:00:00:04:02
 *   v2  10.3.0.1/24              02:00:00:00:03:01   peer  .2      02:00:00:00:03:02
 *       not among the devices that may be sent to
 *
 * 10.1.0.99 is on the link of v0, but its neighbour is not known; that of 10.1.0.98 is from
 * "neighbour=up" on (02:00:00:00:01:98). Groups are reached by v0 from the media addresses.
 * All else has no route.
 */
#ifndef TANDEM_TESTS_VEC_NET_H
#define TANDEM_TESTS_VEC_NET_H

#include <net/if.h>
#include <sched.h>

#include "core/addr.h"
#include "userspace/util/endpoint.h"

#include "vec_packet.h"

#define VEC_MTU 1500

struct vec_net {
	unsigned int v0, vlan, v2, v4;
	bool late; /* 10.1.0.98 is there */
};

static int vec_net_open(struct vec_net *net)
{
	static const char *const commands[] = {
		"ip link set lo up",
		"ip link add v0 address 02:00:00:00:01:01 type veth peer name p0",
		"ip link add v2 address 02:00:00:00:03:01 type veth peer name p2",
		"ip link set v0 up",
		"ip link set p0 up",
		"ip link set v2 up",
		"ip link set p2 up",
		"ip link add v7 address 02:00:00:00:07:01 type veth peer name p7",
		"ip link set v7 up",
		"ip link set p7 up",
		"ip link add v4 address 02:00:00:00:04:01 type veth peer name p4",
		"ip link set v4 up",
		"ip link set p4 up",
		"ip addr add 10.0.0.1/32 dev lo",
		"ip addr add fd00::1/128 dev lo",
		"ip addr add 10.1.0.1/24 dev v0",
		"ip addr add fd01::1/64 dev v0 nodad",
		"ip addr add 10.7.0.1/24 dev v7",
		"ip addr add 10.3.0.1/24 dev v2",
		"ip addr add 10.4.0.1/24 dev v4",
		"ip neigh replace 10.1.0.2 lladdr 02:00:00:00:01:02 dev v0 nud permanent",
		"ip neigh replace fd01::2 lladdr 02:00:00:00:01:02 dev v0 nud permanent",
		"ip neigh replace 10.7.0.2 lladdr 02:00:00:00:07:02 dev v7 nud permanent",
		"ip neigh replace 10.3.0.2 lladdr 02:00:00:00:03:02 dev v2 nud permanent",
		"ip neigh replace 10.4.0.2 lladdr 02:00:00:00:04:02 dev v4 nud permanent",
		"sysctl -qw net.ipv4.conf.lo.forwarding=1 net.ipv6.conf.lo.forwarding=1",
	};
	size_t i;

	if (unshare(CLONE_NEWNET))
		return -1;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (system(commands[i])) {
			printf("# failed: %s\n", commands[i]);
			return -1;
		}
	}
	net->v0 = if_nametoindex("v0");
	net->vlan = if_nametoindex("v7");
	net->v2 = if_nametoindex("v2");
	net->v4 = if_nametoindex("v4");
	return net->v0 && net->vlan && net->v2 && net->v4 ? 0 : -1;
}

/* The late neighbour comes or goes. */
static void vec_net_late(struct vec_net *net, bool up)
{
	static const char *const commands[] = {
		"ip neigh del 10.1.0.98 dev v0",
		"ip neigh replace 10.1.0.98 lladdr 02:00:00:00:01:98 dev v0 nud permanent",
	};

	if (net->late != up && system(commands[up]))
		vec_die("failed: %s", commands[up]);
	net->late = up;
}

/* By the RFCs that core/addr.h names, and not with its help. */
static __u32 vec_net_group(const struct vec_net *net, const struct egress *eg, struct nexthop *nh)
{
	const __u8 *group = eg->remote.b;

	if (eg->local > 1)
		return REASON_no_route;
	nh->ifindex = net->v0;
	nh->mtu = VEC_MTU;
	memcpy(nh->smac, (__u8[6]){ 2, 0, 0, 0, 1, 1 }, 6);
	if (group[0] == 0xff)
		memcpy(nh->dmac,
		       (__u8[6]){ 0x33, 0x33, group[12], group[13], group[14], group[15] }, 6);
	else
		memcpy(nh->dmac, (__u8[6]){ 1, 0, 0x5e, group[13] % 128, group[14], group[15] }, 6);
	return REASON_COUNT;
}

/* env_nexthop_h with the same answers. */
static __u32 vec_net_nexthop(const struct egress *eg, __u32 l3_len, struct nexthop *nh, void *arg)
{
	const struct vec_net *net = arg;
	const struct {
		const char *ip;
		__u32 ifindex;
		__u8 mac5, mac6;
		__u16 tci;
		__u32 reason;
	} hops[] = {
		{ "10.1.0.2", net->v0, 1, 2, 0, REASON_COUNT },
		{ "fd01::2", net->v0, 1, 2, 0, REASON_COUNT },
		{ "10.7.0.2", net->v0, 7, 2, 7, REASON_COUNT },
		{ "10.4.0.2", net->v4, 4, 2, 0, REASON_COUNT },
		{ "10.1.0.99", 0, 0, 0, 0, REASON_no_neighbour },
		{ "10.1.0.98", net->v0, 1, 0x98, 0,
		  net->late ? REASON_COUNT : REASON_no_neighbour },
		{ "10.3.0.2", 0, 0, 0, 0, REASON_no_egress_port },
	};
	struct ip_addr ip;
	size_t i;

	if (ip_addr_is_group(&eg->remote))
		return l3_len > VEC_MTU ? REASON_too_big : vec_net_group(net, eg, nh);
	for (i = 0; i < sizeof(hops) / sizeof(hops[0]); i++) {
		tandem_ip_parse(&ip, hops[i].ip);
		if (!tandem_ip_equal(&ip, &eg->remote))
			continue;
		if (l3_len > VEC_MTU)
			return REASON_too_big;
		if (hops[i].reason != REASON_COUNT)
			return hops[i].reason;
		nh->ifindex = hops[i].ifindex;
		nh->mtu = VEC_MTU;
		nh->vlan_tci = hops[i].tci;
		memcpy(nh->smac, (__u8[6]){ 2, 0, 0, 0, hops[i].mac5, 1 }, 6);
		memcpy(nh->dmac, (__u8[6]){ 2, 0, 0, 0, hops[i].mac5, hops[i].mac6 }, 6);
		return REASON_COUNT;
	}
	return REASON_no_route;
}

#endif
