/* SPDX-License-Identifier: GPL-2.0-only */
/* Within userspace/play: a source as libsndfile reads it. */
#ifndef TANDEM_PLAY_SOUND_H
#define TANDEM_PLAY_SOUND_H

#include <sndfile.h>

#include "userspace/play/source.h"

/* Octets as a file, for libsndfile. */
struct tandem_octets {
	const unsigned char *octets;
	sf_count_t len, at;
};

/* Read it from the start; f lives as long. NULL: it cannot be read. */
SNDFILE *tandem_source_open(const struct tandem_source *s, struct tandem_octets *f, SF_INFO *info);

#endif
