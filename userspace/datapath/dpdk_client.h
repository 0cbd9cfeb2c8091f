/* SPDX-License-Identifier: GPL-2.0-only */
/* The client of the DPDK worker, and private to it: who talks (dpdk.c), and keys (dpdk_srtp.c). */
#ifndef TANDEM_DATAPATH_DPDK_CLIENT_H
#define TANDEM_DATAPATH_DPDK_CLIENT_H

#include <sys/un.h>
#include <time.h>

#include "userspace/datapath/datapath.h"
#include "userspace/datapath/dpdk_streams.h"
#include "userspace/datapath/dpdk_wire.h"
#include "userspace/datapath/hash.h"

/* A request of which the reply is still to come. */
struct dpdk_sent {
	uint32_t op;
	int *result; /* of the change: the first error stays */
};

/* The key sets of a flow by index, one for each place that it has one in. */
struct dpdk_uses {
	uint32_t count;
	uint32_t room;
	uint32_t *index;
};

/*
 * Which key sets the worker has, and for which flows. Each that it has counts as one user of
 * the plane's (srtp_sets.h).
 */
struct dpdk_srtp {
	struct tandem_srtp_sets *sets; /* NULL: flows with keys are refused */
	struct tandem_dpdk_streams streams;
	uint32_t count;
	uint32_t *users;	/* by index: uses of it */
	struct tandem_hash ids; /* of a flow -> its place in flows */
	struct dpdk_uses *flows;
	uint32_t *unused; /* places, as a stack */
	uint32_t flow_count, flow_room, unused_count;
};

struct tandem_datapath {
	int fd; /* -1: the worker is gone */
	time_t tried;
	struct tandem_dpdk_config config;
	char socket[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char describe[192];
	struct dpdk_sent sent[TANDEM_DPDK_WINDOW]; /* a ring */
	uint32_t sent_first, sent_count;
	struct dpdk_srtp srtp;
	struct tandem_dpdk_request request;
	struct tandem_dpdk_reply reply;
};

/* ---- dpdk.c ---- */

/* Ask dp->request, with nothing else on its way. What the worker says, or -ENOTCONN. */
int tandem_dpdk_talk(struct tandem_datapath *dp, enum tandem_dpdk_op op);

/* Carry out a change, with nothing else on its way, and wait for its result. */
int tandem_dpdk_do(struct tandem_datapath *dp, const struct tandem_change *change);

/* ---- dpdk_srtp.c ---- */

/* Once for each dp, before the first configuration. 0 or -ENOMEM. */
int tandem_dpdk_srtp_init(struct tandem_datapath *dp, struct tandem_srtp_sets *sets);

/* The sets go back to streams of their own. What the worker has, it keeps. */
void tandem_dpdk_srtp_clean(struct tandem_datapath *dp);

/*
 * The worker has been configured, and fd (-1: none) came with its answer: streams are those, and
 * keys and flows those that it has. What cannot be taken over is removed from it. fd is dp's
 * then, or closed. 0 or a negative errno.
 */
int tandem_dpdk_srtp_sync(struct tandem_datapath *dp, int fd);

/* Has this change to do with keys, those that the flow has or those that it is to have? */
bool tandem_dpdk_srtp_concerns(const struct tandem_datapath *dp, const struct tandem_change *c);

/*
 * Carry it out: new key sets before it, those that nobody has any more behind it. As of
 * tandem_dpdk_do(); -EPROTONOSUPPORT: the worker does no SRTP.
 */
int tandem_dpdk_srtp_change(struct tandem_datapath *dp, const struct tandem_change *c);

#endif
