/* SPDX-License-Identifier: GPL-2.0-only */
/* Where audio comes from: a file below a directory, or octets; and decoding it. */
#ifndef TANDEM_PLAY_SOURCE_H
#define TANDEM_PLAY_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/play/encode.h"

#define TANDEM_SOURCE_OCTETS_MAX (64U << 20) /* of a file */
#define TANDEM_SOURCE_BLOB_MAX	 (1U << 20)
#define TANDEM_SOURCE_S_MAX	 600 /* seconds of audio */
#define TANDEM_SOURCE_KEY_SIZE	 96

struct tandem_source;

/*
 * Open a file: WAV, AIFF, AU, FLAC, Ogg or MP3. dir_fd: the directory that it has to be in, below
 * which no symbolic link leads out. Looks at its first octets alone. -EACCES: it is elsewhere, or no
 * regular file; -EFBIG: too large, or too long; -EBADMSG: it cannot be read; else of open().
 */
int tandem_source_file(struct tandem_source **sp, int dir_fd, const char *name);
/* The same of octets, which are copied. */
int tandem_source_blob(struct tandem_source **sp, const void *octets, size_t len);
void tandem_source_free(struct tandem_source *s);

/* How long it is, in ms; -1: it does not say. */
int64_t tandem_source_duration_ms(const struct tandem_source *s);
/* What is the same for sources of the same audio; "": there is no other. */
const char *tandem_source_key(const struct tandem_source *s);

/* Payloads of 20 ms, as they are sent. */
struct tandem_clip {
	enum tandem_play_codec codec;
	uint32_t frames;
	uint32_t *end;	 /* of each frame, in octets */
	uint8_t *octets; /* of all */
	/* of who keeps it: play.c */
	unsigned int refs;
	char key[TANDEM_SOURCE_KEY_SIZE];
	struct tandem_clip *next;
};

/* Octets that a clip takes. */
size_t tandem_clip_size(const struct tandem_clip *clip);
void tandem_clip_free(struct tandem_clip *clip);

/*
 * Decode all of it, mix it to one channel, and encode it. To be called by one thread at a time;
 * gives up when *stop becomes true (-ECANCELED). -EBADMSG, -EFBIG, -ENOMEM.
 */
int tandem_source_encode(struct tandem_source *s, enum tandem_play_codec codec, const int *stop,
			 struct tandem_clip **clip);

#endif
