/* SPDX-License-Identifier: GPL-2.0-only */
/* DTMF as tones in the audio (ITU-T Q.23), where no events are agreed on. */
#ifndef TANDEM_PLAY_TONE_H
#define TANDEM_PLAY_TONE_H

#include "userspace/play/encode.h"

/* Can tones be put into audio of this codec? Into G.711: the others would not keep them apart. */
int tandem_tone_fits(enum tandem_play_codec codec);

/*
 * The payload of 160 octets of frame n of a digit (by the codes of RFC 4733, 0 to 15), at a level of
 * so many dBm0 below 0, both tones together.
 */
void tandem_tone_frame(enum tandem_play_codec codec, uint8_t code, uint8_t volume, uint32_t n,
		       uint8_t payload[160]);

#endif
