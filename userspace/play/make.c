/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/play/local.h"
#include "userspace/util/log.h"

#define CACHE_OCTETS (64U << 20)  /* of clips that nobody hears, too */
#define CLIPS_OCTETS (256U << 20) /* of all */

void play_held_put(struct play_held *held)
{
	if (!held || --held->refs)
		return;
	tandem_source_free(held->source);
	free(held);
}

static void drop(struct tandem_play *play, struct tandem_clip *clip)
{
	play->clips_octets -= tandem_clip_size(clip);
	tandem_clip_free(clip);
}

/* Free clips that nobody hears, the one used first being the last, until so much is left. */
static void shrink(struct tandem_play *play, size_t octets)
{
	struct tandem_clip **at, **last;

	while (play->clips_octets > octets) {
		for (last = NULL, at = &play->clips; *at; at = &(*at)->next) {
			if (!(*at)->refs)
				last = at;
		}
		if (!last)
			return;
		struct tandem_clip *clip = *last;

		*last = clip->next;
		drop(play, clip);
	}
}

void play_clip_put(struct tandem_play *play, struct tandem_clip *clip)
{
	if (!clip || --clip->refs)
		return;
	if (!clip->key[0])
		drop(play, clip);
	else
		shrink(play, CACHE_OCTETS);
}

void play_clips_clean(struct tandem_play *play)
{
	shrink(play, 0);
}

static struct tandem_clip *find_clip(struct tandem_play *play, const char *key,
				     enum tandem_play_codec codec)
{
	struct tandem_clip **at, *clip;

	for (at = &play->clips; key[0] && (clip = *at); at = &clip->next) {
		if (clip->codec != codec || strcmp(clip->key, key))
			continue;
		*at = clip->next;
		clip->next = play->clips;
		play->clips = clip;
		return clip;
	}
	return NULL;
}

/* What is wanted for v is there. */
static void give(struct tandem_play *play, struct play_voice *v, struct tandem_clip *clip)
{
	clip->refs++;
	v->clip = clip;
	v->wanted = false;
	if (v->frame >= clip->frames)
		play_voice_hush(play, v);
}

void play_want(struct tandem_play *play, struct play_voice *v)
{
	struct tandem_clip *clip;

	play_clip_put(play, v->clip);
	v->clip = NULL;
	v->ticket = ++play->tickets;
	clip = find_clip(play, tandem_source_key(v->held->source), v->codec);
	if (clip) {
		give(play, v, clip);
		return;
	}
	v->wanted = true;
	pthread_cond_signal(&play->to_make);
}

static struct play_voice *find(struct tandem_play *play, uint64_t ticket)
{
	struct play_voice *v;

	for (v = play->active; v; v = v->next_active) {
		if (ticket ? v->ticket == ticket && v->playing && !v->clip : v->wanted)
			break;
	}
	return v;
}

/* True when it is kept; else it is the caller's yet. */
static bool keep(struct tandem_play *play, struct tandem_clip *clip)
{
	const size_t size = tandem_clip_size(clip);

	if (size <= CLIPS_OCTETS)
		shrink(play, CLIPS_OCTETS - size);
	if (play->clips_octets + size > CLIPS_OCTETS)
		return false;
	play->clips_octets += size;
	if (clip->key[0]) {
		clip->next = play->clips;
		play->clips = clip;
	}
	return true;
}

static void made(struct tandem_play *play, uint64_t ticket, struct tandem_clip *clip, int err)
{
	struct play_voice *v;

	if (!err && !keep(play, clip)) {
		tandem_clip_free(clip);
		err = -ENOBUFS;
	}
	v = find(play, ticket);
	if (err && err != -ECANCELED)
		tandem_log(TANDEM_LOG_WARNING, "play", "an announcement cannot be played: %s",
			   strerror(-err));
	if (err) {
		if (v)
			play_voice_hush(play, v);
		return;
	}
	clip->refs++; /* so that it is there, or freed, whether somebody wants it or not */
	if (v)
		give(play, v, clip);
	play_clip_put(play, clip);
}

void *play_maker(void *arg)
{
	struct tandem_play *play = arg;

	pthread_mutex_lock(&play->lock);
	while (!play->stopping) {
		struct play_voice *v = find(play, 0);
		struct tandem_clip *clip = NULL;
		struct play_held *held;
		enum tandem_play_codec codec;
		uint64_t ticket;
		int err;

		if (!v) {
			pthread_cond_wait(&play->to_make, &play->lock);
			continue;
		}
		v->wanted = false;
		ticket = v->ticket;
		codec = v->codec;
		held = v->held;
		held->refs++;
		clip = find_clip(play, tandem_source_key(held->source), codec);
		if (clip) {
			give(play, v, clip);
			play_held_put(held);
			continue;
		}
		pthread_mutex_unlock(&play->lock);
		err = tandem_source_encode(held->source, codec, &play->stopping, &clip);
		pthread_mutex_lock(&play->lock);
		play_held_put(held);
		made(play, ticket, clip, err);
	}
	pthread_mutex_unlock(&play->lock);
	return NULL;
}
