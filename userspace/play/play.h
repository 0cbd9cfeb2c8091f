/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Announcements and DTMF events that the relay itself sends to parties of calls.
 *
 * What is played is decoded, and encoded for the party, by one thread, and kept for others that are
 * to hear the same; another thread sends it, a packet every 20 ms. The calls below are made in the
 * controller's thread and wait for neither. A party has one voice of the relay, with one SSRC, for
 * as long as its call lasts: what is played to it later goes on in sequence, so that under a key of
 * SRTP it takes the room of one SSRC, and no index comes twice.
 *
 * A playing ends with the call, and with the process.
 */
#ifndef TANDEM_PLAY_H
#define TANDEM_PLAY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/session/session.h"

#define TANDEM_PLAY_FRAME_MS 20

struct tandem_play;

struct tandem_play_config {
	const char *dir;      /* below which files are; NULL: there are none */
	uint32_t max_players; /* parties that hear something at a time */
};

/* Take it into use. One of a kind; plane and sessions are borrowed. 0 or a negative errno. */
int tandem_play_open(struct tandem_play **playp, const struct tandem_play_config *cfg,
		     struct tandem_sessions *sessions, struct tandem_plane *plane);
/* Before the sessions are freed. NULL is allowed. */
void tandem_play_close(struct tandem_play *play);

/* What is to be played: a file, or the octets of one. */
struct tandem_play_order {
	const char *file; /* below the directory, or with its full name */
	const void *blob;
	size_t blob_len;
	uint32_t repeat;      /* times; 0 is 1 */
	uint32_t start;	      /* the first frame of 20 ms */
	uint32_t duration_ms; /* in all; 0: to the end */
};

/*
 * Have a party of the session hear it, in place of what it is hearing so far. *duration_ms: how
 * long the file is; -1: nobody knows. Errors with *why in words, constant: -ENOENT no session or
 * file; -EACCES there are no files, or it is not below the directory; -EBADMSG it is no audio that
 * can be read; -EFBIG; -ENOTCONN, -EOPNOTSUPP see tandem_session_target(); -EPROTO no codec that the
 * relay has; -ENOSPC too many hear something; -ENOMEM.
 */
int tandem_play_start(struct tandem_play *play, const char *call, enum tandem_party_id hearer,
		      const struct tandem_play_order *order, int64_t *duration_ms,
		      const char **why);

/* End what a party hears. *frame: the last one played, -1: none was. -ENOENT: nothing is heard. */
int tandem_play_stop(struct tandem_play *play, const char *call, enum tandem_party_id hearer,
		     int64_t *frame);

/* A DTMF event (RFC 4733 section 3), as the other party would have sent it. */
struct tandem_play_event {
	uint8_t code;	      /* 0 to 15 */
	uint8_t volume;	      /* dBm0 below 0, 0 to 63 */
	uint16_t duration_ms; /* 100 to 5000 */
	uint16_t pause_ms;    /* behind it, 100 to 5000 */
};

#define TANDEM_PLAY_EVENTS 32
#define TANDEM_PLAY_DIGITS "0123456789*#ABCD" /* by their codes */

/*
 * Have a party of the session get it, behind those that wait; audio that is played to it waits
 * meanwhile. Errors as above; -EPROTO: the party takes neither telephone-event nor
 * G.711, in which it would be tones; -ENOSPC: too many wait.
 */
int tandem_play_dtmf(struct tandem_play *play, const char *call, enum tandem_party_id hearer,
		     const struct tandem_play_event *event, const char **why);

/* {"players": those that play, "voices": of parties, "packets": sent, "lost": not, "cached_octets"} */
json_t *tandem_play_json(struct tandem_play *play);

#endif
