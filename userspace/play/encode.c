/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/play/encode.h"

#include <errno.h>
#include <opus/opus.h>
#include <spandsp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPUS_BITRATE 32000 /* speech and music of one channel; 80 octets a payload */

struct tandem_encoder {
	enum tandem_play_codec codec;
	g722_encode_state_t *g722;
	OpusEncoder *opus;
};

static const struct {
	const char *name;
	uint32_t clock_hz;
	int pt; /* static; -1: none */
	uint32_t rate;
} codecs[] = {
	[TANDEM_PLAY_NONE] = { "", 0, -1, 0 },
	[TANDEM_PLAY_PCMU] = { "PCMU", 8000, 0, 8000 },
	[TANDEM_PLAY_PCMA] = { "PCMA", 8000, 8, 8000 },
	[TANDEM_PLAY_G722] = { "G722", 8000, 9, 16000 },
	[TANDEM_PLAY_OPUS] = { "opus", 48000, -1, 48000 },
};

#define COUNT (sizeof(codecs) / sizeof(codecs[0]))

enum tandem_play_codec tandem_encoder_find(const char *name, uint32_t clock_hz, uint8_t pt)
{
	size_t i;

	for (i = TANDEM_PLAY_NONE + 1; i < COUNT; i++) {
		if (*name ? !strcasecmp(name, codecs[i].name) && clock_hz == codecs[i].clock_hz
			  : pt == codecs[i].pt)
			return (enum tandem_play_codec)i;
	}
	return TANDEM_PLAY_NONE;
}

const char *tandem_encoder_name(enum tandem_play_codec codec)
{
	return codecs[codec].name;
}

uint32_t tandem_encoder_rate(enum tandem_play_codec codec)
{
	return codecs[codec].rate;
}

uint32_t tandem_encoder_step(enum tandem_play_codec codec)
{
	return codecs[codec].clock_hz / 50;
}

int tandem_encoder_alloc(struct tandem_encoder **ep, enum tandem_play_codec codec)
{
	struct tandem_encoder *e;
	int err = 0;

	if (codec == TANDEM_PLAY_NONE || codec >= COUNT)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->codec = codec;
	if (codec == TANDEM_PLAY_G722)
		e->g722 = g722_encode_init(NULL, 64000, 0);
	else if (codec == TANDEM_PLAY_OPUS)
		e->opus = opus_encoder_create(48000, 1, OPUS_APPLICATION_AUDIO, &err);
	if ((codec == TANDEM_PLAY_G722 && !e->g722) || (codec == TANDEM_PLAY_OPUS && !e->opus)) {
		tandem_encoder_free(e);
		return -ENOMEM;
	}
	if (e->opus)
		opus_encoder_ctl(e->opus, OPUS_SET_BITRATE(OPUS_BITRATE));
	*ep = e;
	return 0;
}

void tandem_encoder_free(struct tandem_encoder *e)
{
	if (!e)
		return;
	if (e->g722)
		g722_encode_free(e->g722);
	if (e->opus)
		opus_encoder_destroy(e->opus);
	free(e);
}

/* 14 bits, sign and magnitude with a bias of 33, 8 segments of 16 steps, all bits inverted. */
uint8_t tandem_encoder_ulaw(int16_t sample)
{
	int magnitude = (sample < 0 ? -(sample + 1) : sample) >> 2;
	int segment = 0, sign = sample < 0 ? 0x80 : 0;

	magnitude += 33;
	if (magnitude > 8191)
		magnitude = 8191;
	while (magnitude >> (segment + 6))
		segment++;
	return (uint8_t) ~(sign | segment << 4 | (magnitude >> (segment + 1) & 15));
}

/* 13 bits, sign and magnitude, 8 segments of 16 steps, even bits inverted. */
uint8_t tandem_encoder_alaw(int16_t sample)
{
	int magnitude = (sample < 0 ? -(sample + 1) : sample) >> 4;
	int segment = 0, sign = sample < 0 ? 0 : 0x80;

	while (magnitude >> (segment + 5))
		segment++;
	/* the two lowest segments are one, of 32 steps */
	return (uint8_t)((sign | ((segment << 4) + (magnitude >> segment))) ^ 0x55);
}

int tandem_encoder_run(struct tandem_encoder *e, const int16_t *samples,
		       uint8_t payload[TANDEM_PLAY_PAYLOAD_MAX])
{
	const int n = (int)codecs[e->codec].rate / 50;
	int i, len = n;

	switch (e->codec) {
	case TANDEM_PLAY_PCMU:
		for (i = 0; i < n; i++)
			payload[i] = tandem_encoder_ulaw(samples[i]);
		break;
	case TANDEM_PLAY_PCMA:
		for (i = 0; i < n; i++)
			payload[i] = tandem_encoder_alaw(samples[i]);
		break;
	case TANDEM_PLAY_G722:
		len = g722_encode(e->g722, payload, samples, n);
		break;
	case TANDEM_PLAY_OPUS:
		len = opus_encode(e->opus, samples, n, payload, TANDEM_PLAY_PAYLOAD_MAX);
		break;
	case TANDEM_PLAY_NONE:
		return -EINVAL;
	}
	return len > 0 ? len : -EIO;
}
