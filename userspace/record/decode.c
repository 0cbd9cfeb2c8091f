/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/record/decode.h"

#include <errno.h>
#include <opus/opus.h>
#include <spandsp.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <strings.h>

#define QUALITY 5 /* of resampling, 0 to 10 */

enum kind {
	KIND_NONE,
	KIND_ULAW,
	KIND_ALAW,
	KIND_G722, /* RFC 3551 4.5.2: its clock is 8000, it has 16000 samples a second */
	KIND_LINEAR,
	KIND_OPUS,
};

static const struct {
	const char *name;
	uint32_t clock_hz;
	int pt;	       /* static; -1: none */
	uint32_t rate; /* 0: the clock */
} codecs[] = {
	[KIND_NONE] = { "", 0, -1, 0 },	     [KIND_ULAW] = { "PCMU", 0, 0, 0 },
	[KIND_ALAW] = { "PCMA", 0, 8, 0 },   [KIND_G722] = { "G722", 8000, 9, 16000 },
	[KIND_LINEAR] = { "L16", 0, -1, 0 }, [KIND_OPUS] = { "opus", 48000, -1, 48000 },
};

struct tandem_decoder {
	enum kind kind;
	g722_decode_state_t *g722;
	OpusDecoder *opus;
	SpeexResamplerState *resampler; /* NULL: the rate is right */
	int16_t raw[TANDEM_DECODE_MAX];
};

static enum kind find(const char *name, uint32_t clock_hz, uint8_t pt)
{
	size_t i;

	for (i = KIND_NONE + 1; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		if (*name ? !strcasecmp(name, codecs[i].name) &&
				    (!codecs[i].clock_hz || clock_hz == codecs[i].clock_hz)
			  : pt == codecs[i].pt)
			return (enum kind)i;
	}
	return KIND_NONE;
}

uint32_t tandem_decoder_rate(const char *name, uint32_t clock_hz, uint8_t pt)
{
	enum kind kind = find(name, clock_hz, pt);

	if (kind == KIND_NONE || codecs[kind].rate)
		return codecs[kind].rate;
	return clock_hz ? clock_hz : 8000;
}

static int prepare(struct tandem_decoder *d, uint32_t from, uint32_t to)
{
	int err = 0;

	if (d->kind == KIND_G722)
		d->g722 = g722_decode_init(NULL, 64000, 0);
	if (d->kind == KIND_OPUS)
		d->opus = opus_decoder_create(48000, 1, &err);
	if (from != to)
		d->resampler = speex_resampler_init(1, from, to, QUALITY, &err);
	if ((d->kind == KIND_G722 && !d->g722) || (d->kind == KIND_OPUS && !d->opus) ||
	    (from != to && !d->resampler))
		return -ENOMEM;
	return 0;
}

int tandem_decoder_alloc(struct tandem_decoder **dp, const char *name, uint32_t clock_hz,
			 uint8_t pt, uint32_t rate)
{
	enum kind kind = find(name, clock_hz, pt);
	struct tandem_decoder *d;
	int err;

	if (kind == KIND_NONE)
		return -ENOTSUP;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->kind = kind;
	err = prepare(d, tandem_decoder_rate(name, clock_hz, pt), rate);
	if (err) {
		tandem_decoder_free(d);
		return err;
	}
	*dp = d;
	return 0;
}

void tandem_decoder_free(struct tandem_decoder *d)
{
	if (!d)
		return;
	if (d->g722)
		g722_decode_free(d->g722);
	if (d->opus)
		opus_decoder_destroy(d->opus);
	if (d->resampler)
		speex_resampler_destroy(d->resampler);
	free(d);
}

static int linear(const uint8_t *payload, size_t len, int16_t *samples)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		samples[i / 2] = (int16_t)(payload[i] << 8 | payload[i + 1]);
	return (int)(len / 2);
}

static int decode(struct tandem_decoder *d, const uint8_t *payload, size_t len, int16_t *samples)
{
	size_t i;

	/* the longest that any of them makes of an octet are two samples */
	if (d->kind != KIND_OPUS && len > TANDEM_DECODE_MAX / 2)
		return -EBADMSG;
	switch (d->kind) {
	case KIND_ULAW:
		for (i = 0; i < len; i++)
			samples[i] = ulaw_to_linear(payload[i]);
		return (int)len;
	case KIND_ALAW:
		for (i = 0; i < len; i++)
			samples[i] = alaw_to_linear(payload[i]);
		return (int)len;
	case KIND_LINEAR:
		return linear(payload, len, samples);
	case KIND_G722:
		return g722_decode(d->g722, samples, payload, (int)len);
	case KIND_OPUS:
		return opus_decode(d->opus, payload, (opus_int32)len, samples, TANDEM_DECODE_MAX,
				   0);
	default:
		return -EBADMSG;
	}
}

int tandem_decoder_run(struct tandem_decoder *d, const uint8_t *payload, size_t len,
		       int16_t *samples, size_t size)
{
	int n = decode(d, payload, len, d->raw);
	spx_uint32_t in, out;

	if (n < 0)
		return -EBADMSG;
	in = (spx_uint32_t)n;
	out = (spx_uint32_t)size;
	if (d->resampler) {
		speex_resampler_process_int(d->resampler, 0, d->raw, &in, samples, &out);
		return (int)out;
	}
	if (in > out)
		in = out;
	for (out = 0; out < in; out++)
		samples[out] = d->raw[out];
	return (int)in;
}
