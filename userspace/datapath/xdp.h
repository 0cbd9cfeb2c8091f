/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the XDP loader, private to it.
 *
 *   xdp.c         the datapath interface: flows in, statistics out
 *   xdp_maps.c    sizes of the maps, pins, and taking over an earlier run's
 *   xdp_attach.c  the program on its interfaces, and where it may send
 *   xdp_host.c    what the host must provide, and the probe
 *
 * Below bpf_dir lie the maps under their own names, and a link_<interface> each.
 */
#ifndef TANDEM_DATAPATH_XDP_H
#define TANDEM_DATAPATH_XDP_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>
#include <net/if.h>

#include "userspace/datapath/datapath.h"
#include "userspace/datapath/table.h"

struct relay_bpf;

struct xdp_interface {
	char name[IF_NAMESIZE];
	int ifindex;
	int link_fd;
	bool native;
	bool created; /* the link is this run's, not an earlier one's */
	bool tx;      /* frames can be redirected to it */
};

struct tandem_datapath {
	struct relay_bpf *skel;
	struct tandem_table table;
	bool table_ready;
	struct tandem_table_memory memory; /* the maps' own */
	bool taken_over;		   /* the maps are an earlier run's */
	bool pinned;			   /* this run has begun to pin its own */

	struct xdp_interface *interfaces;
	size_t interfaces_count;
	uint64_t tx_checked_ns;

	char dir[PATH_MAX];
	int dir_fd; /* holds the lock that keeps a second relay out */
	char *describe;
};

/* ---- xdp_host.c ---- */

/* Make dir, on a bpffs that is mounted if need be, and lock it: *fd. */
int tandem_xdp_host_dir(const char *dir, int *fd, char *why, size_t why_size);

/*
 * Let the program ask for routes of what the host itself sends; this needs
 * forwarding on the loopback device, which does not make a router of the host.
 */
int tandem_xdp_host_routes(char *why, size_t why_size);

int tandem_xdp_probe(const struct tandem_datapath_config *cfg, struct tandem_probe *probe);

/* ---- xdp_maps.c ---- */

/*
 * Load the program with maps of the right size: an earlier run's, where they fit,
 * else new ones, which are pinned. Maps rules and flows into memory.
 */
int tandem_xdp_maps_open(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
			 const struct relay_config *relay, char *why, size_t why_size);
void tandem_xdp_maps_close(struct tandem_datapath *dp);

/* Remove the pins. */
void tandem_xdp_maps_unpin(struct tandem_datapath *dp);

int tandem_xdp_shared_fd(const struct tandem_datapath *dp);
int tandem_xdp_streams_fd(const struct tandem_datapath *dp);
int tandem_xdp_counters_fd(const struct tandem_datapath *dp);
int tandem_xdp_tx_ports_fd(const struct tandem_datapath *dp);
int tandem_xdp_vlans_fd(const struct tandem_datapath *dp);
int tandem_xdp_program_fd(const struct tandem_datapath *dp);

/* ---- xdp_attach.c ---- */

/* Attach to every interface of cfg, and detach from those of an earlier run that are none. */
int tandem_xdp_attach(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
		      char *why, size_t why_size);

/* created_only: undo only what this run did. */
void tandem_xdp_detach(struct tandem_datapath *dp, bool created_only);

/*
 * Bring the tables of egress devices and VLANs in line with the interfaces there
 * are; does nothing when that was done within the last second.
 */
void tandem_xdp_tx_refresh(struct tandem_datapath *dp);

#endif
