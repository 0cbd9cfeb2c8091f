/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The laboratory: namespaces without names, so that they go away with this process
 * however it ends.
 *
 *   +-- source --+        +-- relay K (one for each lane) --+        +--- sink ---+
 *   |   gen K    |--------| in0  10.K.1.1 ...               |        |            |
 *   | 10.K.1.100 |  veth  |             out0  10.K.2.1 ...  |--------|  rx K      |
 *   +------------+        +---------------------------------+  veth  | 10.K.2.100 |
 *         |                                                          +------------+
 *         +-- gen 0 ------------- direct: no relay ------------- rx 0 ----+
 *
 * Every relay has a lane of its own, and all of them are up at the same time: rounds can
 * alternate between them without setting anything up.
 */
#ifndef TANDEM_BENCH_LAB_H
#define TANDEM_BENCH_LAB_H

#include <linux/if_link.h>
#include <stddef.h>
#include <stdint.h>

#define LAB_MAX_LANES 16
#define LAB_LOCALS    8	    /* relay addresses on either side of a lane */
#define LAB_PORT_BASE 2048  /* first media port */
#define LAB_PORTS     60000 /* and how many there are on an address */

struct lab_lane {
	int ns; /* of the relay; -1 in the direct lane */
	uint32_t gen_ifindex, rx_ifindex;
	uint8_t gen_mac[6], in_mac[6], out_mac[6], rx_mac[6];
};

struct lab {
	int home, source, sink;
	size_t lanes_count;
	struct lab_lane lanes[LAB_MAX_LANES];
};

/* The way of one flow, IPv4, host byte order. */
struct lab_end {
	uint32_t ip;
	uint16_t port;
};
struct lab_way {
	struct lab_end source, in; /* the packet as it comes to the relay */
	struct lab_end out, sink;  /* and as it leaves it */
};

/* Make the namespaces and the direct lane. 0 or a negative errno; says what failed. */
int tandem_lab_open(struct lab *lab);
void tandem_lab_close(struct lab *lab);

/* No laboratory at all: one lane, still without its devices, both of whose ends are the present namespace. */
int tandem_lab_here(struct lab *lab);

/* Add a relay's lane: its index, or a negative errno. */
int tandem_lab_lane(struct lab *lab);

/* Enter a namespace of lab; the calling thread stays there. */
int tandem_lab_enter(int ns);

/* Addresses and ports of flow number i in a lane. */
void tandem_lab_way(size_t lane, uint32_t i, struct lab_way *way);

/* How many local addresses a side needs for so many flows. */
uint32_t tandem_lab_locals(uint32_t flows);

/* Link-layer address of a device in the present namespace. 0 or a negative errno. */
int tandem_lab_mac(const char *name, uint8_t mac[6]);

/* Counters of a device in the present namespace. 0 or -ENODEV. */
int tandem_lab_device(const char *name, struct rtnl_link_stats *stats);

/* Run a shell command made from fmt; says so when it fails. 0 or -EIO. */
int tandem_lab_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
