/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The relay in one piece: all of its parts, in the order in which they are opened. run.c runs it,
 * relay_open.c opens and closes it, relay_calls.c answers what its local API asks of it.
 */
#ifndef TANDEM_RELAY_H
#define TANDEM_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/config/resolve.h"
#include "userspace/control/api.h"
#include "userspace/operate.h"

struct tandem_relay {
	const struct tandem_config *cfg;
	bool fresh, take_over;
	struct tandem_bequest
		*bequest; /* of a process before, and for one that comes; may be empty */
	int taken_fd; /* the process that has handed over and waits to hear that all is well; or -1 */
	struct tandem_resolved resolved;
	struct tandem_loop *loop;
	struct tandem_api api;
	struct tandem_control *control;
	struct tandem_store *store;
	struct tandem_plane *plane;
	struct tandem_sessions *sessions;
	struct tandem_live *live;
	struct tandem_streams *streams;
	struct tandem_record *record;
	struct tandem_sip *sip;
	struct tandem_play *play;
	struct tandem_ng *ng;
	struct tandem_cluster *cluster;
	struct tandem_cluster_location *location; /* NULL: registrations are this relay's alone */
	struct tandem_cdr *cdr;
	struct tandem_operate operate;
	struct tandem_handover *handover;
	uint64_t ticks;
	char why[512];
};

/*
 * Open all parts of a relay of which cfg, fresh, take_over, bequest, taken_fd (-1) and
 * drain_timeout_s are set and the rest is 0. 0, or a negative errno, of which the log has been told; what is open then
 * is for tandem_relay_close().
 */
int tandem_relay_open(struct tandem_relay *relay);

/* ran: it was in service, so what is up now is worth keeping for the next run. */
void tandem_relay_close(struct tandem_relay *relay, bool ran);

/* Log that what was tried has failed: in relay->why's words if it has any. Returns ret. */
int tandem_relay_failed(const struct tandem_relay *relay, const char *what, int ret);

/* relay_location.c: share the registrations with other relays, where that is configured; and end it. */
int tandem_relay_open_location(struct tandem_relay *relay);
void tandem_relay_close_location(struct tandem_relay *relay);

/* Finish the records of calls that are no longer there. */
void tandem_relay_reconcile(struct tandem_relay *relay);

/* The calls of the local API that are for the relay as a whole. */
void tandem_relay_api_init(struct tandem_relay *relay);

/* Statistics as text for Prometheus; freed by the caller. NULL without memory. arg: the relay. */
char *tandem_relay_metrics(void *arg);

#endif
