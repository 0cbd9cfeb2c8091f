/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/record/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S  1000000000ULL
#define BEHIND_MS 1000 /* that the file is behind */
#define PAUSES	  64   /* that are told of */
#define SYNC_S	  10   /* after which the length in the file's head is right again */

struct pause {
	uint64_t from_ns, to_ns; /* 0: it lasts */
};

struct tandem_tape {
	struct tandem_mix *mix;
	SNDFILE *file;
	int fd;
	char path[PATH_MAX];
	uint32_t rate;
	uint64_t start_ns;
	uint64_t unsynced; /* frames */
	bool paused;
	struct pause pauses[PAUSES];
	size_t pause_count;
	json_t *about;
};

int tandem_tape_packet(struct tandem_tape *t, const struct tandem_mix_packet *p)
{
	return t->paused ? tandem_mix_run(t->mix, p->ns) : tandem_mix_packet(t->mix, p);
}

void tandem_tape_codecs(struct tandem_tape *t, const struct tandem_mix_codecs *codecs)
{
	tandem_mix_codecs(t->mix, codecs);
}

/* ---- the file ---------------------------------------------------------------------- */

static int write_frames(const int16_t *frames, size_t n, void *arg)
{
	struct tandem_tape *t = arg;

	errno = 0;
	if (sf_writef_short(t->file, frames, (sf_count_t)n) != (sf_count_t)n)
		return errno ? -errno : -EIO;
	t->unsynced += n;
	if (t->unsynced > (uint64_t)SYNC_S * t->rate) {
		t->unsynced = 0;
		sf_command(t->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
	}
	return 0;
}

int tandem_tape_run(struct tandem_tape *t, uint64_t now_ns)
{
	return tandem_mix_run(t->mix, now_ns);
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
	tandem_mix_free(t->mix);
	if (t->file)
		sf_close(t->file);
	if (t->fd >= 0)
		close(t->fd);
	json_decref(t->about);
	free(t);
}

int tandem_tape_open(struct tandem_tape **tapep, const char *path, uint64_t now_ns,
		     const struct tandem_mix_codecs *codecs, json_t *about)
{
	struct tandem_tape *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->fd = -1;
	snprintf(t->path, sizeof(t->path), "%s", path);
	t->start_ns = now_ns;
	t->rate = tandem_mix_best_rate(codecs);
	t->about = json_incref(about);
	err = tandem_mix_alloc(&t->mix, t->rate, BEHIND_MS, now_ns, codecs, write_frames, t);
	if (!err)
		err = open_file(t);
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
	int written = tandem_mix_end(t->mix, now_ns), err;
	const struct tandem_mix_counters counters = tandem_mix_counters(t->mix);

	sf_close(t->file);
	t->file = NULL;
	json_object_set_new(t->about, "started", time_json(t->start_ns));
	json_object_set_new(t->about, "ended", time_json(now_ns));
	json_object_set_new(t->about, "end", json_string(why));
	json_object_set_new(t->about, "duration_ms",
			    json_integer((json_int_t)(counters.frames * 1000 / t->rate)));
	json_object_set_new(t->about, "rate", json_integer(t->rate));
	json_object_set_new(t->about, "channels", json_pack("[s, s]", "a", "b"));
	json_object_set(t->about, "streams", tandem_mix_streams(t->mix));
	json_object_set_new(t->about, "pauses", pauses_json(t));
	json_object_set_new(t->about, "late", json_integer((json_int_t)counters.late));
	json_object_set_new(t->about, "undecoded", json_integer((json_int_t)counters.undecoded));
	err = write_about(t);
	tape_free(t);
	return written ? written : err;
}
