/* SPDX-License-Identifier: GPL-2.0-only */
/* A source into the payloads that are sent: read, mixed to one channel, resampled, encoded. */
#include <errno.h>
#include <math.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/play/sound.h"

#define CHUNK	   1024 /* samples of each channel that are read at a time */
#define QUALITY	   5	/* of resampling, 0 to 10: for voice, without much delay */
#define FRAMES_MAX (TANDEM_SOURCE_S_MAX * 50U)
#define ROOM_FIRST 256 /* frames */

struct making {
	struct tandem_clip *clip;
	struct tandem_encoder *encoder;
	SpeexResamplerState *resampler; /* NULL: the rate is right */
	uint32_t room;			/* frames that clip->end has room for */
	size_t octets_room;
	int16_t samples[TANDEM_PLAY_SAMPLES_MAX];
	uint32_t count, per_frame;
};

size_t tandem_clip_size(const struct tandem_clip *clip)
{
	return sizeof(*clip) + clip->frames * sizeof(*clip->end) +
	       (clip->frames ? clip->end[clip->frames - 1] : 0);
}

void tandem_clip_free(struct tandem_clip *clip)
{
	if (!clip)
		return;
	free(clip->end);
	free(clip->octets);
	free(clip);
}

static int grow(void **p, size_t size)
{
	void *bigger = realloc(*p, size);

	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	return 0;
}

static int reserve(struct making *m, size_t octets)
{
	struct tandem_clip *clip = m->clip;
	int err = 0;

	if (clip->frames == FRAMES_MAX)
		return -EFBIG;
	if (clip->frames == m->room) {
		m->room = m->room ? 2 * m->room : ROOM_FIRST;
		err = grow((void **)&clip->end, m->room * sizeof(*clip->end));
	}
	while (!err && octets + TANDEM_PLAY_PAYLOAD_MAX > m->octets_room) {
		m->octets_room = m->octets_room ? 2 * m->octets_room
						: ROOM_FIRST * (size_t)TANDEM_PLAY_PAYLOAD_MAX;
		err = grow((void **)&clip->octets, m->octets_room);
	}
	return err;
}

static int add_frame(struct making *m)
{
	struct tandem_clip *clip = m->clip;
	const uint32_t at = clip->frames ? clip->end[clip->frames - 1] : 0;
	int len = reserve(m, at);

	if (len)
		return len;
	len = tandem_encoder_run(m->encoder, m->samples, clip->octets + at);
	if (len < 0)
		return len;
	clip->end[clip->frames++] = at + (uint32_t)len;
	m->count = 0;
	return 0;
}

static int add_samples(struct making *m, const float *samples, size_t n)
{
	size_t i;
	int err = 0;

	for (i = 0; i < n && !err; i++) {
		const float v = samples[i] * 32768.0f;

		m->samples[m->count++] = (int16_t)(v >= 32767.0f   ? 32767
						   : v > -32768.0f ? lrintf(v)
								   : -32768);
		if (m->count == m->per_frame)
			err = add_frame(m);
	}
	return err;
}

static int resample(struct making *m, const float *in, size_t n)
{
	float out[CHUNK];
	spx_uint32_t taken, made;
	int err = 0;

	if (!m->resampler)
		return add_samples(m, in, n);
	while (n && !err) {
		taken = (spx_uint32_t)n;
		made = CHUNK;
		if (speex_resampler_process_float(m->resampler, 0, in, &taken, out, &made))
			return -ENOMEM;
		if (!taken && !made)
			return -EBADMSG;
		err = add_samples(m, out, made);
		in += taken;
		n -= taken;
	}
	return err;
}

/* What is still inside the resampler, and the last frame filled up with silence. */
static int finish(struct making *m)
{
	static const float silence[CHUNK];
	int left = m->resampler ? speex_resampler_get_input_latency(m->resampler) : 0, n;
	int err = 0;

	for (; left > 0 && !err; left -= n) {
		n = left < CHUNK ? left : CHUNK;
		err = resample(m, silence, (size_t)n);
	}
	if (err || !m->count)
		return err;
	memset(m->samples + m->count, 0, (m->per_frame - m->count) * sizeof(m->samples[0]));
	return add_frame(m);
}

static void mix(float *samples, sf_count_t n, int channels)
{
	sf_count_t i;
	int c;

	for (i = 0; i < n && channels > 1; i++) {
		float sum = 0;

		for (c = 0; c < channels; c++)
			sum += samples[i * channels + c];
		samples[i] = sum / (float)channels;
	}
}

static int read_all(struct making *m, SNDFILE *sound, int channels, const int *stop)
{
	float *buf = calloc((size_t)channels * CHUNK, sizeof(*buf));
	sf_count_t n;
	int err = buf ? 0 : -ENOMEM;

	while (!err && (n = sf_readf_float(sound, buf, CHUNK)) > 0) {
		mix(buf, n, channels);
		err = resample(m, buf, (size_t)n);
		if (__atomic_load_n(stop, __ATOMIC_RELAXED))
			err = -ECANCELED;
	}
	free(buf);
	return err ? err : finish(m);
}

static int prepare(struct making *m, enum tandem_play_codec codec, uint32_t rate)
{
	const uint32_t wanted = tandem_encoder_rate(codec);
	int err = tandem_encoder_alloc(&m->encoder, codec);

	if (err)
		return err;
	m->per_frame = wanted / 50;
	m->clip = calloc(1, sizeof(*m->clip));
	if (!m->clip)
		return -ENOMEM;
	m->clip->codec = codec;
	if (rate == wanted)
		return 0;
	m->resampler = speex_resampler_init(1, rate, wanted, QUALITY, &err);
	if (!m->resampler)
		return -ENOMEM;
	speex_resampler_skip_zeros(m->resampler);
	return 0;
}

int tandem_source_encode(struct tandem_source *s, enum tandem_play_codec codec, const int *stop,
			 struct tandem_clip **clip)
{
	struct making m = { 0 };
	struct tandem_octets f;
	SF_INFO info;
	SNDFILE *sound = tandem_source_open(s, &f, &info);
	int err = sound ? prepare(&m, codec, (uint32_t)info.samplerate) : -EBADMSG;

	if (!err)
		err = read_all(&m, sound, info.channels, stop);
	if (!err && !m.clip->frames)
		err = -EBADMSG;
	if (sound)
		sf_close(sound);
	if (m.resampler)
		speex_resampler_destroy(m.resampler);
	tandem_encoder_free(m.encoder);
	if (err) {
		tandem_clip_free(m.clip);
		return err;
	}
	strncpy(m.clip->key, tandem_source_key(s), sizeof(m.clip->key) - 1);
	*clip = m.clip;
	return 0;
}
