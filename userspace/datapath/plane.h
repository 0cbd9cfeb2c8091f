/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The forwarding plane: the io_uring datapath, which can always take a flow, and
 * in front of it at most one fast datapath. A change goes to io_uring first, so
 * that punted packets find a socket; then to the fast path. A flow that the fast
 * path refuses stays on io_uring, and the reason is kept to be shown. If the reason may
 * pass, the flow is offered again now and then.
 */
#ifndef TANDEM_DATAPATH_PLANE_H
#define TANDEM_DATAPATH_PLANE_H

#include "userspace/datapath/datapath.h"

struct tandem_plane;

/*
 * Open the plane. want is "auto", "xdp", "kmod", "dpdk" or "uring"; auto takes the first of XDP and
 * the kernel module that can be had, or else io_uring alone. why (always terminated) then
 * tells what could not be had, each as "name: reason", separated by "; ".
 * Returns 0 or a negative errno.
 */
int tandem_plane_open(struct tandem_plane **planep, const char *want,
		      const struct tandem_datapath_config *cfg, char *why, size_t why_size);

/*
 * The same with the datapaths given: fast may be NULL, or (with optional) fail to
 * open, which leaves slow alone.
 */
int tandem_plane_open_ops(struct tandem_plane **planep, const struct tandem_datapath_ops *fast,
			  bool optional, const struct tandem_datapath_ops *slow,
			  const struct tandem_datapath_config *cfg, char *why, size_t why_size);

/* keep: fast-path state stays pinned and goes on forwarding; so does what SRTP has counted (cfg->srtp_file). */
void tandem_plane_close(struct tandem_plane *plane, bool keep);

/* Carry out changes in order; result of a change is 0 when any datapath took it. */
int tandem_plane_apply(struct tandem_plane *plane, struct tandem_change *changes, size_t n);

/* Joined state of one flow, with its offload state; -ENOENT when unknown. */
int tandem_plane_read(struct tandem_plane *plane, uint64_t flow_id,
		      struct tandem_flow_stats *stats);

/* Joined state of its legs, at most max, in the order of its fan; sets *n. -ENOENT, -ENOMEM. */
int tandem_plane_read_legs(struct tandem_plane *plane, uint64_t flow_id,
			   struct tandem_leg_stats *legs, size_t max, size_t *n);

/*
 * To be called about once a second: offer the fast path again a few of the flows that it has
 * refused for a reason that may have passed.
 */
void tandem_plane_retry(struct tandem_plane *plane);

/* What an earlier process had of key sets, and none has asked for since the start, is forgotten. */
void tandem_plane_sweep(struct tandem_plane *plane);

/* Is it a key set with no room for a further SSRC? See tandem_srtp_sets_spent(). */
bool tandem_plane_key_spent(const struct tandem_plane *plane, uint64_t id);

struct tandem_bequest;

/*
 * Leave to another process what is to be open all the time; to be closed soon. bequest is empty and
 * stays the caller's. Without anything to leave it stays empty, and is an error -errno, too.
 */
int tandem_plane_bequeath(struct tandem_plane *plane, struct tandem_bequest *bequest);
/* All flows are here: what has waited in what was inherited is read now. */
void tandem_plane_resume(struct tandem_plane *plane);

/* See tandem_srtp_sets_counted() and tandem_srtp_sets_seed(). */
bool tandem_plane_key_counted(struct tandem_plane *plane, uint64_t id,
			      struct tandem_srtp_seed *seed);
void tandem_plane_keys_seed(struct tandem_plane *plane, const struct tandem_srtp_seed *seeds,
			    size_t n);

/* Flows that an earlier process left in the fast path. */
int tandem_plane_list(struct tandem_plane *plane, tandem_installed_h *h, void *arg);

/* Per-reason counters: of the fast path and of io_uring. fast is zeroed when there is none. */
int tandem_plane_counters(struct tandem_plane *plane, struct reason_counters *fast,
			  struct reason_counters *slow);

/* "xdp", "kmod", "dpdk" or "uring", and a line on how it runs. */
const char *tandem_plane_name(const struct tandem_plane *plane);
const char *tandem_plane_describe(const struct tandem_plane *plane);

/* Readable when dispatch has something to report. */
int tandem_plane_event_fd(const struct tandem_plane *plane);
void tandem_plane_dispatch(struct tandem_plane *plane, const struct tandem_event_handlers *handlers,
			   void *arg);

/*
 * Copies of packets for captures, of both datapaths; see tap_open() of datapath.h. For one thread,
 * which may be another than changes flows.
 */
int tandem_plane_tap_open(struct tandem_plane *plane, uint32_t size);
size_t tandem_plane_tap_read(struct tandem_plane *plane, tandem_tapped_h *h, void *arg,
			     uint64_t *lost);
void tandem_plane_tap_close(struct tandem_plane *plane);

/* Send a datagram from a media port; see send() of datapath.h. */
int tandem_plane_send(struct tandem_plane *plane, const struct tandem_endpoint *local,
		      const struct tandem_endpoint *remote, const void *payload, size_t len);

/* A packet of the relay's own, by the egress of a flow; see inject() of datapath.h. */
int tandem_plane_inject(struct tandem_plane *plane, uint64_t flow_id,
			const struct tandem_endpoint *local, const void *payload, size_t len);

#endif
