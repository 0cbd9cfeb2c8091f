/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of the local API:
 *
 *   session.list                      {"sessions": [...]}
 *   session.show   "id": ID           the session
 *   session.end    "id": ID           {"ended": CALL-ID}
 *   session.block, session.silence    "id": ID ...; {"call_id", "partly", "media"}
 *   forward.set    "forward": {...}   the forward, as it is now
 *   forward.list                      {"forwards": [...]}
 *   forward.show   "name": NAME       the forward
 *   forward.remove "name": NAME       {"removed": NAME}
 *   session.play, session.play_stop, session.dtmf: play.h
 *   registrations                     {"registrations": [...]}
 *   gateways                          {"gateways": [...]}
 *   stats                             {"datapath": ..., ...}
 *   version                           {"version": ..., "pid": ...}
 *
 * Beside them the calls of `more`.
 *
 * ID is a session's id or its Call-ID. docs/api.md has the documents.
 */
#ifndef TANDEM_CONTROL_API_H
#define TANDEM_CONTROL_API_H

#include "userspace/control/control.h"
#include "userspace/play/play.h"
#include "userspace/session/session.h"

/*
 * What the calls reach. end has the call ended in its front end too; registrations, gateways
 * and stats return a new reference. Each may be NULL: that call is unavailable.
 */
struct tandem_api {
	struct tandem_sessions *sessions;
	struct tandem_play *play; /* NULL: parties hear nothing of the relay */
	int (*end)(const char *call_id, const char *why, void *arg);
	json_t *(*registrations)(void *arg);
	json_t *(*gateways)(void *arg);
	json_t *(*stats)(void *arg);
	void *arg;
	tandem_control_call_h *more; /* calls beyond those above; -ENOSYS: not of these either */
	void *more_arg;
};

/* A tandem_control_call_h; arg is a struct tandem_api. */
int tandem_api_call(const char *call, const json_t *params, json_t **result, char *why,
		    size_t why_size, void *arg);

#endif
