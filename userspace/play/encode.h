/* SPDX-License-Identifier: GPL-2.0-only */
/* Audio of one channel into payloads of 20 ms. */
#ifndef TANDEM_PLAY_ENCODE_H
#define TANDEM_PLAY_ENCODE_H

#include <stddef.h>
#include <stdint.h>

enum tandem_play_codec {
	TANDEM_PLAY_NONE,
	TANDEM_PLAY_PCMU,
	TANDEM_PLAY_PCMA,
	TANDEM_PLAY_G722, /* RFC 3551 4.5.2: its clock is 8000, it has 16000 samples a second */
	TANDEM_PLAY_OPUS, /* RFC 7587 */
};

#define TANDEM_PLAY_PAYLOAD_MAX 400 /* octets of a payload */
#define TANDEM_PLAY_SAMPLES_MAX 960 /* that go into one */

struct tandem_encoder;

/* The codec of this name in SDP, or of a static payload type (RFC 3551 6) where it has none. */
enum tandem_play_codec tandem_encoder_find(const char *name, uint32_t clock_hz, uint8_t pt);
const char *tandem_encoder_name(enum tandem_play_codec codec);

/* Samples a second that it takes, and by how much the timestamp grows with a payload. */
uint32_t tandem_encoder_rate(enum tandem_play_codec codec);
uint32_t tandem_encoder_step(enum tandem_play_codec codec);

/* 0, -ENOMEM or -EINVAL. */
int tandem_encoder_alloc(struct tandem_encoder **ep, enum tandem_play_codec codec);
void tandem_encoder_free(struct tandem_encoder *e);

/* Encode the samples of 20 ms. Returns octets, at most TANDEM_PLAY_PAYLOAD_MAX, or -EIO. */
int tandem_encoder_run(struct tandem_encoder *e, const int16_t *samples,
		       uint8_t payload[TANDEM_PLAY_PAYLOAD_MAX]);

/* ITU-T G.711, one sample of 16 bits. */
uint8_t tandem_encoder_ulaw(int16_t sample);
uint8_t tandem_encoder_alaw(int16_t sample);

#endif
