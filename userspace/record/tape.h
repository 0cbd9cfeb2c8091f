/* SPDX-License-Identifier: GPL-2.0-only */
/* One recording: packets of two parties in, a stereo WAV file out, a second behind; mix.h. */
#ifndef TANDEM_RECORD_TAPE_H
#define TANDEM_RECORD_TAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "userspace/record/mix.h"

struct tandem_tape;

/*
 * Begin one at path, which nothing must be at yet. about: what the JSON file is to say of the call.
 * 0, or why not.
 */
int tandem_tape_open(struct tandem_tape **tapep, const char *path, uint64_t now_ns,
		     const struct tandem_mix_codecs *codecs, json_t *about);
/* From now on payload types mean this. */
void tandem_tape_codecs(struct tandem_tape *tape, const struct tandem_mix_codecs *codecs);
/* What cannot be decoded is counted. -ENOSPC, -EIO: the file cannot be written. */
int tandem_tape_packet(struct tandem_tape *tape, const struct tandem_mix_packet *p);
/* Write what is a second old. The same errors. */
int tandem_tape_run(struct tandem_tape *tape, uint64_t now_ns);
/* While it is paused packets are not heard. */
void tandem_tape_pause(struct tandem_tape *tape, bool on, uint64_t now_ns);
/* Write the rest and complete both files; why: how it came to its end. 0 or the error. */
int tandem_tape_close(struct tandem_tape *tape, uint64_t now_ns, const char *why);

#endif
