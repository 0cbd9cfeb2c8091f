/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/play/tone.h"

#include <math.h>

#define RATE   8000.0
#define FRAME  160
#define PEAK_0 22800.0 /* of a sine of 0 dBm0, as 16 bits: G.711 ends 3.1 dB above it */
#define RISE   16U     /* samples, so that it does not click */

/* By code: of the rows and the columns of the keys. */
static const struct {
	unsigned short low, high;
} tones[16] = {
	{ 941, 1336 }, { 697, 1209 }, { 697, 1336 }, { 697, 1477 }, { 770, 1209 }, { 770, 1336 },
	{ 770, 1477 }, { 852, 1209 }, { 852, 1336 }, { 852, 1477 }, { 941, 1209 }, { 941, 1477 },
	{ 697, 1633 }, { 770, 1633 }, { 852, 1633 }, { 941, 1633 },
};

int tandem_tone_fits(enum tandem_play_codec codec)
{
	return codec == TANDEM_PLAY_PCMU || codec == TANDEM_PLAY_PCMA;
}

void tandem_tone_frame(enum tandem_play_codec codec, uint8_t code, uint8_t volume, uint32_t n,
		       uint8_t payload[160])
{
	const double each = PEAK_0 * pow(10, -volume / 20.0) / M_SQRT2;
	const double low = 2 * M_PI * tones[code & 15].low / RATE;
	const double high = 2 * M_PI * tones[code & 15].high / RATE;
	unsigned int i;

	for (i = 0; i < FRAME; i++) {
		const uint32_t at = n * FRAME + i;
		const double level = at < RISE ? each * at / RISE : each;
		const double v = level * (sin(low * at) + sin(high * at));
		const int16_t sample = (int16_t)lrint(fmin(fmax(v, -32768), 32767));

		payload[i] = codec == TANDEM_PLAY_PCMU ? tandem_encoder_ulaw(sample)
						       : tandem_encoder_alaw(sample);
	}
}
