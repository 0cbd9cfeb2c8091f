/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of the local API about what parties hear of the relay itself:
 *
 *   session.play       "id", "file", "party", "repeat", "start", "duration_ms"   {"duration_ms": ...}
 *   session.play_stop  "id", "party"                                             {"frame": ...}
 *   session.dtmf       "id", "party", "digits", "duration_ms", "volume", "pause_ms"  {"digits": ...}
 */
#ifndef TANDEM_CONTROL_PLAY_H
#define TANDEM_CONTROL_PLAY_H

#include "userspace/control/api.h"

/* As tandem_api_call(); -ENOSYS: it is none of these. */
int tandem_api_play(const struct tandem_api *api, const char *call, const json_t *params,
		    json_t **result, char *why, size_t why_size);

#endif
