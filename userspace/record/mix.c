/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/record/mix.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "userspace/record/decode.h"

#define AHEAD_S	   3	/* of samples in hand that are yet to come */
#define SOURCES	   8	/* SSRCs of a party that are heard at a time */
#define CHUNK	   4096 /* frames that are given out at a time */
#define RATE_FIRST 8000

/* One SSRC of a party: where its timestamps are in the file. */
struct source {
	bool used;
	uint32_t ssrc;
	uint8_t pt;
	uint32_t clock_hz;
	int64_t at; /* frame of timestamp ts */
	uint32_t ts;
	uint64_t last_ns;
	uint16_t first_seq;
	uint64_t packets;
	uint32_t highest; /* extended sequence number */
	char codec[24];
	struct tandem_decoder *decoder; /* NULL: it cannot be decoded */
};

struct tandem_mix {
	uint32_t rate;
	int64_t behind; /* frames that it is given out late */
	uint64_t start_ns;
	struct tandem_mix_codecs codecs;
	struct source sources[2][SOURCES];
	int32_t *window; /* frames of two channels, from `given` on, a ring */
	int64_t size;	 /* of it, in frames */
	int64_t given;	 /* frames that were given out */
	int64_t end;	 /* of the last sample there is */
	uint64_t late, undecoded;
	json_t *streams; /* those whose place was wanted by another */
	tandem_mix_h *h;
	void *arg;
	int err;
};

static int64_t frame_at(const struct tandem_mix *m, uint64_t ns)
{
	return ns <= m->start_ns ? 0 : (int64_t)((ns - m->start_ns) / 1000 * m->rate / 1000000);
}

/* ---- what a payload type is ------------------------------------------------------ */

static const struct tandem_mix_codec *codec_of(const struct tandem_mix *m, uint8_t party,
					       uint8_t media, uint8_t pt)
{
	size_t i;

	for (i = 0; i < m->codecs.count; i++) {
		const struct tandem_mix_codec *c = &m->codecs.v[i];

		if (c->party == party && c->media == media && c->pt == pt)
			return c;
	}
	return NULL;
}

static bool is_aside(const char *name)
{
	return !strcasecmp(name, "telephone-event") || !strcasecmp(name, "CN");
}

uint32_t tandem_mix_best_rate(const struct tandem_mix_codecs *codecs)
{
	uint32_t best = RATE_FIRST;
	size_t i;

	for (i = 0; i < codecs->count; i++) {
		const struct tandem_mix_codec *c = &codecs->v[i];
		uint32_t rate = tandem_decoder_rate(c->name, c->clock_hz, c->pt);

		best = rate > best ? rate : best;
	}
	return best;
}

/* ---- sources ---------------------------------------------------------------------- */

static json_t *source_json(const struct source *s, int party)
{
	uint64_t expected = (uint64_t)s->highest - s->first_seq + 1;

	return json_pack("{s:s, s:I, s:s, s:I, s:I}", "party", party ? "b" : "a", "ssrc",
			 (json_int_t)s->ssrc, "codec", s->codec, "packets", (json_int_t)s->packets,
			 "lost", (json_int_t)expected - (json_int_t)s->packets);
}

static void source_end(struct tandem_mix *m, struct source *s, int party)
{
	if (s->used)
		json_array_append_new(m->streams, source_json(s, party));
	tandem_decoder_free(s->decoder);
	memset(s, 0, sizeof(*s));
}

static void set_decoder(struct tandem_mix *m, struct source *s, const char *name, uint32_t clock_hz,
			uint8_t pt)
{
	tandem_decoder_free(s->decoder);
	s->decoder = NULL;
	s->pt = pt;
	s->clock_hz = clock_hz ? clock_hz : 8000;
	snprintf(s->codec, sizeof(s->codec), "%s", name);
	tandem_decoder_alloc(&s->decoder, name, s->clock_hz, pt, m->rate);
}

static struct source *source_of(struct tandem_mix *m, uint8_t party, uint32_t ssrc)
{
	struct source *s, *oldest = &m->sources[party][0];
	size_t i;

	for (i = 0; i < SOURCES; i++) {
		s = &m->sources[party][i];
		if (s->used && s->ssrc == ssrc)
			return s;
		if (!s->used || (oldest->used && s->last_ns < oldest->last_ns))
			oldest = s;
	}
	source_end(m, oldest, party);
	oldest->ssrc = ssrc;
	return oldest;
}

/* ---- packets ---------------------------------------------------------------------- */

struct rtp {
	uint8_t pt;
	uint16_t seq;
	uint32_t ts, ssrc;
	const uint8_t *payload;
	uint32_t len;
};

/* RFC 3550 5.1, 5.3.1. It has passed the relay's checks, but what it was cut to is not known here. */
static bool read_rtp(const struct tandem_mix_packet *p, struct rtp *out)
{
	const uint8_t *b = p->rtp;
	uint32_t head = 12, padding = 0;

	if (p->len < head)
		return false;
	head += 4U * (b[0] & 15);
	if (b[0] & 0x10) {
		if (p->len < head + 4)
			return false;
		head += 4 + 4U * (uint32_t)(b[head + 2] << 8 | b[head + 3]);
	}
	if (b[0] & 0x20)
		padding = b[p->len - 1];
	if (p->len < head + padding)
		return false;
	out->pt = b[1] & 0x7f;
	out->seq = (uint16_t)(b[2] << 8 | b[3]);
	out->ts = (uint32_t)b[4] << 24 | (uint32_t)b[5] << 16 | (uint32_t)b[6] << 8 | b[7];
	out->ssrc = (uint32_t)b[8] << 24 | (uint32_t)b[9] << 16 | (uint32_t)b[10] << 8 | b[11];
	out->payload = b + head;
	out->len = p->len - head - padding;
	return true;
}

static void count(struct source *s, const struct rtp *rtp)
{
	int16_t ahead = (int16_t)(rtp->seq - (uint16_t)s->highest);

	if (!s->packets++)
		s->highest = s->first_seq = rtp->seq;
	else if (ahead > 0)
		s->highest += (uint32_t)ahead;
}

/* Where a packet belongs. One that says it is far from where it came in, or given out, begins anew. */
static int64_t place(struct tandem_mix *m, struct source *s, const struct rtp *rtp, uint64_t ns)
{
	const int64_t came = frame_at(m, ns);
	int64_t at = s->at + (int64_t)(int32_t)(rtp->ts - s->ts) * m->rate / s->clock_hz;

	if (!s->used || at - came > m->rate || came - at > m->behind)
		at = came;
	s->used = true;
	s->at = at;
	s->ts = rtp->ts;
	s->last_ns = ns;
	return at;
}

static void lay(struct tandem_mix *m, int party, int64_t at, const int16_t *samples, int n)
{
	int i;

	for (i = 0; i < n; i++, at++) {
		if (at < m->given || at >= m->given + m->size) {
			m->late += i == 0;
			continue;
		}
		m->window[2 * (at % m->size) + party] += samples[i];
	}
	if (n && at > m->end)
		m->end = at < m->given + m->size ? at : m->given + m->size;
}

static bool heard(struct tandem_mix *m, const struct tandem_mix_packet *p, const struct rtp *rtp,
		  struct source *s)
{
	const struct tandem_mix_codec *c = codec_of(m, p->party, p->media, rtp->pt);

	if (c && is_aside(c->name))
		return false;
	if (!s->used || s->pt != rtp->pt || (c && strcmp(c->name, s->codec)))
		set_decoder(m, s, c ? c->name : "", c ? c->clock_hz : 0, rtp->pt);
	return true;
}

int tandem_mix_packet(struct tandem_mix *m, const struct tandem_mix_packet *p)
{
	int16_t samples[TANDEM_DECODE_MAX];
	struct source *s;
	struct rtp rtp;
	int64_t at;
	int n, err = tandem_mix_run(m, p->ns);

	if (err || p->party > 1 || !read_rtp(p, &rtp) || !rtp.len)
		return err;
	s = source_of(m, p->party, rtp.ssrc);
	count(s, &rtp);
	if (!heard(m, p, &rtp, s))
		return 0;
	at = place(m, s, &rtp, p->ns);
	n = s->decoder ? tandem_decoder_run(s->decoder, rtp.payload, rtp.len, samples,
					    TANDEM_DECODE_MAX)
		       : -ENOTSUP;
	if (n < 0)
		m->undecoded++;
	else
		lay(m, p->party, at, samples, n);
	return 0;
}

void tandem_mix_codecs(struct tandem_mix *m, const struct tandem_mix_codecs *codecs)
{
	m->codecs = *codecs;
}

/* ---- what comes out ----------------------------------------------------------------- */

static int16_t clip(int32_t sample)
{
	return (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : sample);
}

static int give(struct tandem_mix *m, int64_t n)
{
	int16_t out[2 * CHUNK];
	int64_t i;

	for (i = 0; i < n; i++, m->given++) {
		int32_t *frame = &m->window[2 * (m->given % m->size)];

		out[2 * i] = clip(frame[0]);
		out[2 * i + 1] = clip(frame[1]);
		frame[0] = frame[1] = 0;
	}
	m->err = m->h(out, (size_t)n, m->arg);
	return m->err;
}

static int give_until(struct tandem_mix *m, int64_t until)
{
	while (!m->err && m->given < until) {
		int64_t n = until - m->given;

		give(m, n < CHUNK ? n : CHUNK);
	}
	return m->err;
}

int tandem_mix_run(struct tandem_mix *m, uint64_t now_ns)
{
	return give_until(m, frame_at(m, now_ns) - m->behind);
}

int tandem_mix_end(struct tandem_mix *m, uint64_t now_ns)
{
	const int64_t now = frame_at(m, now_ns);

	return give_until(m, m->end > now || m->end == 0 ? m->end : now);
}

/* ---- the whole ---------------------------------------------------------------------- */

int tandem_mix_alloc(struct tandem_mix **mixp, uint32_t rate, uint32_t behind_ms, uint64_t now_ns,
		     const struct tandem_mix_codecs *codecs, tandem_mix_h *h, void *arg)
{
	struct tandem_mix *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->rate = rate;
	m->behind = (int64_t)rate * behind_ms / 1000;
	m->start_ns = now_ns;
	m->codecs = *codecs;
	m->h = h;
	m->arg = arg;
	m->size = m->behind + (int64_t)AHEAD_S * rate;
	m->window = calloc((size_t)m->size, 2 * sizeof(*m->window));
	m->streams = json_array();
	if (!m->window || !m->streams) {
		tandem_mix_free(m);
		return -ENOMEM;
	}
	*mixp = m;
	return 0;
}

void tandem_mix_free(struct tandem_mix *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < SOURCES; i++) {
		tandem_decoder_free(m->sources[0][i].decoder);
		tandem_decoder_free(m->sources[1][i].decoder);
	}
	json_decref(m->streams);
	free(m->window);
	free(m);
}

json_t *tandem_mix_streams(struct tandem_mix *m)
{
	for (size_t i = 0; i < SOURCES; i++) {
		source_end(m, &m->sources[0][i], 0);
		source_end(m, &m->sources[1][i], 1);
	}
	return m->streams;
}

struct tandem_mix_counters tandem_mix_counters(const struct tandem_mix *m)
{
	return (struct tandem_mix_counters){ (uint64_t)m->given, m->late, m->undecoded };
}
