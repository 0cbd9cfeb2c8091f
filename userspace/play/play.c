/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/play/play.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "userspace/play/local.h"
#include "userspace/play/tone.h"
#include "userspace/util/log.h"
#include "userspace/util/thread.h"

static struct play_voice **bucket(struct tandem_play *play, uint64_t number)
{
	return &play->buckets[number % PLAY_BUCKETS];
}

static struct play_voice *find_voice(struct tandem_play *play, uint64_t number,
				     enum tandem_party_id hearer)
{
	struct play_voice *v = *bucket(play, number);

	while (v && !(v->number == number && v->hearer == hearer))
		v = v->next;
	return v;
}

static void take_codecs(struct play_voice *v, const struct tandem_audio_target *target)
{
	const struct tandem_audio_codec *c;
	size_t i;

	v->codec = TANDEM_PLAY_NONE;
	v->event_pt = PLAY_NO_EVENTS;
	for (i = 0; i < target->codec_count; i++) {
		c = &target->codecs[i];
		if (v->codec == TANDEM_PLAY_NONE) {
			v->codec = tandem_encoder_find(c->name, c->clock_hz, c->pt);
			v->pt = c->pt;
		}
	}
	for (i = 0; i < target->codec_count; i++) {
		c = &target->codecs[i];
		if (strcasecmp(c->name, "telephone-event") || !c->clock_hz)
			continue;
		/* the one with the clock of the audio, whose timestamps it shares (RFC 4733 2.2) */
		if (v->event_pt == PLAY_NO_EVENTS ||
		    c->clock_hz == 50 * tandem_encoder_step(v->codec)) {
			v->event_pt = c->pt;
			v->event_clock = c->clock_hz;
		}
	}
}

static void aim(struct play_voice *v, const struct tandem_audio_target *target)
{
	memcpy(v->flow_id, target->flow_id, sizeof(v->flow_id));
	memcpy(v->local, target->local, sizeof(v->local));
	take_codecs(v, target);
}

static int add_voice(struct tandem_play *play, uint64_t number, enum tandem_party_id hearer,
		     struct play_voice **vp)
{
	struct play_voice *v = calloc(1, sizeof(*v)), **head = bucket(play, number);
	struct {
		uint32_t ssrc, ts;
		uint16_t seq;
	} start;

	if (!v)
		return -ENOMEM;
	/* RFC 3550 5.1, 8: nobody else is to guess or to have them */
	if (getrandom(&start, sizeof(start), 0) != (ssize_t)sizeof(start)) {
		free(v);
		return -EIO;
	}
	v->number = number;
	v->hearer = hearer;
	v->ssrc = start.ssrc;
	v->ts = start.ts;
	v->seq = start.seq & 0x7fff; /* RFC 3711 3.3.1: far from where it begins again */
	v->last = -1;
	v->next = *head;
	*head = v;
	play->voices++;
	*vp = v;
	return 0;
}

static bool takes_digits(const struct play_voice *v)
{
	return v->event_pt != PLAY_NO_EVENTS || tandem_tone_fits(v->codec);
}

/* They stop playing; those of a session that is over are gone. */
static void silence(struct tandem_play *play, struct play_voice *v)
{
	struct play_voice **at = &play->active;

	play_voice_hush(play, v);
	v->event_count = 0;
	v->event_tick = 0;
	v->active = false;
	while (*at && *at != v)
		at = &(*at)->next_active;
	if (*at)
		*at = v->next_active;
}

/* After a change of its session. Returns false when that is over. */
static bool refresh(struct tandem_play *play, struct play_voice *v)
{
	const enum tandem_play_codec before = v->codec;
	struct tandem_audio_target target;
	int err = tandem_session_target(play->sessions, v->number, v->hearer, &target);

	if (err == -ENOENT)
		return false;
	if (err) {
		silence(play, v);
		return true;
	}
	aim(v, &target);
	if (!takes_digits(v)) {
		v->event_count = 0;
		v->event_tick = 0;
	}
	if (!v->playing || v->codec == before)
		return true;
	if (v->codec == TANDEM_PLAY_NONE)
		play_voice_hush(play, v);
	else
		play_want(play, v);
	return true;
}

static void on_change(uint64_t number, void *arg)
{
	struct tandem_play *play = arg;
	struct play_voice **at = bucket(play, number), *v;

	pthread_mutex_lock(&play->lock);
	while ((v = *at)) {
		if (v->number != number || refresh(play, v)) {
			at = &v->next;
			continue;
		}
		silence(play, v);
		*at = v->next;
		free(v);
		play->voices--;
	}
	pthread_mutex_unlock(&play->lock);
}

/* ---- life ------------------------------------------------------------------ */

int tandem_play_open(struct tandem_play **playp, const struct tandem_play_config *cfg,
		     struct tandem_sessions *sessions, struct tandem_plane *plane)
{
	struct tandem_play *play = calloc(1, sizeof(*play));
	int err = 0;

	if (!play)
		return -ENOMEM;
	play->dir_fd = -1;
	play->sessions = sessions;
	play->plane = plane;
	play->max_players = cfg->max_players;
	if (cfg->dir) {
		play->dir = strdup(cfg->dir);
		play->dir_fd = open(cfg->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (!play->dir || play->dir_fd < 0)
			err = play->dir ? -errno : -ENOMEM;
	}
	if (err) {
		if (play->dir_fd >= 0)
			close(play->dir_fd);
		free(play->dir);
		free(play);
		return err;
	}
	pthread_mutex_init(&play->lock, NULL);
	pthread_cond_init(&play->to_pace, NULL);
	pthread_cond_init(&play->to_make, NULL);
	tandem_sessions_on_change(sessions, on_change, play);
	*playp = play;
	return 0;
}

static void stop_threads(struct tandem_play *play)
{
	if (!play->threads)
		return;
	pthread_mutex_lock(&play->lock);
	__atomic_store_n(&play->stopping, 1, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&play->to_pace);
	pthread_cond_broadcast(&play->to_make);
	pthread_mutex_unlock(&play->lock);
	pthread_join(play->pacer, NULL);
	pthread_join(play->maker, NULL);
	play->threads = false;
}

void tandem_play_close(struct tandem_play *play)
{
	struct play_voice *v;
	size_t i;

	if (!play)
		return;
	tandem_sessions_on_change(play->sessions, NULL, NULL);
	stop_threads(play);
	for (i = 0; i < PLAY_BUCKETS; i++) {
		while ((v = play->buckets[i])) {
			play->buckets[i] = v->next;
			silence(play, v);
			free(v);
		}
	}
	play_clips_clean(play);
	pthread_cond_destroy(&play->to_make);
	pthread_cond_destroy(&play->to_pace);
	pthread_mutex_destroy(&play->lock);
	if (play->dir_fd >= 0)
		close(play->dir_fd);
	free(play->dir);
	free(play);
}

/* Only once something is to be played; most relays never do. */
static int start_threads(struct tandem_play *play)
{
	int err;

	if (play->threads)
		return 0;
	err = tandem_thread_start(&play->pacer, play_pacer, play);
	if (err)
		return err;
	err = tandem_thread_start(&play->maker, play_maker, play);
	play->threads = !err;
	if (!err)
		return 0;
	pthread_mutex_lock(&play->lock);
	__atomic_store_n(&play->stopping, 1, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&play->to_pace);
	pthread_mutex_unlock(&play->lock);
	pthread_join(play->pacer, NULL);
	play->stopping = 0;
	return err;
}

/* ---- what the controller asks for ------------------------------------------ */

/* Sets *numberp and, where there is a voice already, *vp. The lock is the caller's. */
static int find_target(struct tandem_play *play, const char *call, enum tandem_party_id hearer,
		       uint64_t *number, struct tandem_audio_target *target, const char **why)
{
	int err = tandem_session_number(play->sessions, call, number);

	if (!err)
		err = tandem_session_target(play->sessions, *number, hearer, target);
	if (!err)
		err = start_threads(play);
	if (err == -ENOENT)
		*why = "Unknown call-id";
	else if (err == -ENOTCONN)
		*why = "No audio is agreed on with this party";
	else if (err == -EOPNOTSUPP)
		*why = "The audio is secured between the two ends";
	else if (err)
		*why = strerror(-err);
	return err;
}

static int take_voice(struct tandem_play *play, uint64_t number, enum tandem_party_id hearer,
		      const struct tandem_audio_target *target, struct play_voice **vp)
{
	struct play_voice *v = find_voice(play, number, hearer);
	int err = v ? 0 : add_voice(play, number, hearer, &v);

	if (err)
		return err;
	if (!v->playing && !v->event_count)
		aim(v, target); /* else it is aimed already, and a change has been dealt with */
	*vp = v;
	return 0;
}

static const char *below(const struct tandem_play *play, const char *file)
{
	const size_t len = strlen(play->dir);

	if (strncmp(file, play->dir, len) || file[len] != '/')
		return file;
	file += len;
	return file + strspn(file, "/");
}

static const char *source_why(int err)
{
	switch (err) {
	case -ENOENT:
		return "No such media file";
	case -EACCES:
		return "The media file is not below the directory of announcements, or cannot be "
		       "read";
	case -EFBIG:
		return "The media file is too large or too long";
	case -EBADMSG:
		return "The media file is no audio that can be read";
	default:
		return strerror(-err);
	}
}

static int open_source(struct tandem_play *play, const struct tandem_play_order *order,
		       struct play_held **heldp, const char **why)
{
	struct play_held *held;
	int err = 0;

	if (order->file && !play->dir) {
		*why = "No directory of announcements is configured (media.play_dir)";
		return -EACCES;
	}
	held = calloc(1, sizeof(*held));
	if (!held)
		err = -ENOMEM;
	else if (order->file)
		err = tandem_source_file(&held->source, play->dir_fd, below(play, order->file));
	else
		err = tandem_source_blob(&held->source, order->blob, order->blob_len);
	if (err) {
		*why = source_why(err);
		free(held);
		return err;
	}
	held->refs = 1;
	*heldp = held;
	return 0;
}

static void begin(struct tandem_play *play, struct play_voice *v,
		  const struct tandem_play_order *order, struct play_held *held)
{
	play_voice_hush(play, v);
	play->players++;
	v->playing = true;
	v->held = held;
	v->frame = order->start;
	v->repeats = order->repeat;
	v->left = order->duration_ms
			  ? (order->duration_ms + TANDEM_PLAY_FRAME_MS - 1) / TANDEM_PLAY_FRAME_MS
			  : UINT32_MAX;
	v->last = -1;
	play_pace(play, v);
	play_want(play, v);
}

int tandem_play_start(struct tandem_play *play, const char *call, enum tandem_party_id hearer,
		      const struct tandem_play_order *order, int64_t *duration_ms, const char **why)
{
	struct tandem_audio_target target;
	struct play_held *held;
	struct play_voice *v;
	uint64_t number;
	int err = find_target(play, call, hearer, &number, &target, why);

	if (!err)
		err = open_source(play, order, &held, why);
	if (err)
		return err;
	*duration_ms = tandem_source_duration_ms(held->source);
	pthread_mutex_lock(&play->lock);
	err = take_voice(play, number, hearer, &target, &v);
	if (err) {
		*why = strerror(-err);
	} else if (v->codec == TANDEM_PLAY_NONE) {
		*why = "No codec that the relay has is agreed on with this party";
		err = -EPROTO;
	} else if (!v->playing && play->players >= play->max_players) {
		*why = "Too many announcements are being played";
		err = -ENOSPC;
	} else {
		begin(play, v, order, held);
		tandem_log(TANDEM_LOG_INFO, "play", "%s hears %s, by %s",
			   hearer == TANDEM_PARTY_A ? "the caller" : "the callee",
			   order->file ? "a file" : "a blob", tandem_encoder_name(v->codec));
	}
	if (err)
		play_held_put(held);
	pthread_mutex_unlock(&play->lock);
	return err;
}

int tandem_play_stop(struct tandem_play *play, const char *call, enum tandem_party_id hearer,
		     int64_t *frame)
{
	struct play_voice *v;
	uint64_t number;
	int err = tandem_session_number(play->sessions, call, &number);

	if (err)
		return err;
	pthread_mutex_lock(&play->lock);
	v = find_voice(play, number, hearer);
	if (v && v->playing) {
		*frame = v->last;
		play_voice_hush(play, v);
	} else {
		err = -ENOENT;
	}
	pthread_mutex_unlock(&play->lock);
	return err;
}

int tandem_play_dtmf(struct tandem_play *play, const char *call, enum tandem_party_id hearer,
		     const struct tandem_play_event *event, const char **why)
{
	struct tandem_audio_target target;
	struct play_voice *v;
	uint64_t number;
	int err = find_target(play, call, hearer, &number, &target, why);

	if (err)
		return err;
	pthread_mutex_lock(&play->lock);
	err = take_voice(play, number, hearer, &target, &v);
	if (err) {
		*why = strerror(-err);
	} else if (!takes_digits(v)) {
		*why = "Neither telephone-event nor G.711 is agreed on with the other party";
		err = -EPROTO;
	} else if (v->event_count == TANDEM_PLAY_EVENTS) {
		*why = "Too many DTMF events are waiting";
		err = -ENOSPC;
	} else {
		v->events[(v->event_first + v->event_count++) % TANDEM_PLAY_EVENTS] = *event;
		play_pace(play, v);
	}
	pthread_mutex_unlock(&play->lock);
	return err;
}

json_t *tandem_play_json(struct tandem_play *play)
{
	json_t *doc;

	if (!play)
		return json_null();
	pthread_mutex_lock(&play->lock);
	doc = json_pack("{s:I, s:I, s:I, s:I, s:I}", "players", (json_int_t)play->players, "voices",
			(json_int_t)play->voices, "packets", (json_int_t)play->packets, "lost",
			(json_int_t)play->lost, "cached_octets", (json_int_t)play->clips_octets);
	pthread_mutex_unlock(&play->lock);
	return doc;
}
