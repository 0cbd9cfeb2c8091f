/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings of calls: a WAV file each, with what the caller sends in the left channel and what the
 * callee sends in the right one, and a JSON file beside it that says whose they are. They are made
 * of the copies that captures get, in the clear (capture.h): the calls stay in the fast path.
 *
 * The sound of a party can also be sent to somebody who listens by TCP, as it is said: "forwarding".
 *
 * A thread of its own decodes and writes. A disk that is full, or too slow, ends recordings with an
 * alarm; calls never wait.
 */
#ifndef TANDEM_RECORD_RECORD_H
#define TANDEM_RECORD_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "userspace/live/live.h"
#include "userspace/util/endpoint.h"

struct tandem_record;

struct tandem_record_config {
	const char *dir;	 /* where files are made; NULL: there are no recordings */
	bool all;		 /* every call is recorded, whether asked for or not */
	uint32_t min_free_mb;	 /* of the disk: with less recordings end */
	uint32_t max_recordings; /* at a time */

	struct tandem_endpoint forward; /* who listens to parties; port 0: nobody */
	uint32_t forward_rate;		/* samples a second */
};

/* One of a kind; sessions and capture are borrowed. 0 or a negative errno; why: of the directory. */
int tandem_record_open(struct tandem_record **recp, const struct tandem_record_config *cfg,
		       struct tandem_sessions *sessions, struct tandem_live *cap, char *why,
		       size_t why_size);
/* Completes all files. Before the capture is closed. NULL is allowed. */
void tandem_record_close(struct tandem_record *rec);

/*
 * Is there somebody to whom the sound of parties goes for which TANDEM_ACT_FORWARD is set? Each by a
 * connection of its own; see sink.h. rec may be NULL.
 */
bool tandem_record_forwards(const struct tandem_record *rec);

/* To be called about once a second. */
void tandem_record_tick(struct tandem_record *rec);

/*
 * Record the session of this name from now on; one that is paused goes on in its file, with silence
 * in between. It ends with the session. -ENOENT no session; -EACCES there is no directory;
 * -EALREADY it is recorded; -ENOSPC too many are, or the disk is full; -EKEYREJECTED its media
 * passes from end to end under keys that the relay has not.
 */
int tandem_record_start(struct tandem_record *rec, const char *call);
/* -ENOENT: it is not recorded. */
int tandem_record_pause(struct tandem_record *rec, const char *call);
int tandem_record_stop(struct tandem_record *rec, const char *call);

/*
 * {"running", "made", "failed", "lost": packets, "alarm", "forwarded": parties, "listening": those of
 * them whose listener is connected, "unheard": milliseconds of sound that were lost for want of one}, and the same with "recordings":
 * [{"call_id", "file", "state"}]. null: there is none.
 */
json_t *tandem_record_stats(struct tandem_record *rec);
json_t *tandem_record_json(struct tandem_record *rec);

/*
 * The calls of the local API: session.record {"id", "action": "start", "pause", "stop"}, and
 * record.list. -ENOSYS: it is none of them; else as tandem_control_call_h. arg: the recorder.
 */
int tandem_record_call(const char *call, const json_t *params, json_t **result, char *why,
		       size_t why_size, void *arg);

#endif
