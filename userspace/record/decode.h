/* SPDX-License-Identifier: GPL-2.0-only */
/* RTP payloads into samples of one channel. */
#ifndef TANDEM_RECORD_DECODE_H
#define TANDEM_RECORD_DECODE_H

#include <stddef.h>
#include <stdint.h>

#define TANDEM_DECODE_MAX 5760 /* samples of one payload: 120 ms at 48 kHz */

struct tandem_decoder;

/* The sample rate of a codec, by its name in SDP, or its static payload type; 0: it cannot be decoded. */
uint32_t tandem_decoder_rate(const char *name, uint32_t clock_hz, uint8_t pt);

/* rate: samples a second that are wanted. -ENOTSUP: not that codec; -ENOMEM. */
int tandem_decoder_alloc(struct tandem_decoder **dp, const char *name, uint32_t clock_hz,
			 uint8_t pt, uint32_t rate);
void tandem_decoder_free(struct tandem_decoder *d);

/* Returns samples, at most size; or -EBADMSG. */
int tandem_decoder_run(struct tandem_decoder *d, const uint8_t *payload, size_t len,
		       int16_t *samples, size_t size);

#endif
