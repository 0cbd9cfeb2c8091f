/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the XDP loader, private to it.
 *
 *   xdp.c         the datapath interface: flows in, statistics out
 *   xdp_maps.c    sizes of the maps, pins, and taking over an earlier run's
 *   xdp_attach.c  the program on its interfaces
 *   xdp_ports.c   where it may send
 *   xdp_copies.c  where it may send copies
 *   xdp_srtp.c    keys of SRTP, and the streams under them
 *   xdp_module.c  SRTP done by the kernel module
 *   xdp_tap.c     copies of packets for captures
 *   xdp_watch.c   when the program must ask for next hops anew
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

#include "core/aes.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/table.h"
#include "userspace/datapath/xdp_module.h"

#define XDP_MAX_COPIES 64 /* of one packet */

struct relay_bpf;
struct xdp_watch;
struct perf_buffer;

struct xdp_interface {
	char name[IF_NAMESIZE];
	int ifindex;
	int link_fd;
	bool native;
	bool created; /* the link is this run's, not an earlier one's */
	bool tx;      /* frames can be redirected to it */
	bool tx_new;  /* and until now they could not */
};

struct tandem_datapath {
	struct relay_bpf *skel;
	struct tandem_table table;
	bool table_ready;
	struct tandem_table_memory memory; /* the maps' own */
	struct aes_schedule *schedules;	   /* a map's too: two for each set of SRTP keys */
	struct tandem_srtp_sets *sets;	   /* that keep their streams where the program has them */
	struct tandem_xdp_module module;   /* where that does the SRTP */
	bool taken_over;		   /* the maps are an earlier run's */
	bool pinned;			   /* this run has begun to pin its own */

	struct xdp_interface *interfaces;
	size_t interfaces_count;
	uint64_t tx_checked_ns;
	uint64_t copies; /* numbers of copies that can be made: bit n - 1 for n */
	struct xdp_watch *watch;
	struct perf_buffer *taps; /* NULL: nobody captures */
	uint64_t taps_lost;	  /* before they were opened */
	void *tap_reading;	  /* xdp_tap.c's, while it reads */

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
int tandem_xdp_local_devices_fd(const struct tandem_datapath *dp);
int tandem_xdp_program_fd(const struct tandem_datapath *dp);

/* ---- xdp_srtp.c ---- */

/*
 * Have the table take flows with SRTP, of the sets that datapaths share (NULL: it does not), and
 * have these keep their streams where the program has them.
 */
int tandem_xdp_srtp_open(struct tandem_datapath *dp, struct tandem_srtp_sets *sets);

/* Has the program the suites of all keys of the flow in a slot? Else it punts what has to do with them. */
bool tandem_xdp_srtp_able(const struct tandem_datapath *dp, uint32_t slot);

/* Before the maps are closed: the streams are in memory of the sets' own again. */
void tandem_xdp_srtp_close(struct tandem_datapath *dp);

/* ---- xdp_attach.c ---- */

/* Attach to every interface of cfg, and detach from those of an earlier run that are none. */
int tandem_xdp_attach(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
		      char *why, size_t why_size);

/* created_only: undo only what this run did. */
void tandem_xdp_detach(struct tandem_datapath *dp, bool created_only);

/* ---- xdp_ports.c ---- */

/* Once attached: forget what only an earlier run had, and enter what there is. */
void tandem_xdp_tx_open(struct tandem_datapath *dp);

/*
 * Bring the tables of egress devices, VLANs and media addresses in line with the
 * interfaces there are; does nothing when that was done within the last second.
 */
void tandem_xdp_tx_refresh(struct tandem_datapath *dp);

/* ---- xdp_watch.c ---- */

/*
 * Begin to follow what the kernel tells of routes, neighbours and devices, in a thread. As long
 * as that runs, the program need not ask again for what has not changed. Without it, it asks
 * every age_ns.
 */
void tandem_xdp_watch_start(struct tandem_datapath *dp, uint64_t age_ns);

/* Next hops age as they do without. Does nothing if it never began. */
void tandem_xdp_watch_stop(struct tandem_datapath *dp);

/* ---- xdp_tap.c: as the operations of datapath.h ---- */
int tandem_xdp_tap_open(struct tandem_datapath *dp, uint32_t size);
size_t tandem_xdp_tap_read(struct tandem_datapath *dp, tandem_tapped_h *h, void *arg,
			   uint64_t *lost);
void tandem_xdp_tap_close(struct tandem_datapath *dp);

/* ---- xdp_copies.c ---- */

/* Before attaching: note which numbers of copies an earlier run could make. */
void tandem_xdp_copies_adopt(struct tandem_datapath *dp);

/* No copies any more; when this returns, none is on its way. */
void tandem_xdp_copies_stop(struct tandem_datapath *dp);

/*
 * Which devices can be sent to (tx) has changed: the ways for copies anew, with this run's
 * program. Called before frames can be sent to a device that is new, and after they cannot
 * to one that is gone.
 */
int tandem_xdp_copies_renew(struct tandem_datapath *dp);

/*
 * Before a rule with this fan: see to it that its packets can be copied. Two errors are for
 * the plane to word, and come from nowhere else in apply(): -E2BIG, a branch has more than
 * XDP_MAX_COPIES legs; -EOPNOTSUPP, the program runs in generic mode on some interface,
 * where copies of a frame cannot be told apart. Fans without a branch of two legs or more
 * are always fine.
 */
int tandem_xdp_copies_prepare(struct tandem_datapath *dp, const struct tandem_fan *fan);

/* Let frames of one-to-one flows out by this device. 0 or a negative errno. */
int tandem_xdp_tx_write(const struct tandem_datapath *dp, const struct xdp_interface *to);

#endif
