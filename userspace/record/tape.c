/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/record/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "userspace/record/decode.h"

#define NS_PER_S   1000000000ULL
#define BEHIND_S   1	/* that the file is behind */
#define WINDOW_S   4	/* of samples in hand, with what is yet to come */
#define SOURCES	   8	/* SSRCs of a party that are heard at a time */
#define PAUSES	   64	/* that are told of */
#define CHUNK	   4096 /* frames that are written at a time */
#define SYNC_S	   10	/* after which the length in the file's head is right again */
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

struct pause {
	uint64_t from_ns, to_ns; /* 0: it lasts */
};

struct tandem_tape {
	SNDFILE *file;
	int fd;
	char path[PATH_MAX];
	uint32_t rate;
	uint64_t start_ns;
	struct tandem_tape_codecs codecs;
	struct source sources[2][SOURCES];
	int32_t *window; /* WINDOW_S of frames of two channels, from `written` on, a ring */
	int64_t size;	 /* of it, in frames */
	int64_t written; /* frames that are in the file */
	int64_t end;	 /* of the last sample there is */
	int64_t synced;
	bool paused;
	struct pause pauses[PAUSES];
	size_t pause_count;
	uint64_t late, undecoded;
	json_t *about;
	json_t *streams; /* those whose place was wanted by another */
	int err;
};

static int64_t frame_at(const struct tandem_tape *t, uint64_t ns)
{
	return ns <= t->start_ns ? 0 : (int64_t)((ns - t->start_ns) / 1000 * t->rate / 1000000);
}

/* ---- what a payload type is ------------------------------------------------------ */

static const struct tandem_tape_codec *codec_of(const struct tandem_tape *t, uint8_t party,
						uint8_t media, uint8_t pt)
{
	size_t i;

	for (i = 0; i < t->codecs.count; i++) {
		const struct tandem_tape_codec *c = &t->codecs.v[i];

		if (c->party == party && c->media == media && c->pt == pt)
			return c;
	}
	return NULL;
}

static bool is_aside(const char *name)
{
	return !strcasecmp(name, "telephone-event") || !strcasecmp(name, "CN");
}

/* The file has the rate of the best codec that there may be. */
static uint32_t best_rate(const struct tandem_tape_codecs *codecs)
{
	uint32_t best = RATE_FIRST;
	size_t i;

	for (i = 0; i < codecs->count; i++) {
		const struct tandem_tape_codec *c = &codecs->v[i];
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

static void source_end(struct tandem_tape *t, struct source *s, int party)
{
	if (s->used)
		json_array_append_new(t->streams, source_json(s, party));
	tandem_decoder_free(s->decoder);
	memset(s, 0, sizeof(*s));
}

static void set_decoder(struct tandem_tape *t, struct source *s, const char *name,
			uint32_t clock_hz, uint8_t pt)
{
	tandem_decoder_free(s->decoder);
	s->decoder = NULL;
	s->pt = pt;
	s->clock_hz = clock_hz ? clock_hz : 8000;
	snprintf(s->codec, sizeof(s->codec), "%s", name);
	tandem_decoder_alloc(&s->decoder, name, s->clock_hz, pt, t->rate);
}

static struct source *source_of(struct tandem_tape *t, uint8_t party, uint32_t ssrc)
{
	struct source *s, *oldest = &t->sources[party][0];
	size_t i;

	for (i = 0; i < SOURCES; i++) {
		s = &t->sources[party][i];
		if (s->used && s->ssrc == ssrc)
			return s;
		if (!s->used || (oldest->used && s->last_ns < oldest->last_ns))
			oldest = s;
	}
	source_end(t, oldest, party);
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
static bool read_rtp(const struct tandem_tape_packet *p, struct rtp *out)
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

/* Where a packet belongs. One that says it is far from where it came in begins anew. */
static int64_t place(struct tandem_tape *t, struct source *s, const struct rtp *rtp, uint64_t ns)
{
	const int64_t came = frame_at(t, ns);
	int64_t at = s->at + (int64_t)(int32_t)(rtp->ts - s->ts) * t->rate / s->clock_hz;

	if (!s->used || at - came > t->rate || came - at > t->rate)
		at = came;
	s->used = true;
	s->at = at;
	s->ts = rtp->ts;
	s->last_ns = ns;
	return at;
}

static void lay(struct tandem_tape *t, int party, int64_t at, const int16_t *samples, int n)
{
	int i;

	for (i = 0; i < n; i++, at++) {
		if (at < t->written || at >= t->written + t->size) {
			t->late += i == 0;
			continue;
		}
		t->window[2 * (at % t->size) + party] += samples[i];
	}
	if (n && at > t->end)
		t->end = at < t->written + t->size ? at : t->written + t->size;
}

static bool heard(struct tandem_tape *t, const struct tandem_tape_packet *p, const struct rtp *rtp,
		  struct source *s)
{
	const struct tandem_tape_codec *c = codec_of(t, p->party, p->media, rtp->pt);

	if (c && is_aside(c->name))
		return false;
	if (!s->used || s->pt != rtp->pt || (c && strcmp(c->name, s->codec)))
		set_decoder(t, s, c ? c->name : "", c ? c->clock_hz : 0, rtp->pt);
	return true;
}

int tandem_tape_packet(struct tandem_tape *t, const struct tandem_tape_packet *p)
{
	int16_t samples[TANDEM_DECODE_MAX];
	struct source *s;
	struct rtp rtp;
	int64_t at;
	int n, err = tandem_tape_run(t, p->ns);

	if (err || t->paused || p->party > 1 || !read_rtp(p, &rtp) || !rtp.len)
		return err;
	s = source_of(t, p->party, rtp.ssrc);
	count(s, &rtp);
	if (!heard(t, p, &rtp, s))
		return 0;
	at = place(t, s, &rtp, p->ns);
	n = s->decoder ? tandem_decoder_run(s->decoder, rtp.payload, rtp.len, samples,
					    TANDEM_DECODE_MAX)
		       : -ENOTSUP;
	if (n < 0)
		t->undecoded++;
	else
		lay(t, p->party, at, samples, n);
	return 0;
}

void tandem_tape_codecs(struct tandem_tape *t, const struct tandem_tape_codecs *codecs)
{
	t->codecs = *codecs;
}

/* ---- the file ---------------------------------------------------------------------- */

static int16_t clip(int32_t sample)
{
	return (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : sample);
}

static int write_frames(struct tandem_tape *t, int64_t n)
{
	int16_t out[2 * CHUNK];
	int64_t i;

	for (i = 0; i < n; i++, t->written++) {
		int32_t *frame = &t->window[2 * (t->written % t->size)];

		out[2 * i] = clip(frame[0]);
		out[2 * i + 1] = clip(frame[1]);
		frame[0] = frame[1] = 0;
	}
	errno = 0;
	if (sf_writef_short(t->file, out, n) == n)
		return 0;
	t->err = errno ? -errno : -EIO;
	return t->err;
}

static int write_until(struct tandem_tape *t, int64_t until)
{
	while (!t->err && t->written < until) {
		int64_t n = until - t->written;

		write_frames(t, n < CHUNK ? n : CHUNK);
	}
	if (!t->err && t->written - t->synced > (int64_t)SYNC_S * t->rate) {
		t->synced = t->written;
		sf_command(t->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
	}
	return t->err;
}

int tandem_tape_run(struct tandem_tape *t, uint64_t now_ns)
{
	return write_until(t, frame_at(t, now_ns) - (int64_t)BEHIND_S * t->rate);
}

void tandem_tape_pause(struct tandem_tape *t, bool on, uint64_t now_ns)
{
	if (on == t->paused)
		return;
	t->paused = on;
	if (on && t->pause_count < PAUSES)
		t->pauses[t->pause_count++].from_ns = now_ns;
	else if (!on && t->pause_count)
		t->pauses[t->pause_count - 1].to_ns = now_ns;
}

static int open_file(struct tandem_tape *t)
{
	SF_INFO info = { .samplerate = (int)t->rate,
			 .channels = 2,
			 .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };

	t->fd = open(t->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (t->fd < 0)
		return -errno;
	t->file = sf_open_fd(t->fd, SFM_WRITE, &info, 0);
	return t->file ? 0 : -EIO;
}

static void tape_free(struct tandem_tape *t)
{
	size_t i;

	if (t->file)
		sf_close(t->file);
	if (t->fd >= 0)
		close(t->fd);
	for (i = 0; i < SOURCES; i++) {
		tandem_decoder_free(t->sources[0][i].decoder);
		tandem_decoder_free(t->sources[1][i].decoder);
	}
	json_decref(t->about);
	json_decref(t->streams);
	free(t->window);
	free(t);
}

int tandem_tape_open(struct tandem_tape **tapep, const char *path, uint64_t now_ns,
		     const struct tandem_tape_codecs *codecs, json_t *about)
{
	struct tandem_tape *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->fd = -1;
	snprintf(t->path, sizeof(t->path), "%s", path);
	t->start_ns = now_ns;
	t->codecs = *codecs;
	t->rate = best_rate(codecs);
	t->size = (int64_t)WINDOW_S * t->rate;
	t->window = calloc((size_t)t->size, 2 * sizeof(*t->window));
	t->about = json_incref(about);
	t->streams = json_array();
	err = t->window && t->streams ? open_file(t) : -ENOMEM;
	if (err) {
		tape_free(t);
		return err;
	}
	*tapep = t;
	return 0;
}

/* ---- the end ------------------------------------------------------------------------ */

static json_t *time_json(uint64_t ns)
{
	time_t s = (time_t)(ns / NS_PER_S);
	char text[40], whole[64];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(whole, sizeof(whole), "%s.%03uZ", text, (unsigned int)(ns % NS_PER_S / 1000000));
	return json_string(whole);
}

static json_t *pauses_json(const struct tandem_tape *t)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < t->pause_count; i++)
		json_array_append_new(
			list, json_pack("{s:o, s:o}", "from", time_json(t->pauses[i].from_ns), "to",
					t->pauses[i].to_ns ? time_json(t->pauses[i].to_ns)
							   : json_null()));
	return list;
}

/* NAME.wav: NAME.json, which is there only when it is complete. */
static int write_about(struct tandem_tape *t)
{
	size_t len = strlen(t->path);
	char path[PATH_MAX + 8], part[PATH_MAX + 16];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%.*s.json", (int)(len > 4 ? len - 4 : len), t->path);
	snprintf(part, sizeof(part), "%s.part", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (json_dumpfd(t->about, fd, JSON_INDENT(1)))
		err = -EIO;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(part, path))
		err = -errno;
	if (err)
		unlink(part);
	return err;
}

int tandem_tape_close(struct tandem_tape *t, uint64_t now_ns, const char *why)
{
	const int64_t now = frame_at(t, now_ns);
	int i, err;

	write_until(t, t->end > now || t->end == 0 ? t->end : now);
	sf_close(t->file);
	t->file = NULL;
	for (i = 0; i < SOURCES; i++) {
		source_end(t, &t->sources[0][i], 0);
		source_end(t, &t->sources[1][i], 1);
	}
	json_object_set_new(t->about, "started", time_json(t->start_ns));
	json_object_set_new(t->about, "ended", time_json(now_ns));
	json_object_set_new(t->about, "end", json_string(why));
	json_object_set_new(t->about, "duration_ms",
			    json_integer((json_int_t)(t->written * 1000 / t->rate)));
	json_object_set_new(t->about, "rate", json_integer(t->rate));
	json_object_set_new(t->about, "channels", json_pack("[s, s]", "a", "b"));
	json_object_set(t->about, "streams", t->streams);
	json_object_set_new(t->about, "pauses", pauses_json(t));
	json_object_set_new(t->about, "late", json_integer((json_int_t)t->late));
	json_object_set_new(t->about, "undecoded", json_integer((json_int_t)t->undecoded));
	err = write_about(t);
	if (t->err)
		err = t->err;
	tape_free(t);
	return err;
}
