/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the thread that writes is told: packets and orders, in order. Who puts in never waits; what
 * there is no room for is not put in.
 */
#ifndef TANDEM_RECORD_MAIL_H
#define TANDEM_RECORD_MAIL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_letter_kind {
	RECORD_PACKET,	/* data: RTP */
	RECORD_OPEN,	/* data: struct record_opening */
	RECORD_CODECS,	/* data: struct tandem_mix_codecs */
	RECORD_FORWARD, /* data: struct record_forwarding */
	RECORD_PAUSE,
	RECORD_RESUME,
	RECORD_CLOSE, /* data: why, a text */
};

struct record_letter {
	uint64_t number; /* of the session */
	uint64_t ns;	 /* of the Unix epoch */
	uint32_t len;	 /* of data */
	uint8_t kind, party, media;
};

/* Filled by some while another one is emptied. */
struct record_mail {
	pthread_mutex_t lock;
	pthread_cond_t come;
	unsigned char *in, *out;
	size_t in_len, out_len, room;
	bool closed;
};

/* Room for so many bytes, twice. 0 or -ENOMEM. */
int record_mail_init(struct record_mail *m, size_t room);
void record_mail_clean(struct record_mail *m);

/* False: there is no room. Orders (all but packets) may use what packets may not. */
bool record_mail_put(struct record_mail *m, const struct record_letter *letter, const void *data);
/* No more will come. */
void record_mail_close(struct record_mail *m);

/* For the one who empties: wait for letters, no longer than ms. False: it is closed, and empty. */
bool record_mail_wait(struct record_mail *m, unsigned int ms);
/* The next one from *at (0 at first) on of what was waited for; false: that was all. */
bool record_mail_next(const struct record_mail *m, size_t *at, struct record_letter *letter,
		      const unsigned char **data);

#endif
