/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of userspace/record.
 *
 *   record.c  which calls are recorded: in the controller's thread
 *   api.c     the calls of the local API
 *   shelf.c   the thread that writes, and the recordings that it has in hand
 *   mail.c    what it is told
 *   tape.c    one recording
 *   mix.c     what parties send, as samples
 *   ears.c    those who listen to a call
 *   sink.c    one of them
 *   decode.c  payloads into samples
 */
#ifndef TANDEM_RECORD_LOCAL_H
#define TANDEM_RECORD_LOCAL_H

#include <limits.h>
#include <pthread.h>

#include "userspace/record/mail.h"
#include "userspace/record/record.h"
#include "userspace/record/sink.h"
#include "userspace/record/tape.h"

#define RECORD_BUCKETS 256

/* What the thread is told of a recording that begins. */
struct record_opening {
	char path[PATH_MAX];
	struct tandem_mix_codecs codecs;
	json_t *about; /* a reference that goes with it */
};

/* And whose sound is forwarded from now on. */
struct record_forwarding {
	uint8_t parties; /* a bit for each */
	struct tandem_mix_codecs codecs;
	char *about[2]; /* goes with it; NULL: that party is not forwarded */
};

enum record_state {
	RECORD_ASKED, /* but its media is not known yet */
	RECORD_ON,
	RECORD_PAUSED,
	RECORD_ENDED, /* it is not to be recorded any more: by a command, or a failure */
};

/* A session that is recorded, was, or is to be. In the controller's thread, but for failed. */
struct record_mark {
	struct record_mark *next; /* of the bucket */
	uint64_t number;
	char *call; /* Call-ID */
	char *path; /* NULL: none yet */
	enum record_state state;
	bool failed;	 /* the thread has ended it */
	bool secret;	 /* media passes under keys that the relay has not */
	uint8_t parties; /* that are forwarded */
	struct tandem_mix_codecs codecs;
};

struct tandem_record {
	struct tandem_record_config cfg;
	char *dir;
	struct tandem_sessions *sessions;
	struct tandem_live *cap;
	struct tandem_taker taker;
	bool joined;
	pthread_mutex_t lock; /* of marks, alarm, made and failed; held for moments */
	struct record_mark *marks[RECORD_BUCKETS];
	size_t count;	   /* of those that are ON or PAUSED */
	const char *asked; /* the call that is being marked: see record.c */
	uint64_t made, failed;
	uint64_t lost; /* packets that were too many at a time; atomic */
	uint64_t lost_before;
	char alarm[128];
	uint64_t full_since; /* packets began to be lost, monotonic s; 0: they are not */

	struct sockaddr_storage to;    /* of forwarding */
	uint32_t forwarded, listening; /* parties; atomic */
	uint64_t unheard;	       /* samples; atomic */

	struct record_mail mail;
	pthread_t thread;
	bool started;
};

/*
 * ears.c: those who listen to one call, in the thread. set: the texts of f are its own from then on. No
 * error ends it: a party that there is no memory for has nobody.
 */
struct record_ears;
struct record_ears *record_ears_open(struct tandem_record *rec, const struct record_forwarding *f,
				     uint64_t now_ns);
void record_ears_set(struct record_ears *ears, const struct record_forwarding *f);
void record_ears_codecs(struct record_ears *ears, const struct tandem_mix_codecs *codecs);
void record_ears_packet(struct record_ears *ears, const struct tandem_mix_packet *p);
void record_ears_run(struct record_ears *ears, uint64_t now_ns);
/* What has been said is sent as far as that goes. NULL is allowed. */
void record_ears_close(struct record_ears *ears, uint64_t now_ns);

/* shelf.c: the thread; arg is the recorder. */
void *record_shelf(void *arg);

/* record.c: with nobody's lock; the recording has ended, err: by a failure. */
void record_done(struct tandem_record *rec, uint64_t number, int err);
/* Is there less room on the disk than there is to be? */
bool record_disk_full(const struct tandem_record *rec);

#endif
